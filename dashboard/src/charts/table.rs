//! A chart's data as a table, the latest bucket first.

use std::fmt::Write as _;
use std::sync::Arc;

use chrono::Datelike;
use leptos::prelude::*;
use shared::analytics::Overview;

use super::ChartKind;
use crate::api::Snapshot;
use crate::format::{self, NONE};

#[component]
pub fn DataTable(kind: ChartKind, figures: Memo<Arc<Snapshot>>) -> impl IntoView {
    let heads = kind
        .series()
        .iter()
        .map(|series| view! { <th scope="col">{series.name}</th> })
        .collect_view();
    view! {
        <details class="chart-data">
            <summary>
                "Data table" <span class="visually-hidden">" of " {kind.title()}</span>
            </summary>
            <div class="table-scroll" tabindex="0" role="region" aria-label=format!("{} data", kind.title())>
                <table>
                    <thead>
                        <tr>
                            <th scope="col">"Start (UTC)"</th>
                            {heads}
                        </tr>
                    </thead>
                    <tbody inner_html=move || {
                        figures.with(|figures| rows(kind, &figures.overview))
                    }></tbody>
                </table>
            </div>
        </details>
    }
    .into_any()
}

/// The rows as HTML: hundreds of cells of figures and times that need no hydration.
fn rows(kind: ChartKind, overview: &Overview) -> String {
    let with_day = spans_days(overview);
    let mut html = String::new();
    for bucket in overview.series.iter().rev() {
        let start = format::bucket_start(bucket.start, with_day);
        let _ = write!(html, r#"<tr><th scope="row">{start}</th>"#);
        for series in kind.series() {
            let value = (series.value)(&bucket.totals)
                .map_or_else(|| NONE.to_owned(), |value| kind.exact(value));
            let _ = write!(html, "<td>{value}</td>");
        }
        html.push_str("</tr>");
    }
    html
}

/// The buckets are not all of one day.
pub fn spans_days(overview: &Overview) -> bool {
    overview
        .series
        .first()
        .is_some_and(|first| first.start.num_days_from_ce() != overview.until.num_days_from_ce())
}

//! A chart's legend: names beside colours, with what the whole range came to.

use std::sync::Arc;

use leptos::prelude::*;

use super::ChartKind;
use crate::api::Snapshot;
use crate::format::NONE;

#[component]
pub fn Legend(kind: ChartKind, figures: Memo<Arc<Snapshot>>) -> impl IntoView {
    kind.series()
        .iter()
        .map(|series| {
            let total = move || {
                figures.with(|figures| {
                    (series.value)(&figures.overview.totals)
                        .map_or_else(|| NONE.to_owned(), |value| kind.exact(value))
                })
            };
            view! {
                <li>
                    <span
                        class="swatch"
                        class:line=!kind.is_stacked()
                        class:dashed=series.dashed
                        style=format!("--swatch: var({})", series.color)
                    ></span>
                    <span class="legend-name">{series.name}</span>
                    <span class="legend-value">{total}</span>
                </li>
            }
        })
        .collect_view()
}

//! The time range: links, so that they work before hydration and can be shared.

use leptos::prelude::*;
use shared::TimeRange;
use shared::analytics::OverviewQuery;

use super::query::overview_href;

#[component]
pub fn RangePicker(query: Memo<OverviewQuery>) -> impl IntoView {
    let links = TimeRange::ALL
        .into_iter()
        .map(|range| {
            let href = move || {
                overview_href(&OverviewQuery { range, ..query.get() })
            };
            view! {
                <a
                    href=href
                    title=range.label()
                    aria-current=move || (query.with(|query| query.range) == range).then_some("true")
                >
                    {range.as_str()}
                </a>
            }
        })
        .collect_view();
    view! {
        <nav class="segments" aria-label="Time range">
            {links}
        </nav>
    }
    .into_any()
}

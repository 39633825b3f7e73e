//! Views of a page, side by side: each has its address.

use leptos::prelude::*;

#[component]
pub fn Tabs(
    label: &'static str,
    /// Address, name, and whether it is the one that shows.
    tabs: Vec<(&'static str, &'static str, bool)>,
) -> impl IntoView {
    let tabs = tabs
        .into_iter()
        .map(|(href, name, here)| {
            view! {
                <a href=href aria-current=here.then_some("true")>
                    {name}
                </a>
            }
        })
        .collect_view();
    view! {
        <nav class="segments" aria-label=label>
            {tabs}
        </nav>
    }
    .into_any()
}

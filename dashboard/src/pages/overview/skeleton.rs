//! The page while its figures load: the same shapes, without figures.

use leptos::prelude::*;

#[component]
pub fn Skeleton() -> impl IntoView {
    let tiles = (0..6)
        .map(|_| view! { <div class="card tile ghost"></div> })
        .collect_view();
    let charts = (0..4)
        .map(|_| view! { <div class="card chart ghost"></div> })
        .collect_view();
    view! {
        <p class="visually-hidden" role="status">
            "Loading figures"
        </p>
        <div class="tiles" aria-hidden="true">
            {tiles}
        </div>
        <div class="charts" aria-hidden="true">
            {charts}
        </div>
    }
    .into_any()
}

//! Whether the figures stay fresh.

use leptos::prelude::*;

use crate::live::use_live;

#[component]
pub fn LiveSwitch() -> impl IntoView {
    let live = use_live();
    view! {
        <button
            type="button"
            class="live"
            aria-pressed=move || live.is_on().to_string()
            disabled=move || !live.is_awake()
            title="Refresh the figures every 5 seconds"
            on:click=move |_| live.toggle()
        >
            <span class="live-dot" aria-hidden="true"></span>
            {move || if live.is_on() { "Live" } else { "Paused" }}
        </button>
    }
    .into_any()
}

//! The product's mark and name.

use leptos::prelude::*;

#[component]
pub fn Brand() -> impl IntoView {
    view! {
        <svg class="mark" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">
            <rect width="24" height="24" rx="6" fill="var(--accent-solid)" />
            <path
                d="M5.5 8h4l4.5 8h4.5M5.5 16h4l1.3-2.3M13 9.9 14 8h4.5"
                fill="none"
                stroke="#fff"
                stroke-width="1.9"
                stroke-linecap="round"
                stroke-linejoin="round"
            />
        </svg>
        <span class="brand-name">"AI Gateway"</span>
    }
    .into_any()
}

//! The pages there are.

use leptos::prelude::*;
use leptos_router::components::A;

#[component]
pub fn Navigation() -> impl IntoView {
    view! {
        <nav class="navigation" aria-label="Pages">
            <A href="/" exact=true>
                <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
                    <path
                        d="M2 13.5h12M4 11V8m4 3V3m4 8V6"
                        fill="none"
                        stroke="currentColor"
                        stroke-width="1.6"
                        stroke-linecap="round"
                    />
                </svg>
                "Overview"
            </A>
        </nav>
    }
    .into_any()
}

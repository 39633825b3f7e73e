//! The pages there are.

use leptos::prelude::*;
use leptos_router::components::A;

/// Address, name, and the path of its picture in a square of 16.
const PAGES: [(&str, &str, &str); 6] = [
    ("/", "Overview", "M2 13.5h12M4 11V8m4 3V3m4 8V6"),
    (
        "/keys",
        "Keys",
        "M8.7 7.3 14 2m-2.6 2.6 1.8 1.8M6 7a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7Z",
    ),
    (
        "/limits",
        "Limits",
        "M2.2 12a6.3 6.3 0 1 1 11.6 0M8 10.5 11 6",
    ),
    (
        "/guardrails",
        "Guardrails",
        "M8 1.8 13 4v4c0 3.2-2.2 5.4-5 6.2C5.2 13.4 3 11.2 3 8V4ZM6 8l1.5 1.6L10.3 6.4",
    ),
    (
        "/system-prompt",
        "System prompt",
        "M2.5 3.5h11v7.5h-6L4.5 13.7V11h-2ZM5.2 6h5.6m-5.6 2.4h3.4",
    ),
    (
        "/cache",
        "Cache",
        "M2.5 4.2c0-1.2 2.5-2.2 5.5-2.2s5.5 1 5.5 2.2-2.5 2.2-5.5 2.2-5.5-1-5.5-2.2Zm0 0v7.6C2.5 13 5 14 8 14s5.5-1 5.5-2.2V4.2M2.5 8c0 1.2 2.5 2.2 5.5 2.2s5.5-1 5.5-2.2",
    ),
];

#[component]
pub fn Navigation() -> impl IntoView {
    let links = PAGES
        .into_iter()
        .map(|(href, name, picture)| {
            view! {
                <A href=href exact={href == "/"}>
                    <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
                        <path
                            d=picture
                            fill="none"
                            stroke="currentColor"
                            stroke-width="1.5"
                            stroke-linecap="round"
                            stroke-linejoin="round"
                        />
                    </svg>
                    {name}
                </A>
            }
        })
        .collect_view();
    view! {
        <nav class="navigation" aria-label="Pages">
            {links}
        </nav>
    }
    .into_any()
}

//! What can stand in a prompt.

use leptos::prelude::*;

const VARIABLES: [(&str, &str); 5] = [
    ("{{date}}", "today, UTC: 2026-11-21"),
    ("{{time}}", "the time, UTC: 14:05"),
    ("{{key}}", "the name of the client’s key"),
    ("{{project}}", "the project of that key"),
    ("{{model}}", "the model that the client asks for"),
];

#[component]
pub fn Variables() -> impl IntoView {
    let variables = VARIABLES
        .into_iter()
        .map(|(name, meaning)| {
            view! {
                <div>
                    <dt>
                        <code>{name}</code>
                    </dt>
                    <dd>{meaning}</dd>
                </div>
            }
        })
        .collect_view();
    view! {
        <div class="variables wide">
            <p class="hint">"Filled in with each request:"</p>
            <dl>{variables}</dl>
        </div>
    }
    .into_any()
}

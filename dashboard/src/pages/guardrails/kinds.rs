//! The kinds of checks to choose from: each leads to its form.

use leptos::prelude::*;

use crate::href::Href;

/// Name in JSON, what it is called, what it does.
pub const KINDS: [(&str, &str, &str); 9] = [
    (
        "phrases",
        "Banned phrases",
        "Words and phrases, whatever their case",
    ),
    (
        "patterns",
        "Patterns",
        "Regular expressions, in linear time",
    ),
    (
        "pii",
        "Personal data",
        "E-mail, phone, cards, IBAN, SSN, addresses, secrets",
    ),
    ("length", "Length", "Texts that are too short or too long"),
    (
        "injection",
        "Prompt injection",
        "Signs of attempts to override instructions",
    ),
    (
        "disclaimer",
        "Disclaimer",
        "A text that every reply must have",
    ),
    (
        "json_schema",
        "JSON schema",
        "Replies that must be JSON of a shape",
    ),
    (
        "moderation",
        "Moderation",
        "What a provider’s moderation model flags",
    ),
    ("webhook", "Webhook", "What a service of your own says"),
];

/// What a kind of check is called.
pub fn title(kind: &str) -> &'static str {
    KINDS
        .iter()
        .find(|(name, ..)| *name == kind)
        .map_or("Unknown", |(_, title, _)| title)
}

#[component]
pub fn Kinds() -> impl IntoView {
    let links = KINDS
        .into_iter()
        .map(|(kind, title, text)| {
            let href = Href::of("/guardrails?new=1")
                .with("check", kind)
                .into_text();
            view! {
                <li>
                    <a href=href>
                        <strong>{title}</strong>
                        <span class="muted">{text}</span>
                    </a>
                </li>
            }
        })
        .collect_view();
    view! {
        <section class="card">
            <header class="card-head">
                <h2>"What should the new guardrail look for?"</h2>
            </header>
            <ul class="kinds">{links}</ul>
        </section>
    }
    .into_any()
}

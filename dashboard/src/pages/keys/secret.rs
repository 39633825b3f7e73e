//! A client key's secret, shown this once.

use leptos::prelude::*;

use crate::forms::Copied;

#[component]
pub fn Secret(#[prop(into)] key_name: String, #[prop(into)] secret: String) -> impl IntoView {
    view! {
        <section class="card secret" aria-labelledby="secret-title" role="status">
            <h2 id="secret-title">{format!("The secret of {key_name}")}</h2>
            <p>
                "Copy it now: it is kept as a hash only, and not shown again. Clients send it as "
                <code>"Authorization: Bearer"</code> ", " <code>"x-api-key"</code> ", "
                <code>"api-key"</code> " or " <code>"x-goog-api-key"</code> "."
            </p>
            <Copied id="secret" label="Secret" text=secret />
        </section>
    }
    .into_any()
}

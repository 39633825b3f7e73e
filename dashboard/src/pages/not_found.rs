//! There is no such page.

use leptos::prelude::*;
use leptos_meta::Title;

#[component]
pub fn NotFound() -> impl IntoView {
    #[cfg(feature = "ssr")]
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.set_status(http::StatusCode::NOT_FOUND);
    }
    view! {
        <Title text="Not found" />
        <main class="alone">
            <div class="card narrow-card">
                <h1>"There is no such page"</h1>
                <p class="muted">"The address may be mistyped, or the page has gone."</p>
                <p>
                    <a class="button" href="/">
                        "To the overview"
                    </a>
                </p>
            </div>
        </main>
    }
    .into_any()
}

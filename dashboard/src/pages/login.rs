//! The door. The gateway answers the form; nothing here needs a script.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::frame::Brand;

#[component]
pub fn LoginPage() -> impl IntoView {
    let query = use_query_map();
    let error = move || {
        query
            .with(|query| query.get("error"))
            .map(|code| explain(&code))
    };
    let failed = move || error().is_some();
    let message = move || {
        error().map(|text| {
            view! {
                <p class="notice bad" id="login-error" role="alert">
                    <strong>"Not signed in"</strong>
                    <span>{text}</span>
                </p>
            }
        })
    };
    view! {
        <Title text="Sign in" />
        <main class="alone">
            <form class="card narrow-card login" method="post" action="/login">
                <p class="brand">
                    <Brand />
                </p>
                <h1>"Sign in"</h1>
                <p class="muted">
                    "The gateway printed an admin token when it started; its login link has it too."
                </p>
                {message}
                // For password managers, which keep a name with every secret.
                <input
                    type="text"
                    name="username"
                    autocomplete="username"
                    value="admin"
                    hidden=true
                />
                <label for="token">"Admin token"</label>
                <input
                    id="token"
                    name="token"
                    type="password"
                    autocomplete="current-password"
                    required=true
                    autofocus=true
                    spellcheck="false"
                    aria-invalid=move || failed().then_some("true")
                    aria-describedby=move || failed().then_some("login-error")
                />
                <button class="button" type="submit">
                    "Sign in"
                </button>
            </form>
        </main>
    }
    .into_any()
}

/// What the error in the URL means; the text of a stranger's link is never shown.
fn explain(code: &str) -> &'static str {
    match code {
        "expired" => "The session has ended. Sign in again.",
        "throttled" | "rate_limited" => "Too many attempts. Wait a minute, then try again.",
        _ => "This is not the admin token.",
    }
}

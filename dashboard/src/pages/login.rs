//! The door. The gateway answers the forms; nothing here needs a script.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::frame::Brand;

/// What was wrong with the last attempt.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Password,
    Token,
    TooMany,
    Expired,
}

#[component]
pub fn LoginPage() -> impl IntoView {
    let query = use_query_map();
    let wrong = Memo::new(move |_| {
        query
            .with(|query| query.get("error"))
            .map(|code| wrong(&code))
    });
    let message = move || {
        wrong.get().map(|wrong| {
            view! {
                <p class="notice bad" id="login-error" role="alert">
                    <strong>"Not signed in"</strong>
                    <span>{explain(wrong)}</span>
                </p>
            }
        })
    };
    let is = move |one: Wrong| wrong.get() == Some(one);
    let invalid = move |one: Wrong| is(one).then_some("true");
    let described = move |one: Wrong| is(one).then_some("login-error");
    view! {
        <Title text="Sign in" />
        <main class="alone">
            <div class="card narrow-card login">
                <p class="brand">
                    <Brand />
                </p>
                <h1>"Sign in"</h1>
                {message}
                <form method="post" action="/login">
                    <label for="username">"Name"</label>
                    <input
                        id="username"
                        name="username"
                        type="text"
                        autocomplete="username"
                        required=true
                        autofocus=true
                        autocapitalize="none"
                        spellcheck="false"
                        aria-invalid=move || invalid(Wrong::Password)
                        aria-describedby=move || described(Wrong::Password)
                    />
                    <label for="password">"Password"</label>
                    <input
                        id="password"
                        name="password"
                        type="password"
                        autocomplete="current-password"
                        required=true
                        aria-invalid=move || invalid(Wrong::Password)
                        aria-describedby=move || described(Wrong::Password)
                    />
                    <button class="button" type="submit">
                        "Sign in"
                    </button>
                </form>
                <form class="other" method="post" action="/login">
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
                        spellcheck="false"
                        aria-invalid=move || invalid(Wrong::Token)
                        aria-describedby=move || {
                            described(Wrong::Token).unwrap_or("about-token")
                        }
                    />
                    <p class="muted" id="about-token">
                        "The gateway printed it when it started; its login link has it too."
                    </p>
                    <button class="button plain" type="submit">
                        "Use the token"
                    </button>
                </form>
            </div>
        </main>
    }
    .into_any()
}

/// What the error in the URL means; the text of a stranger's link is never shown.
fn wrong(code: &str) -> Wrong {
    match code {
        "expired" => Wrong::Expired,
        "throttled" | "rate_limited" => Wrong::TooMany,
        "password" => Wrong::Password,
        _ => Wrong::Token,
    }
}

fn explain(wrong: Wrong) -> &'static str {
    match wrong {
        Wrong::Expired => "The session has ended. Sign in again.",
        Wrong::TooMany => "Too many attempts. Wait a minute, then try again.",
        Wrong::Password => "The name or the password is wrong.",
        Wrong::Token => "This is not the admin token.",
    }
}

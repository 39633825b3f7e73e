//! What a page shows could not be had.

use leptos::prelude::*;
use shared::AdminError;

use crate::api::LoadError;
use crate::live::use_live;

/// Instead of it.
#[component]
pub fn Failure(
    #[prop(into)] error: Signal<Option<LoadError>>,
    /// Trying again loads the whole page, for it does not refresh by itself.
    #[prop(optional)]
    reload: bool,
) -> impl IntoView {
    let signed_out = move || error.with(|error| *error == Some(LoadError::SignedOut));
    let title = move || error.with(|error| error.as_ref().map_or("", title));
    let text = move || error.with(|error| error.as_ref().map(text));
    view! {
        <section class="card state" role="alert">
            <h2>{title}</h2>
            <p class="muted">{text}</p>
            <Show when=signed_out fallback=move || view! { <Retry reload /> }>
                <p>
                    <a class="button" href="/login" rel="external">
                        "Sign in"
                    </a>
                </p>
            </Show>
        </section>
    }
    .into_any()
}

fn text(error: &LoadError) -> String {
    match error {
        LoadError::Admin(
            AdminError::Invalid { message, .. }
            | AdminError::NotFound { message }
            | AdminError::Conflict { message },
        ) => message.clone(),
        LoadError::Admin(AdminError::Unavailable { message }) => format!(
            "It says: {message}. Requests are served on, and their records are kept until it is back."
        ),
        LoadError::Admin(AdminError::Internal { message }) => message.clone(),
        LoadError::NoAnswer(reason) => format!("It may be restarting. {reason}"),
        LoadError::SignedOut => "Sign in again to go on.".to_owned(),
    }
}

/// A link, for it works before hydration too.
#[component]
fn Retry(reload: bool) -> impl IntoView {
    let live = use_live();
    view! {
        <p>
            <a
                class="button"
                href=""
                rel="external"
                on:click=move |event| {
                    if !reload {
                        event.prevent_default();
                        live.tick();
                    }
                }
            >
                "Try again"
            </a>
        </p>
    }
    .into_any()
}

/// Above what could not be refreshed.
#[component]
pub fn Stale(#[prop(into)] error: Signal<Option<LoadError>>) -> impl IntoView {
    move || {
        error.get().map(|error| {
            view! {
                <p class="notice warn" role="status">
                    <strong>"Not refreshed"</strong>
                    <span>
                        {title(&error)} ". This is the last that came. "
                        {(error == LoadError::SignedOut)
                            .then(|| {
                                view! {
                                    <a href="/login" rel="external">
                                        "Sign in"
                                    </a>
                                }
                            })}
                    </span>
                </p>
            }
        })
    }
}

fn title(error: &LoadError) -> &'static str {
    match error {
        LoadError::Admin(
            AdminError::Invalid { .. } | AdminError::NotFound { .. } | AdminError::Conflict { .. },
        ) => "That cannot be shown",
        LoadError::Admin(AdminError::Unavailable { .. }) => "The database does not answer",
        LoadError::Admin(AdminError::Internal { .. }) => "The gateway has a fault",
        LoadError::NoAnswer(_) => "The gateway does not answer",
        LoadError::SignedOut => "The session has ended",
    }
}

//! System, light or dark.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::theme::{SetTheme, Theme};

/// A form with a button a theme: before hydration the server stores the choice and sends the page
/// again, afterwards the page changes at once.
#[component]
pub fn ThemeSwitch() -> impl IntoView {
    let current = RwSignal::new(Theme::current());
    let buttons = Theme::ALL
        .into_iter()
        .map(|theme| {
            view! {
                <button
                    type="submit"
                    name="theme"
                    value=theme.as_str()
                    aria-pressed=move || (current.get() == theme).to_string()
                    on:click=move |event| {
                        event.prevent_default();
                        theme.apply();
                        current.set(theme);
                    }
                >
                    {theme.label()}
                </button>
            }
        })
        .collect_view();
    view! {
        <form class="segments small" method="post" action=SetTheme::url() aria-label="Theme">
            {buttons}
        </form>
    }
    .into_any()
}

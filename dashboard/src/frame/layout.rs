//! The frame: a side bar (on small screens a bar on top), notices, and the page.

use leptos::prelude::*;
use leptos_router::components::Outlet;

use super::brand::Brand;
use super::endpoint::Endpoint;
use super::navigation::Navigation;
use super::notices::Notices;
use super::providers::Providers;
use super::status::{GatewayState, StatusPill};
use super::theme_switch::ThemeSwitch;
use crate::forms::use_submission;
use crate::live::use_live;

#[component]
pub fn Frame() -> impl IntoView {
    provide_context(GatewayState::load());
    use_submission().forget_on_leaving();
    let live = use_live();

    view! {
        <a class="skip-link" href="#main">
            "Skip to content"
        </a>
        // For those who drive the page: whether it answers to more than forms and links.
        <div class="frame" data-awake=move || live.is_awake().then_some("")>
            <header class="side">
                <div class="side-head">
                    <a class="brand" href="/">
                        <Brand />
                    </a>
                    <StatusPill />
                    <button class="menu-button" type="button" popovertarget="menu">
                        "Menu"
                    </button>
                </div>
                // Shown as a popover on small screens, always on large ones; needs no script.
                <div class="side-body" id="menu" popover="auto">
                    <Navigation />
                    <Providers />
                    <div class="side-foot">
                        <Endpoint />
                        <div class="side-controls">
                            <ThemeSwitch />
                            <form method="post" action="/logout">
                                <button class="quiet" type="submit">
                                    "Sign out"
                                </button>
                            </form>
                        </div>
                    </div>
                </div>
            </header>
            <main id="main" tabindex="-1">
                <Notices />
                <Outlet />
            </main>
        </div>
    }
    .into_any()
}

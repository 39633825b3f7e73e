//! The routes.

use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::SsrMode;
use leptos_router::components::{ParentRoute, Route, Router, Routes};
use leptos_router::path;

use crate::forms::Submission;
use crate::frame::Frame;
use crate::live::Live;
use crate::pages::{
    CachePage, GuardrailPage, KeyPage, LimitPage, LoginPage, NotFound, OverviewPage, PromptPage,
};

/// The whole dashboard. Pages are rendered completely before they are sent, so that every one of
/// them reads and works without JavaScript.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    provide_context(Live::start());
    provide_context(Submission::start());

    view! {
        <Title formatter=|title: String| {
            if title.is_empty() { "AI Gateway".to_owned() } else { format!("{title} · AI Gateway") }
        } />
        <Router>
            <Routes fallback=NotFound>
                <Route path=path!("/login") view=LoginPage ssr=SsrMode::Async />
                <ParentRoute path=path!("") view=Frame ssr=SsrMode::Async>
                    <Route path=path!("") view=OverviewPage ssr=SsrMode::Async />
                    <Route path=path!("keys") view=KeyPage ssr=SsrMode::Async />
                    <Route path=path!("limits") view=LimitPage ssr=SsrMode::Async />
                    <Route path=path!("guardrails") view=GuardrailPage ssr=SsrMode::Async />
                    <Route path=path!("cache") view=CachePage ssr=SsrMode::Async />
                    <Route path=path!("system-prompt") view=PromptPage ssr=SsrMode::Async />
                </ParentRoute>
            </Routes>
        </Router>
    }
    .into_any()
}

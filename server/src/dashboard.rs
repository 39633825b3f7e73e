//! The dashboard over HTTP: pages, server functions, and the built site from inside the binary.
//!
//! Nothing here knows who may see it: the caller puts a login around the router. `/login` and
//! `/pkg/…` must stay open for people who have not signed in yet; `POST /login` and `POST /logout`
//! are the caller's.

mod forms;
mod site;
mod time_limit;

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::http::request::Parts;
use axum::middleware;
use axum::routing::get;
use leptos::config::LeptosOptions;
use leptos::prelude::{provide_context, use_context};
use leptos_axum::{
    AxumRouteListing, LeptosRoutes, generate_route_list, render_app_async_with_context,
};
use shared::GatewayApi;
use shared::access::Role;
use shared::policies::PolicyApi;
use tower_http::compression::CompressionLayer;

use crate::access::Operator;

/// The pages' addresses.
///
/// While Leptos lists them, no resource of the whole process may load, and one that is first polled
/// meanwhile stays pending for ever, with the page that waits for it
/// (<https://github.com/leptos-rs/leptos/issues/4773>). So they are listed once, before there is any
/// router that could render a page.
static ROUTES: LazyLock<Vec<AxumRouteListing>> =
    LazyLock::new(|| generate_route_list(dashboard::App));

/// The role of whoever asks. Nobody has one before the login.
fn role() -> Role {
    let request = use_context::<Parts>();
    let operator = request.and_then(|request| request.extensions.get::<Operator>().cloned());
    operator.map_or(Role::Viewer, |operator| operator.role)
}

/// Pages at `/` and `/login` and for whatever is not there, server functions under `/ui/api/`, files under `/pkg/`.
/// Pages with forms take them as `POST`s.
pub fn router(api: Arc<dyn GatewayApi>, policies: Arc<dyn PolicyApi>) -> Router {
    let site = dashboard::Site { name: site::name() };
    let options = LeptosOptions::builder()
        .output_name(site.name.clone().unwrap_or_default())
        .build();
    let context = {
        let policies = policies.clone();
        move || {
            provide_context(api.clone());
            provide_context(policies.clone());
            provide_context(site.clone());
            provide_context(role());
        }
    };
    let document = {
        let options = options.clone();
        move || dashboard::shell(options.clone())
    };
    let forms = forms::routes(policies, &context, &document);
    // Any other address has a page too: it says that there is nothing, with a 404.
    let nothing = render_app_async_with_context(context.clone(), document.clone());
    Router::new()
        .leptos_routes_with_context(&options, ROUTES.clone(), context, document)
        .merge(forms)
        .fallback(nothing)
        .layer(middleware::from_fn_with_state(
            time_limit::LIMIT,
            time_limit::apply,
        ))
        // A page is a third of a megabyte of figures and drawings, an eighth of that compressed.
        .layer(CompressionLayer::new())
        .route("/pkg/{*path}", get(site::file))
        .with_state(options)
}

//! The operators' side: who gets in, and what they can ask.

mod access;
mod analytics;
mod api;
mod audit;
mod cookie;
mod dry_run;
mod guard;
mod headers;
mod json_body;
mod login;
mod needs;
mod openapi;
mod payloads;
mod policies;
mod predecessors;
mod problem;
mod rest;
mod routes;
mod slashes;
mod to_the_end;
mod visitor;

pub use api::Admin;
pub use needs::Needs;
pub use routes::{needed, served, undescribed};

use std::sync::Arc;

use axum::Router;
use axum::middleware;
use tower::ServiceExt;
use tower_http::catch_panic::CatchPanicLayer;

/// What the admin listener's handlers share.
#[derive(Clone, Debug)]
pub struct AdminState {
    api: Arc<Admin>,
    /// The listener is reachable from this machine only: then so must be the name it is called by.
    loopback_only: bool,
}

impl AdminState {
    pub fn new(api: Arc<Admin>, loopback_only: bool) -> Self {
        Self { api, loopback_only }
    }
}

/// Every route of the admin listener. All but the login and static files need a session or the
/// token.
pub fn router(state: &AdminState) -> Router {
    let api: Arc<dyn shared::AdminApi> = state.api.clone();
    let router = crate::dashboard::router(api.clone(), api)
        .layer(middleware::from_fn(needs::of_pages))
        .merge(routes::router(state))
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(middleware::from_fn(to_the_end::changes))
        .layer(middleware::from_fn_with_state(state.clone(), guard::guard))
        .layer(CatchPanicLayer::custom(problem::panicked))
        .layer(middleware::map_response(headers::set));
    // Before routes are looked for.
    Router::new().fallback_service(router.map_request(slashes::encoded))
}

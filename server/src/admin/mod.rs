//! The operators' side: who gets in, and what they can ask.

mod api;
mod audit;
mod dry_run;
mod guard;
mod guesses;
mod headers;
mod json_body;
mod login;
mod logouts;
mod needs;
mod openapi;
mod policies;
mod predecessors;
mod problem;
mod rest;
mod revoked;
mod routes;
mod session;
mod token;

pub use api::Admin;
pub use needs::Needs;
pub use routes::{needed, served, undescribed};
pub use token::AdminToken;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware;
use tokio::sync::Mutex;
use tower_http::catch_panic::CatchPanicLayer;

use self::guesses::Guesses;
use self::logouts::Logouts;

/// What the admin listener's handlers share.
#[derive(Clone, Debug)]
pub struct AdminState {
    api: Arc<Admin>,
    guesses: Arc<Guesses>,
    logouts: Arc<Logouts>,
    /// Held while the predecessors' paths change several policies together.
    predecessors: Arc<Mutex<()>>,
    /// The listener is reachable from this machine only: then so must be the name it is called by.
    loopback_only: bool,
}

impl AdminState {
    /// Reads from the database who has logged out.
    pub async fn open(
        api: Arc<Admin>,
        token: AdminToken,
        session_ttl: Duration,
        loopback_only: bool,
    ) -> Self {
        Self {
            logouts: Logouts::open(api.store.clone(), &token, session_ttl).await,
            guesses: Arc::new(Guesses::new(token)),
            api,
            predecessors: Arc::default(),
            loopback_only,
        }
    }
}

/// Every route of the admin listener. All but the login and static files need a session or the
/// token.
pub fn router(state: &AdminState) -> Router {
    let api: Arc<dyn shared::AdminApi> = state.api.clone();
    crate::dashboard::router(api, state.api.clone())
        .layer(middleware::from_fn(needs::of_pages))
        .merge(routes::router(state))
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(middleware::from_fn_with_state(state.clone(), guard::guard))
        .layer(CatchPanicLayer::custom(problem::panicked))
        .layer(middleware::map_response(headers::set))
}

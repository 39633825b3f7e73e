//! The operators' side: who gets in, and what they can ask.

mod api;
mod guard;
mod guesses;
mod headers;
mod login;
mod logouts;
mod policies;
mod rest;
mod revoked;
mod session;
mod token;

pub use api::Admin;
pub use token::AdminToken;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{any, get, patch, post};
use tower_http::catch_panic::CatchPanicLayer;

use self::guesses::Guesses;
use self::logouts::Logouts;

/// The login's form is one token; in bytes.
const LOGIN_FORM: usize = 8 * 1024;

/// What the admin listener's handlers share.
#[derive(Clone, Debug)]
pub struct AdminState {
    api: Arc<Admin>,
    guesses: Arc<Guesses>,
    logouts: Arc<Logouts>,
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
            loopback_only,
        }
    }
}

/// Every route of the admin listener. All but the login and static files need a session or the
/// token.
pub fn router(state: &AdminState) -> Router {
    let form = post(login::submit).layer(DefaultBodyLimit::max(LOGIN_FORM));
    let model = patch(rest::change_model).delete(rest::reset_model);
    let rest = Router::new()
        .route("/login", form)
        .route("/logout", post(login::logout))
        .route("/health", get(crate::ingress::health))
        .route("/api/v1/overview", get(rest::overview))
        .route("/api/v1/status", get(rest::status))
        .route("/api/v1/targets", get(rest::targets))
        .route("/api/v1/models", get(rest::models))
        .route("/api/v1/models/{*name}", model)
        .route("/metrics", get(rest::metrics))
        .route("/api", any(rest::unknown))
        .route("/api/", any(rest::unknown))
        .route("/api/{*path}", any(rest::unknown))
        .with_state(state.clone());
    let api: Arc<dyn shared::AdminApi> = state.api.clone();
    crate::dashboard::router(api)
        .merge(rest)
        .method_not_allowed_fallback(rest::method_not_allowed)
        .layer(middleware::from_fn_with_state(state.clone(), guard::guard))
        .layer(CatchPanicLayer::custom(rest::panicked))
        .layer(middleware::map_response(headers::set))
}

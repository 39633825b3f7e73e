//! Every route of the clients' listener.

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;

use crate::gateway::Gateway;
use crate::ingress;

/// What clients reach.
pub fn clients(gateway: Arc<Gateway>) -> Router {
    Router::new()
        .route("/v1/chat/completions", post(ingress::chat_completions))
        .route("/v1/models", get(ingress::list_models))
        .route("/v1/models/{*name}", get(ingress::retrieve_model))
        .route("/", get(ingress::health))
        .route("/health", get(ingress::health))
        .route("/health_check", get(ingress::health))
        .route("/ready", get(ingress::ready))
        .fallback(ingress::unknown_url)
        .method_not_allowed_fallback(ingress::method_not_allowed)
        .with_state(gateway)
        .layer(CatchPanicLayer::custom(ingress::panicked))
}

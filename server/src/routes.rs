//! Every route of the clients' listener.

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use llm::dialect::ChatDialect;
use llm::dialects::openai_chat::OpenAiChat;

use crate::gateway::Gateway;
use crate::ingress::{self, ChatEndpoint, ModelEndpoints};

/// Where each dialect is spoken whose path is fixed.
static CHAT: &[(&str, &dyn ChatDialect)] = &[("/v1/chat/completions", &OpenAiChat)];

/// What clients reach.
pub fn clients(gateway: Arc<Gateway>) -> Router {
    let mut router = Router::new();
    for (route, dialect) in CHAT {
        router = router.route(route, post(ChatEndpoint::new(*dialect, route)));
    }
    let at_v1 = ModelEndpoints::v1();
    let post_to_v1 = move |state: ingress::Gateway, tail, request| {
        ingress::posted_to_model(at_v1.clone(), state, tail, request)
    };
    router
        .route("/v1/models", get(ingress::list_models))
        .route(
            "/v1/models/{*tail}",
            get(ingress::retrieve_model).post(post_to_v1),
        )
        .route("/", get(ingress::health))
        .route("/health", get(ingress::health))
        .route("/health_check", get(ingress::health))
        .route("/ready", get(ingress::ready))
        .fallback(ingress::unknown_url)
        .method_not_allowed_fallback(ingress::method_not_allowed)
        .with_state(gateway)
        .layer(ingress::CatchPanics)
}

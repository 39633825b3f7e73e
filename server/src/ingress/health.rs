//! Whether the gateway lives, and whether it serves.

use std::sync::LazyLock;
use std::time::Instant;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde_json::json;

use super::refusal::document;
use crate::availability::Availability;

static STARTED: LazyLock<Instant> = LazyLock::new(Instant::now);

/// `GET /health`: the process lives. No key is needed.
pub async fn health() -> Response {
    let body = json!({
        "status": "ok",
        "version": env!("CARGO_PKG_VERSION"),
        "uptime_seconds": STARTED.elapsed().as_secs(),
    });
    document(StatusCode::OK, &body)
}

/// `GET /ready`: whether traffic can be served; 503 while the gateway drains, or where none of its providers is
/// enabled and up. Why a provider is down is for operators to know: they ask elsewhere.
pub async fn ready(State(gateway): super::Gateway) -> Response {
    let policies = gateway.policies();
    let availability = Availability::of(&policies);
    let enabled = policies
        .upstreams
        .iter()
        .filter(|upstream| upstream.enabled);
    let down: Vec<&str> = enabled
        .clone()
        .map(|upstream| &*upstream.name)
        .filter(|name| availability.provider_trouble(name).is_some())
        .collect();
    let problem = if gateway.is_draining() {
        Some("the gateway is shutting down")
    } else if enabled.clone().count() == 0 {
        Some("no provider is enabled")
    } else if enabled.count() == down.len() {
        Some("no provider can be reached")
    } else {
        None
    };
    // Trouble with the database does not stop traffic. What it is, operators can ask elsewhere.
    let delayed = gateway.recorder().status().trouble.is_some();
    match problem {
        None => {
            let body = json!({
                "status": "ready",
                "recording": if delayed { "delayed" } else { "ok" },
                "providers_down": down,
            });
            document(StatusCode::OK, &body)
        }
        Some(reason) => {
            let body = json!({
                "status": "not_ready",
                "reason": reason,
                "providers_down": down,
            });
            document(StatusCode::SERVICE_UNAVAILABLE, &body)
        }
    }
}

/// Called once at the start, so that uptime counts from there.
pub fn note_start() {
    LazyLock::force(&STARTED);
}

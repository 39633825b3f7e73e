//! The admin API over REST: `AdminApi` and no logic of its own.

use std::any::Any;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;
use shared::analytics::OverviewQuery;
use shared::routing::ModelChange;
use shared::{AdminApi, AdminError};

use super::AdminState;
use crate::telemetry::metrics;

/// `GET /api/v1/overview?range=24h&provider=…&model=…`
pub(super) async fn overview(
    State(state): State<AdminState>,
    query: Result<Query<OverviewQuery>, axum::extract::rejection::QueryRejection>,
) -> Response {
    match query {
        Ok(Query(query)) => answer(state.api.overview(query).await),
        Err(rejection) => problem(StatusCode::BAD_REQUEST, &rejection.body_text()),
    }
}

/// `GET /api/v1/status`
pub(super) async fn status(State(state): State<AdminState>) -> Response {
    answer(state.api.status().await)
}

/// `GET /api/v1/targets`
pub(super) async fn targets(State(state): State<AdminState>) -> Response {
    answer(state.api.targets().await)
}

/// `GET /api/v1/models`
pub(super) async fn models(State(state): State<AdminState>) -> Response {
    answer(state.api.models().await)
}

/// `PATCH /api/v1/models/{name}` with `{"strategy": "…"}`
pub(super) async fn change_model(
    State(state): State<AdminState>,
    Path(name): Path<String>,
    change: Result<Json<ModelChange>, JsonRejection>,
) -> Response {
    match change {
        Ok(Json(change)) => answer(state.api.change_model(&name, change).await),
        Err(rejection) => problem(rejection.status(), &rejection.body_text()),
    }
}

/// `DELETE /api/v1/models/{name}`: of the edits, not of the model
pub(super) async fn reset_model(
    State(state): State<AdminState>,
    Path(name): Path<String>,
) -> Response {
    answer(state.api.reset_model(&name).await)
}

/// `GET /metrics`
pub(super) async fn metrics(State(state): State<AdminState>) -> Response {
    match state.api.metrics.render() {
        Ok(text) => ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Err(error) => problem(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

fn answer<T: Serialize>(result: Result<T, AdminError>) -> Response {
    match result {
        Ok(value) => Json(value).into_response(),
        Err(error) => {
            let status = match error {
                AdminError::Invalid { .. } => StatusCode::BAD_REQUEST,
                AdminError::NotFound { .. } => StatusCode::NOT_FOUND,
                AdminError::Conflict { .. } => StatusCode::CONFLICT,
                AdminError::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
                AdminError::Internal { .. } => StatusCode::INTERNAL_SERVER_ERROR,
            };
            problem(status, &error.to_string())
        }
    }
}

/// Anything else under `/api`.
pub(super) async fn unknown(method: Method, uri: Uri) -> Response {
    let detail = format!("There is no {method} {}.", uri.path());
    problem(StatusCode::NOT_FOUND, &detail)
}

/// A path that is there, but not with this method.
pub(super) async fn method_not_allowed(method: Method, uri: Uri) -> Response {
    let detail = format!("{} does not take {method}.", uri.path());
    problem(StatusCode::METHOD_NOT_ALLOWED, &detail)
}

/// Too many wrong tokens.
pub(super) fn too_many(retry_after: Duration) -> Response {
    let seconds = retry_after.as_secs_f64().ceil();
    let detail = format!("Too many wrong admin tokens: try again in {seconds} seconds.");
    let mut response = problem(StatusCode::TOO_MANY_REQUESTS, &detail);
    let value = HeaderValue::from_str(&seconds.to_string()).expect("a number is ASCII");
    response.headers_mut().insert(header::RETRY_AFTER, value);
    response
}

/// A bug of ours: whoever asked is told so, and the log has the rest.
pub(super) fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or_default();
    tracing::error!(message, "A request to the admin listener panicked");
    problem(
        StatusCode::INTERNAL_SERVER_ERROR,
        "The gateway has a bug; its log says more.",
    )
}

/// An error as RFC 9457 has it.
pub(super) fn problem(status: StatusCode, detail: &str) -> Response {
    let title = status.canonical_reason().unwrap_or("Error");
    let body = json!({"title": title, "status": status.as_u16(), "detail": detail});
    let mut response = (status, body.to_string()).into_response();
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    response
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::http::Request;
    use axum::routing::get;
    use tower::ServiceExt;
    use tower_http::catch_panic::CatchPanicLayer;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_answer() {
        async fn buggy() {
            panic!("on purpose");
        }
        let router = Router::new()
            .route("/", get(buggy))
            .layer(CatchPanicLayer::custom(panicked));
        let request = Request::get("/").body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        assert_eq!(response.status(), 500);
        assert_eq!(
            response.headers()[header::CONTENT_TYPE],
            "application/problem+json"
        );
    }
}

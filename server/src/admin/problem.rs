//! Errors of the admin listener, as RFC 9457 has them: <https://www.rfc-editor.org/rfc/rfc9457>

use std::any::Any;
use std::time::Duration;

use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use shared::AdminError;
use shared::policies::FieldError;

/// `{"title", "status", "detail"}`
pub(super) fn problem(status: StatusCode, detail: &str) -> Response {
    about_fields(status, detail, &[])
}

/// The same, with `"errors": [{"field", "message"}]` where it is about fields.
pub(super) fn about_fields(status: StatusCode, detail: &str, fields: &[FieldError]) -> Response {
    let title = status.canonical_reason().unwrap_or("Error");
    let mut body = json!({"title": title, "status": status.as_u16(), "detail": detail});
    if !fields.is_empty() {
        body["errors"] = json!(fields);
    }
    let mut response = (status, body.to_string()).into_response();
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    response
}

/// Why something was not done.
pub(super) fn refusal(error: &AdminError) -> Response {
    let status = match error {
        AdminError::Invalid { fields, .. } if fields.is_empty() => StatusCode::BAD_REQUEST,
        AdminError::Invalid { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        AdminError::NotFound { .. } => StatusCode::NOT_FOUND,
        AdminError::Conflict { .. } => StatusCode::CONFLICT,
        AdminError::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
        AdminError::Internal { .. } => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let fields: &[FieldError] = match error {
        AdminError::Invalid { fields, .. } => fields,
        _ => &[],
    };
    about_fields(status, &error.to_string(), fields)
}

/// Nothing is there.
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

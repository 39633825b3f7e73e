//! Errors as responses.

use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, HeaderName, RETRY_AFTER};
use http::{HeaderValue, StatusCode, Uri};
use llm::dialect::ChatDialect;
use llm::error::{ApiError, ErrorKind, ErrorSource};

use super::reply::{REQUEST_ID, WholeBody, request_id};
use super::{body, rates, spoken, tried};
use crate::gateway::Context;

/// What the SDKs of OpenAI and Anthropic ask before they try again:
/// <https://github.com/openai/openai-python/blob/main/src/openai/_base_client.py>
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");
/// They wait no longer than this for a `Retry-After`; else they come sooner.
const SDKS_WAIT: Duration = Duration::from_secs(60);

/// The error, in the client's dialect, as the whole answer to a recorded request.
pub(super) async fn refuse(
    mut context: Context,
    dialect: &dyn ChatDialect,
    error: &ApiError,
) -> Response {
    let status = dialect.status(error);
    context.recording.failed(error);
    context.recording.responding(status);
    if error.kind == ErrorKind::Internal {
        tracing::error!(requestId = %context.recording.id(), error = %error, "Request failed");
    } else {
        tracing::debug!(
            requestId = %context.recording.id(),
            error = %error,
            kind = error.kind.as_str(),
            source = error.origin.as_str(),
            "Request failed"
        );
    }
    let id = request_id(&context);
    let tried = tried::value(&context);
    let rates = rates::of(&context);
    let parts = vec![dialect.encode_error(error)];
    let body = Body::new(WholeBody::new(context, parts).await);
    let mut response = json(status, error, body);
    response.headers_mut().insert(REQUEST_ID, id);
    tried::tell(tried, response.headers_mut());
    rates::tell(rates, response.headers_mut());
    response
}

/// No such path.
pub async fn unknown_url(method: http::Method, uri: Uri, body: Body) -> Response {
    body::discard(body);
    unrecorded(spoken::at(uri.path()), &unknown(&method, &uri))
}

/// What is said of a path that leads nowhere.
pub(super) fn unknown(method: &http::Method, uri: &Uri) -> ApiError {
    let message = format!("Unknown request URL: {method} {}.", uri.path());
    ApiError::new(ErrorKind::NotFound, ErrorSource::Caller, message).with_code("unknown_url")
}

/// A known path, but not with this method.
pub async fn method_not_allowed(method: http::Method, uri: Uri, body: Body) -> Response {
    body::discard(body);
    let message = format!("{} does not take {method} requests.", uri.path());
    let error = ApiError::new(ErrorKind::MethodNotAllowed, ErrorSource::Caller, message)
        .with_code("method_not_allowed");
    let mut response = unrecorded(spoken::at(uri.path()), &error);
    // axum fills in the methods that the path takes.
    response.headers_mut().remove(ALLOW);
    response
}

/// The error as an answer to what never became a request of ours.
pub(super) fn unrecorded(dialect: &dyn ChatDialect, error: &ApiError) -> Response {
    let body = Body::from(dialect.encode_error(error));
    json(dialect.status(error), error, body)
}

fn json(status: u16, error: &ApiError, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(wait) = error.retry_after {
        // Whole seconds, rounded up: earlier would be too early.
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if is_in_vain(error) {
        headers.insert(SHOULD_RETRY, HeaderValue::from_static("false"));
    }
    response
}

/// Whether it is a limit that holds for longer than any SDK waits before it asks again.
fn is_in_vain(error: &ApiError) -> bool {
    error.origin == ErrorSource::Policy
        && error.status() == 429
        && error.retry_after.is_none_or(|wait| wait > SDKS_WAIT)
}

/// A JSON document as a response.
pub(super) fn document(status: StatusCode, body: &serde_json::Value) -> Response {
    let mut response = Response::new(Body::from(Bytes::from(body.to_string())));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sdks_come_again_where_that_helps() {
        let limited = |origin, wait: Option<u64>| ApiError {
            retry_after: wait.map(Duration::from_secs),
            ..ApiError::new(ErrorKind::RateLimited, origin, "slow down")
        };
        assert!(!is_in_vain(&limited(ErrorSource::Policy, Some(60))));
        assert!(is_in_vain(&limited(ErrorSource::Policy, Some(61))));
        assert!(is_in_vain(&limited(ErrorSource::Policy, None)));
        // A provider's may pass sooner, or another one answers.
        assert!(!is_in_vain(&limited(ErrorSource::Provider, Some(3_600))));
        let used_up = ApiError::new(ErrorKind::QuotaExceeded, ErrorSource::Policy, "no more");
        assert!(is_in_vain(&used_up));
        let refused = ApiError::new(ErrorKind::PermissionDenied, ErrorSource::Policy, "no");
        assert!(!is_in_vain(&refused));
    }
}

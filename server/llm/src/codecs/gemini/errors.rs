//! What an upstream's error means: <https://ai.google.dev/gemini-api/docs/troubleshooting>

use bytes::Bytes;
use http::HeaderMap;

use crate::codecs::failure::{MAX_RETRY_AFTER, by_status, origin, retry_after, shortened};
use crate::error::{ApiError, ErrorKind, ErrorSource};
use crate::json::Node;
use crate::wire::gemini::{ErrorBody, read_error};

/// A reply with an error status.
pub(super) fn from_status(status: u16, headers: &HeaderMap, body: &[u8]) -> ApiError {
    let body = Bytes::copy_from_slice(body);
    let node = Node::parse(&body).ok();
    let read = node.as_ref().and_then(read_error).unwrap_or_default();
    let kind = kind_of(Some(status), &read);
    let mut error = describe(kind, origin(kind), Some(status), read);
    error.upstream_status = Some(status);
    error.retry_after = error.retry_after.or_else(|| retry_after(headers));
    error
}

/// An error object where a reply or a piece of one was expected.
pub(super) fn from_body(read: ErrorBody) -> ApiError {
    let kind = kind_of(read.code, &read);
    describe(kind, ErrorSource::Provider, None, read)
}

fn describe(
    kind: ErrorKind,
    origin: ErrorSource,
    status: Option<u16>,
    read: ErrorBody,
) -> ApiError {
    // The upstream's words on a refused key may quote the key.
    let message = match (kind, read.message, status) {
        (ErrorKind::Authentication, _, _) => {
            "The upstream refused the API key it was given: check the key that belongs to it."
                .to_owned()
        }
        (_, Some(message), _) if !message.trim().is_empty() => shortened(message),
        (_, _, Some(status)) => format!("The upstream answered {status} and did not say why."),
        (_, _, None) => "The upstream reported an error and did not say which.".to_owned(),
    };
    let mut error = ApiError::new(kind, origin, message);
    error.param = read.field.map(Into::into);
    error.retry_after = read.retry_after.map(|wait| wait.min(MAX_RETRY_AFTER));
    error
}

fn kind_of(status: Option<u16>, read: &ErrorBody) -> ErrorKind {
    if matches!(
        read.reason.as_deref(),
        Some("API_KEY_INVALID" | "API_KEY_EXPIRED")
    ) {
        return ErrorKind::Authentication;
    }
    let message = read.message.as_deref().unwrap_or_default();
    match read.status.as_deref().unwrap_or_default() {
        "INVALID_ARGUMENT" | "FAILED_PRECONDITION" | "OUT_OF_RANGE" => invalid(message),
        "UNAUTHENTICATED" => ErrorKind::Authentication,
        "PERMISSION_DENIED" => ErrorKind::PermissionDenied,
        "NOT_FOUND" => ErrorKind::NotFound,
        "RESOURCE_EXHAUSTED" if read.daily => ErrorKind::QuotaExceeded,
        "RESOURCE_EXHAUSTED" => ErrorKind::RateLimited,
        "UNAVAILABLE" => ErrorKind::Overloaded,
        "DEADLINE_EXCEEDED" => ErrorKind::Timeout,
        "INTERNAL" | "UNKNOWN" | "ABORTED" | "CANCELLED" | "DATA_LOSS" => ErrorKind::UpstreamFailed,
        _ => by_status(status),
    }
}

/// What has no word of its own, only a sentence.
fn invalid(message: &str) -> ErrorKind {
    let message = message.to_ascii_lowercase();
    if message.contains("api key not valid") || message.contains("api key expired") {
        ErrorKind::Authentication
    } else if message.contains("exceeds the maximum number of tokens") {
        ErrorKind::ContextLengthExceeded
    } else if message.contains("location is not supported") {
        ErrorKind::PermissionDenied
    } else {
        ErrorKind::InvalidRequest
    }
}

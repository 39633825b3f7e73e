//! What upstreams' failures have in common, whatever their protocol.

use http::HeaderMap;

use super::spellings::kind_of;
use super::wait::retry_after;
use crate::error::{ApiError, ErrorKind, ErrorSource};

/// The longest message that is passed on, in bytes.
const MAX_MESSAGE: usize = 2_000;

/// A reply with an error status: by the words for programs in it, code before type, and its sentence.
pub(crate) fn refused(
    status: u16,
    headers: &HeaderMap,
    words: &[Option<&str>],
    message: Option<String>,
) -> ApiError {
    let kind = kind_of(Some(status), words, message.as_deref().unwrap_or_default());
    refused_as(kind, status, headers, message)
}

/// A reply with an error status that is known to be of this kind.
pub(crate) fn refused_as(
    kind: ErrorKind,
    status: u16,
    headers: &HeaderMap,
    message: Option<String>,
) -> ApiError {
    let wait = retry_after(kind, headers, message.as_deref().unwrap_or_default());
    let mut error = told(kind, origin(kind), Some(status), message);
    error.upstream_status = Some(status);
    error.retry_after = wait;
    error
}

/// An error inside a reply: `status` is one that it tells of itself. What nothing is known of has failed.
pub(crate) fn in_reply(
    status: Option<u16>,
    words: &[Option<&str>],
    message: Option<String>,
) -> ApiError {
    let kind = kind_of(status, words, message.as_deref().unwrap_or_default());
    told(kind, ErrorSource::Provider, None, message)
}

/// The error in the upstream's words, as far as they can be passed on.
pub(crate) fn told(
    kind: ErrorKind,
    origin: ErrorSource,
    status: Option<u16>,
    message: Option<String>,
) -> ApiError {
    // The upstream's words on a refused key may quote the key.
    let message = match (kind, message, status) {
        (ErrorKind::Authentication, _, _) => {
            "The upstream refused the API key it was given: check the key that belongs to it."
                .to_owned()
        }
        (_, Some(message), _) if !message.trim().is_empty() => shortened(message),
        (_, _, Some(status)) => format!("The upstream answered {status} and did not say why."),
        (_, _, None) => "The upstream reported an error and did not say which.".to_owned(),
    };
    ApiError::new(kind, origin, message)
}

/// Whose fault it is that an upstream refused: what is wrong with the request is the caller's, whoever notices.
pub(crate) fn origin(kind: ErrorKind) -> ErrorSource {
    match kind {
        ErrorKind::InvalidRequest
        | ErrorKind::ContextLengthExceeded
        | ErrorKind::ContentFiltered
        | ErrorKind::RequestTooLarge => ErrorSource::Caller,
        _ => ErrorSource::Provider,
    }
}

/// What a status alone says.
pub(super) fn by_status(status: Option<u16>) -> ErrorKind {
    match status {
        Some(401) => ErrorKind::Authentication,
        Some(402) => ErrorKind::QuotaExceeded,
        Some(403) => ErrorKind::PermissionDenied,
        Some(404) => ErrorKind::NotFound,
        Some(405) => ErrorKind::MethodNotAllowed,
        Some(408 | 504 | 524) => ErrorKind::Timeout,
        Some(413) => ErrorKind::RequestTooLarge,
        Some(429) => ErrorKind::RateLimited,
        // 498: a service tier has no capacity left.
        Some(498 | 503 | 529) => ErrorKind::Overloaded,
        // Cancelled, and not by us: that would not have been answered.
        Some(499) => ErrorKind::UpstreamFailed,
        Some(400..500) => ErrorKind::InvalidRequest,
        _ => ErrorKind::UpstreamFailed,
    }
}

/// A message of a length that can be passed on.
fn shortened(mut message: String) -> String {
    if message.len() > MAX_MESSAGE {
        message.truncate(message.floor_char_boundary(MAX_MESSAGE));
        message.push('…');
    }
    message
}

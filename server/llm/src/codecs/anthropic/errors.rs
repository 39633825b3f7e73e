//! What an upstream's error means: <https://docs.anthropic.com/en/api/errors>

use bytes::Bytes;
use http::HeaderMap;

use crate::codecs::failure::{by_status, origin, retry_after, shortened};
use crate::error::{ApiError, ErrorKind, ErrorSource};
use crate::wire::anthropic::{ErrorBody, read_error};

/// A reply with an error status.
pub(super) fn from_status(status: u16, headers: &HeaderMap, body: &[u8]) -> ApiError {
    let read = read_error(&Bytes::copy_from_slice(body)).unwrap_or_default();
    let kind = kind_of(Some(status), &read);
    let mut error = describe(kind, origin(kind), Some(status), read);
    error.upstream_status = Some(status);
    error.retry_after = retry_after(headers);
    error
}

/// An error object where a reply or a piece of one was expected.
pub(super) fn from_body(body: &Bytes) -> ApiError {
    let read = read_error(body).unwrap_or_default();
    let kind = kind_of(None, &read);
    describe(kind, ErrorSource::Provider, None, read)
}

pub(super) fn bad_reply(message: impl Into<String>) -> ApiError {
    ApiError::new(ErrorKind::BadReply, ErrorSource::Provider, message)
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
    error.code = match kind {
        // One word for programs, whatever the upstream's is.
        ErrorKind::ContextLengthExceeded | ErrorKind::QuotaExceeded => None,
        _ => read.code.map(Into::into),
    };
    error
}

/// What kind of error it is: by what it says first, where the word says too little, by the word then.
fn kind_of(status: Option<u16>, read: &ErrorBody) -> ErrorKind {
    let message = read.message.as_deref().unwrap_or_default();
    let by_word = by_word(read.kind.as_deref());
    match by_word {
        None | Some(ErrorKind::InvalidRequest | ErrorKind::RequestTooLarge) => {
            by_message(message).or(by_word)
        }
        known => known,
    }
    .unwrap_or_else(|| by_status(status))
}

fn by_word(word: Option<&str>) -> Option<ErrorKind> {
    Some(match word? {
        "invalid_request_error" => ErrorKind::InvalidRequest,
        "authentication_error" => ErrorKind::Authentication,
        "billing_error" => ErrorKind::QuotaExceeded,
        "permission_error" => ErrorKind::PermissionDenied,
        "not_found_error" => ErrorKind::NotFound,
        "request_too_large" => ErrorKind::RequestTooLarge,
        "rate_limit_error" => ErrorKind::RateLimited,
        "timeout_error" => ErrorKind::Timeout,
        "overloaded_error" => ErrorKind::Overloaded,
        _ => return None,
    })
}

/// What a bad request was bad for.
fn by_message(message: &str) -> Option<ErrorKind> {
    const TOO_LONG: [&str; 4] = [
        "prompt is too long",
        "context window",
        "context limit",
        "maximum context length",
    ];
    const PAID_UP: [&str; 2] = [
        "credit balance is too low",
        "reached your specified api usage limits",
    ];
    const FILTERED: [&str; 2] = ["content filtering policy", "content policy"];
    let message = message.to_ascii_lowercase();
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| message.contains(phrase));
    if says(&TOO_LONG) {
        Some(ErrorKind::ContextLengthExceeded)
    } else if says(&PAID_UP) {
        Some(ErrorKind::QuotaExceeded)
    } else if says(&FILTERED) {
        Some(ErrorKind::ContentFiltered)
    } else {
        None
    }
}

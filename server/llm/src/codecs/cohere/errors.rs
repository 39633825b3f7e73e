//! What Cohere's errors mean: <https://docs.cohere.com/reference/errors>

use http::HeaderMap;

use crate::codecs::failure::{by_status, origin, retry_after, shortened};
use crate::error::{ApiError, ErrorKind, ErrorSource};
use crate::json::Node;
use crate::wire::openai_chat::read_error;

/// A reply with an error status: `{"id":"…","message":"…"}`.
pub(super) fn from_status(status: u16, headers: &HeaderMap, body: &[u8]) -> ApiError {
    let said = read_error(body).and_then(|read| read.message);
    let by_words = said.as_deref().and_then(|said| by_message(status, said));
    let kind = by_words.unwrap_or_else(|| match status {
        // The API key is no longer valid.
        498 => ErrorKind::Authentication,
        // Cancelled, and not by us: that would not have been answered.
        499 => ErrorKind::UpstreamFailed,
        status => by_status(Some(status)),
    });
    let mut error = describe(kind, origin(kind), Some(status), said);
    error.upstream_status = Some(status);
    error.retry_after = retry_after(headers);
    error
}

/// A reply that ended with an error.
pub(super) fn in_reply(said: Option<String>) -> ApiError {
    let kind = said.as_deref().and_then(|said| by_message(400, said));
    let kind = kind.unwrap_or(ErrorKind::UpstreamFailed);
    describe(kind, ErrorSource::Provider, None, said)
}

/// An error in place of a reply or an event. In a reply, `message` is an object.
pub(super) fn of_body(root: &Node<'_>) -> Option<ApiError> {
    let error = root.get("error").filter(|_| root.get("type").is_none());
    let said = match error {
        Some(error) => error.get("message").unwrap_or(error).text(),
        None => root.get("message")?.text(),
    };
    match (said, error) {
        (Ok(said), _) => Some(in_reply(Some(said.to_string()))),
        (Err(_), Some(_)) => Some(in_reply(None)),
        (Err(_), None) => None,
    }
}

fn describe(
    kind: ErrorKind,
    origin: ErrorSource,
    status: Option<u16>,
    said: Option<String>,
) -> ApiError {
    let message = match (kind, said, status) {
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

/// There are no words for programs, only sentences.
fn by_message(status: u16, message: &str) -> Option<ErrorKind> {
    let message = message.to_ascii_lowercase();
    let says = |phrase: &str| message.contains(phrase);
    match status {
        // Too many asked for, not too many sent.
        400 if says("max tokens must be") => Some(ErrorKind::InvalidRequest),
        400 | 413 | 422 if says("too many tokens") => Some(ErrorKind::ContextLengthExceeded),
        // A trial key's month, which does not end soon.
        429 if says("/ month") || says("calls per month") => Some(ErrorKind::QuotaExceeded),
        401 | 403 if says("invalid api token") => Some(ErrorKind::Authentication),
        _ => None,
    }
}

//! What Ollama's errors mean: a status and a sentence, `{"error":"…"}`.
//! <https://github.com/ollama/ollama/blob/main/docs/api/errors.mdx>

use http::HeaderMap;

use crate::codecs::failure::{by_status, origin, retry_after, shortened};
use crate::error::{ApiError, ErrorKind, ErrorSource};
use crate::json::Node;
use crate::wire::openai_chat::read_error;

/// A reply with an error status.
pub(super) fn from_status(status: u16, headers: &HeaderMap, body: &[u8]) -> ApiError {
    let said = read_error(body).and_then(|read| read.message);
    let kind = said
        .as_deref()
        .and_then(by_message)
        .unwrap_or_else(|| by_status(Some(status)));
    let mut error = describe(kind, origin(kind), Some(status), said);
    error.upstream_status = Some(status);
    error.retry_after = retry_after(headers);
    error
}

/// An error in place of a reply, or of a line of it.
pub(super) fn in_reply(error: &Node<'_>) -> ApiError {
    let said = match error.text() {
        Ok(text) => Some(text.to_string()),
        Err(_) => error
            .get("message")
            .and_then(|message| message.text().ok())
            .map(|message| message.to_string()),
    };
    let kind = said.as_deref().and_then(by_message);
    let kind = kind.unwrap_or(ErrorKind::UpstreamFailed);
    describe(kind, ErrorSource::Provider, None, said)
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
fn by_message(message: &str) -> Option<ErrorKind> {
    const TOO_LONG: [&str; 3] = [
        "exceeds the context length",
        "exceeds maximum context length",
        "exceeds the available context size",
    ];
    let message = message.to_ascii_lowercase();
    let says = |phrase: &str| message.contains(phrase);
    if TOO_LONG.iter().any(|phrase| says(phrase)) {
        return Some(ErrorKind::ContextLengthExceeded);
    }
    if message.starts_with("model ") && says("not found") {
        return Some(ErrorKind::NotFound);
    }
    if says("usage limit") {
        return Some(ErrorKind::QuotaExceeded);
    }
    if says("server busy") || says("requires more system memory") {
        return Some(ErrorKind::Overloaded);
    }
    (message == "unauthorized").then_some(ErrorKind::Authentication)
}

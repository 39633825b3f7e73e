//! What Ollama's errors mean: a status and a sentence, `{"error":"…"}`.
//! <https://github.com/ollama/ollama/blob/main/docs/api/errors.mdx>

use http::HeaderMap;

use crate::codecs::failure;
use crate::error::{ApiError, ErrorKind, ErrorSource};
use crate::json::Node;
use crate::wire::openai_chat::read_error;

/// A reply with an error status.
pub(super) fn from_status(status: u16, headers: &HeaderMap, body: &[u8]) -> ApiError {
    let said = read_error(body).and_then(|read| read.message);
    match said.as_deref().and_then(by_sentence) {
        Some(kind) => failure::refused_as(kind, status, headers, said),
        None => failure::refused(status, headers, &[], said),
    }
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
    match said.as_deref().and_then(by_sentence) {
        Some(kind) => failure::told(kind, ErrorSource::Provider, None, said),
        None => failure::in_reply(None, &[], said),
    }
}

/// What comes with any status, and inside replies.
fn by_sentence(message: &str) -> Option<ErrorKind> {
    match message {
        "unauthorized" => Some(ErrorKind::Authentication),
        _ if message.starts_with("model ") && message.contains("not found") => {
            Some(ErrorKind::NotFound)
        }
        _ => None,
    }
}

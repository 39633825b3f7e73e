//! What Cohere's errors mean: <https://docs.cohere.com/reference/errors>

use http::HeaderMap;

use crate::codecs::failure;
use crate::error::{ApiError, ErrorKind};
use crate::json::Node;
use crate::wire::openai_chat::read_error;

/// A reply with an error status: `{"id":"…","message":"…"}`. There are no words for programs, only sentences.
pub(super) fn from_status(status: u16, headers: &HeaderMap, body: &[u8]) -> ApiError {
    let said = read_error(body).and_then(|read| read.message);
    match status {
        // The API key is no longer valid.
        498 => failure::refused_as(ErrorKind::Authentication, status, headers, said),
        status => failure::refused(status, headers, &[], said),
    }
}

/// A reply that ended with an error.
pub(super) fn in_reply(said: Option<String>) -> ApiError {
    failure::in_reply(None, &[], said)
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

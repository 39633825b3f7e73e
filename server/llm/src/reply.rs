//! Replies that are one JSON document, of the endpoints beside chat.

use bytes::Bytes;

use crate::error::{ApiError, ErrorKind, ErrorSource};
use crate::json::{JsonError, Node};

/// Reads a reply; one that is an error is told as such.
pub(crate) fn parse(body: &Bytes) -> Result<Node<'_>, ApiError> {
    let root = Node::parse(body).map_err(|error| bad(&error))?;
    match error_of(&root) {
        Some(error) => Err(error),
        None => Ok(root),
    }
}

/// Why a reply could not be read: it is an error, or nothing that its protocol knows.
pub(crate) fn not_as_expected(body: &Bytes, error: &JsonError) -> ApiError {
    told(body).unwrap_or_else(|| bad(error))
}

/// The error that a reply with a good status is, if it is one.
pub(crate) fn told(body: &Bytes) -> Option<ApiError> {
    error_of(&Node::parse(body).ok()?)
}

/// `{"error":{"message":…}}`, `{"error":"…"}`, or `{"message":…}` and nothing else of note.
fn error_of(root: &Node<'_>) -> Option<ApiError> {
    let error = root.get("error").or_else(|| root.get("message"))?;
    let message = error.get("message").unwrap_or(error);
    let message = message
        .text()
        .map(|text| text[..text.floor_char_boundary(2_000)].to_owned())
        .unwrap_or_else(|_| "The upstream reported an error and did not say which.".to_owned());
    let error = ApiError::new(ErrorKind::UpstreamFailed, ErrorSource::Provider, message);
    Some(error)
}

fn bad(error: &JsonError) -> ApiError {
    let message = format!("the upstream's reply is not what it should be: {error}");
    ApiError::new(ErrorKind::BadReply, ErrorSource::Provider, message)
}

//! Errors inside replies: <https://platform.openai.com/docs/api-reference/responses/object#responses/object-error>

use crate::codecs::failure::origin;
use crate::codecs::openai_chat::errors;
use crate::error::{ApiError, ErrorKind, ErrorSource};
use crate::json::Node;

/// The error in a response that failed, or in an `error` event.
pub(super) fn read(node: &Node<'_>) -> ApiError {
    let mut error = errors::from_body(node.json().as_str().as_bytes());
    let kind = match error.code.as_deref() {
        Some("vector_store_timeout") => ErrorKind::Timeout,
        Some("bio_policy" | "misalignment_policy_violation" | "image_content_policy_violation") => {
            ErrorKind::ContentFiltered
        }
        Some(code) if code == "invalid_prompt" || of_image(code) => ErrorKind::InvalidRequest,
        _ => return error,
    };
    error.kind = kind;
    error.origin = origin(kind);
    error
}

fn of_image(code: &str) -> bool {
    code.contains("image") && code != "failed_to_download_image"
}

pub(super) fn bad_reply(message: impl Into<String>) -> ApiError {
    ApiError::new(ErrorKind::BadReply, ErrorSource::Provider, message)
}

/// What a response that has ended is, if it is none to pass on: failed, or given up.
pub(super) fn of_status(response: &Node<'_>) -> Option<ApiError> {
    let status = response.get("status").and_then(|status| status.str().ok());
    match status.as_deref() {
        Some("failed") => Some(read(response)),
        Some("cancelled") => {
            let message = "The upstream's response was cancelled there.";
            Some(ApiError::new(
                ErrorKind::UpstreamFailed,
                ErrorSource::Provider,
                message,
            ))
        }
        _ if response.get("error").is_some() => Some(read(response)),
        _ => None,
    }
}

//! What an upstream's error means: <https://ai.google.dev/gemini-api/docs/troubleshooting>

use bytes::Bytes;
use http::HeaderMap;

use crate::codecs::failure;
use crate::codecs::wait::MAX_RETRY_AFTER;
use crate::error::{ApiError, ErrorKind, ErrorSource};
use crate::json::Node;
use crate::wire::gemini::{ErrorBody, read_error};

/// A reply with an error status.
pub(super) fn from_status(status: u16, headers: &HeaderMap, body: &[u8]) -> ApiError {
    let body = Bytes::copy_from_slice(body);
    let node = Node::parse(&body).ok();
    let mut read = node.as_ref().and_then(read_error).unwrap_or_default();
    let message = read.message.take();
    let words = [read.reason.as_deref(), read.status.as_deref()];
    let error = if of_a_day(&read) {
        failure::refused_as(ErrorKind::QuotaExceeded, status, headers, message)
    } else {
        failure::refused(status, headers, &words, message)
    };
    with_details(error, read)
}

/// An error object where a reply or a piece of one was expected.
pub(super) fn from_body(mut read: ErrorBody) -> ApiError {
    let message = read.message.take();
    let words = [read.reason.as_deref(), read.status.as_deref()];
    let error = if of_a_day(&read) {
        failure::told(
            ErrorKind::QuotaExceeded,
            ErrorSource::Provider,
            None,
            message,
        )
    } else {
        failure::in_reply(read.code, &words, message)
    };
    with_details(error, read)
}

/// The words for a minute's allowance and a day's are the same, but a day is long.
fn of_a_day(read: &ErrorBody) -> bool {
    read.daily && read.status.as_deref() == Some("RESOURCE_EXHAUSTED")
}

fn with_details(mut error: ApiError, read: ErrorBody) -> ApiError {
    error.param = read.field.map(Into::into);
    let wait = read.retry_after.map(|wait| wait.min(MAX_RETRY_AFTER));
    error.retry_after = wait.or(error.retry_after);
    error
}

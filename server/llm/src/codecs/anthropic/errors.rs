//! What an upstream's error means: <https://docs.anthropic.com/en/api/errors>

use bytes::Bytes;
use http::HeaderMap;

use crate::codecs::failure;
use crate::error::{ApiError, ErrorKind, ErrorSource};
use crate::wire::anthropic::read_error;

/// A reply with an error status.
pub(super) fn from_status(status: u16, headers: &HeaderMap, body: &[u8]) -> ApiError {
    let read = read_error(&Bytes::copy_from_slice(body)).unwrap_or_default();
    let words = [read.kind.as_deref()];
    with_code(
        failure::refused(status, headers, &words, read.message),
        read.code,
    )
}

/// An error object where a reply or a piece of one was expected.
pub(super) fn from_body(body: &Bytes) -> ApiError {
    let read = read_error(body).unwrap_or_default();
    let words = [read.kind.as_deref()];
    with_code(failure::in_reply(None, &words, read.message), read.code)
}

pub(super) fn bad_reply(message: impl Into<String>) -> ApiError {
    ApiError::new(ErrorKind::BadReply, ErrorSource::Provider, message)
}

fn with_code(mut error: ApiError, code: Option<String>) -> ApiError {
    error.code = match error.kind {
        // One word for programs, whatever the upstream's is.
        ErrorKind::ContextLengthExceeded | ErrorKind::QuotaExceeded => None,
        _ => code.map(Into::into),
    };
    error
}

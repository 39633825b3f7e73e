//! What an upstream's error means: <https://platform.openai.com/docs/guides/error-codes>

use http::HeaderMap;

use crate::codecs::failure;
use crate::error::{ApiError, ErrorKind};
use crate::wire::openai_chat::{ErrorBody, read_error};

/// A reply with an error status.
pub(in crate::codecs) fn from_status(status: u16, headers: &HeaderMap, body: &[u8]) -> ApiError {
    let mut read = read_error(body).unwrap_or_default();
    let message = read.message.take();
    let words = [read.code.as_deref(), read.kind.as_deref()];
    with_details(failure::refused(status, headers, &words, message), read)
}

/// An error object where a reply or a piece of one was expected.
pub(in crate::codecs) fn from_body(body: &[u8]) -> ApiError {
    let read = read_error(body).or_else(|| in_a_choice(body));
    let mut read = read.unwrap_or_default();
    let message = read.message.take();
    let words = [read.code.as_deref(), read.kind.as_deref()];
    with_details(failure::in_reply(read.status(), &words, message), read)
}

/// `{"choices":[{"error":{…}}]}`
fn in_a_choice(body: &[u8]) -> Option<ErrorBody> {
    let value: serde_json::Value = serde_json::from_slice(body).ok()?;
    let choices = value.get("choices")?.as_array()?;
    let error = choices
        .iter()
        .find_map(|choice| choice.get("error").filter(|error| !error.is_null()))?;
    read_error(error.to_string().as_bytes())
}

fn with_details(mut error: ApiError, read: ErrorBody) -> ApiError {
    error.param = read.param.map(Into::into);
    error.code = match error.kind {
        // One word for programs, whatever the upstream's is.
        ErrorKind::ContextLengthExceeded | ErrorKind::QuotaExceeded => None,
        _ => read
            .code
            .filter(|code| code.parse::<u16>().is_err())
            .map(Into::into),
    };
    error
}

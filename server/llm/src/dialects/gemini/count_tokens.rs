//! How many tokens a request is, `POST /models/{model}:countTokens`: <https://ai.google.dev/api/tokens>
//!
//! An upstream of the same protocol is asked, see [`crate::codecs::gemini::count_tokens`]. For every other there is an
//! estimate.

use bytes::Bytes;

use super::request;
use crate::chat::ChatRequest;
use crate::dialect::Incoming;
use crate::error::ApiError;
use crate::json::{Object, object};

/// Reads a client's request: `contents`, or all of what would be sent to `generateContent`, in
/// `generateContentRequest`.
///
/// # Errors
/// What is wrong, naming the parameter.
pub fn decode_request(mut incoming: Incoming<'_>) -> Result<ChatRequest, ApiError> {
    let outer = Object::scan(incoming.body.clone()).ok();
    let inner = outer.as_ref().and_then(|outer| {
        let inner = outer.get("generateContentRequest");
        let inner = inner.or_else(|| outer.get("generate_content_request"))?;
        (inner != b"null").then(|| incoming.body.slice_ref(inner))
    });
    if let Some(inner) = inner {
        incoming.body = inner;
    }
    incoming.stream = Some(false);
    request::decode(incoming)
}

/// The reply's body.
pub fn encode_response(total_tokens: u64) -> Bytes {
    object(|out| out.plain("totalTokens", total_tokens))
}

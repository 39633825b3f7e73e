//! How many tokens a request is: <https://docs.anthropic.com/en/api/messages-count-tokens>

use bytes::Bytes;

use super::carry;
use super::errors::{self, bad_reply};
use crate::chat::ChatRequest;
use crate::codec::{Target, WireRequest};
use crate::error::ApiError;
use crate::json::Node;

/// The upstream's request: the client's own bytes, with the upstream's name of the model.
///
/// # Errors
/// The request is in another protocol: nobody but a client of this one asks.
pub fn encode_request(request: &ChatRequest, target: &Target<'_>) -> Result<WireRequest, ApiError> {
    carry::encode(request, target, "/messages/count_tokens")
}

/// Reads a reply that came with a 2xx status.
///
/// # Errors
/// Not what the protocol says, or an error object under a good status.
pub fn decode_response(body: &Bytes) -> Result<u64, ApiError> {
    let root = Node::parse(body).map_err(|error| {
        bad_reply(format!(
            "the upstream's reply is not what it should be: {error}"
        ))
    })?;
    if root.get("error").is_some() {
        return Err(errors::from_body(body));
    }
    let count = root.require("input_tokens").and_then(Node::u64);
    count.map_err(|error| error.bad_reply())
}

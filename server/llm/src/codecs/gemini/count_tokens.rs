//! How many tokens a request is: <https://ai.google.dev/api/tokens>

use bytes::Bytes;

use super::request::model_path;
use super::{carry, errors, reply};
use crate::chat::ChatRequest;
use crate::codec::{Target, WireRequest};
use crate::error::ApiError;
use crate::json::{Node, Object, quote};
use crate::wire::gemini::read_error;

/// The upstream's request: the client's own bytes. Contents alone are sent as they are; what else counts goes with them
/// in a `generateContentRequest`.
///
/// # Errors
/// The request is in another protocol: nobody but a client of this one asks.
pub fn encode_request(request: &ChatRequest, target: &Target<'_>) -> Result<WireRequest, ApiError> {
    let mut wire = carry::encode(request, target)?;
    let path = model_path(target.model);
    let body = wire.body.concat();
    let not_json = |error| ApiError::invalid(format!("The body is not valid JSON: {error}."));
    let node = Node::parse(&body).map_err(not_json)?;
    let alone = node.members().all(|(key, _)| key == "contents");
    if !alone {
        let mut inner = Object::scan(body.clone()).map_err(not_json)?;
        inner.set("model", quote(path.trim_start_matches('/')));
        let inner = inner.finish().concat();
        let outer = [b"{\"generateContentRequest\":", &inner[..], b"}"].concat();
        wire.body = Bytes::from(outer).into();
    }
    wire.path = path + ":countTokens";
    Ok(wire)
}

/// Reads a reply that came with a 2xx status.
///
/// # Errors
/// Not what the protocol says, or an error object under a good status.
pub fn decode_response(body: &Bytes) -> Result<u64, ApiError> {
    let root = Node::parse(body).map_err(|error| {
        reply::bad_reply(format!(
            "the upstream's reply is not what it should be: {error}"
        ))
    })?;
    if let Some(error) = read_error(&root) {
        return Err(errors::from_body(error));
    }
    // Nothing is told of nothing.
    let count = root.get("totalTokens").map_or(Ok(0), Node::u64);
    count.map_err(|error| error.bad_reply())
}

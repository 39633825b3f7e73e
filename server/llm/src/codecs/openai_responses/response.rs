//! A whole reply.

use bytes::Bytes;

use super::failures::{bad_reply, of_status};
use super::reply::{Reply, finish_reason};
use super::stream::item_at;
use crate::chat::{ChatResponse, Protocol, RawReply, StreamEvent, collect};
use crate::error::ApiError;
use crate::json::Node;
use crate::wire::openai_responses::read_usage;

pub(super) fn decode(body: Bytes) -> Result<ChatResponse, ApiError> {
    let root = Node::parse(&body).map_err(|error| {
        bad_reply(format!(
            "the upstream's reply is not what it should be: {error}"
        ))
    })?;
    root.object().map_err(|error| error.bad_reply())?;
    if let Some(error) = of_status(&root) {
        return Err(error);
    }
    let output = root.require("output").and_then(|output| output.array());
    let output = output.map_err(|error| error.bad_reply())?;
    let mut events = Vec::new();
    let mut reply = Reply::default();
    reply.begin(&root, &mut events);
    for (index, item) in (0..).zip(output) {
        reply.whole_item(&item_at(Some(index), item), item, &mut events);
    }
    events.extend(
        root.get("usage")
            .map(|usage| StreamEvent::Usage(read_usage(usage))),
    );
    // None where the upstream goes on in the background.
    if let Some(reason) = finish_reason(&root, reply.called) {
        events.push(StreamEvent::Finished { choice: 0, reason });
    }
    let model = root.get("model").filter(|model| model.str().is_ok());
    let model = model.map(Node::span);
    let mut response = collect(&events);
    response.raw = Some(RawReply {
        protocol: Protocol::OpenAiResponses,
        body,
        model,
    });
    Ok(response)
}

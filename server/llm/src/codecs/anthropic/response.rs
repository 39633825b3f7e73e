//! A whole reply.

use bytes::Bytes;

use super::blocks::Blocks;
use super::errors::{self, bad_reply};
use super::stream::{finish_events, note_untold};
use crate::chat::{ChatRequest, ChatResponse, Protocol, RawReply, StreamEvent, collect};
use crate::codec::ReplyForm;
use crate::error::ApiError;
use crate::json::{Kind, Node, ShapeError};
use crate::wire::anthropic::Counts;

pub(super) fn decode(
    request: &ChatRequest,
    form: &ReplyForm,
    body: Bytes,
) -> Result<ChatResponse, ApiError> {
    let root = Node::parse(&body).map_err(|error| {
        bad_reply(format!(
            "the upstream's reply is not what it should be: {error}"
        ))
    })?;
    if root.kind() == Kind::Object
        && (root.get("error").is_some() || root.get("type").is_some_and(|kind| says(kind, "error")))
    {
        return Err(errors::from_body(&body));
    }
    let mut events = Vec::new();
    let model = events_of(&root, Blocks::new(request, form), &mut events)
        .map_err(|error| error.bad_reply())?;
    let mut response = collect(&events);
    if form.carried {
        response.raw = Some(RawReply {
            protocol: Protocol::Anthropic,
            model,
            body: body.clone(),
        });
    }
    Ok(response)
}

/// What a message says, and where in it the model's name stands.
fn events_of(
    root: &Node<'_>,
    mut blocks: Blocks,
    out: &mut Vec<StreamEvent>,
) -> Result<Option<crate::json::Span>, ShapeError> {
    let content = root.object()?.require("content")?.array()?;
    let model = root
        .get("model")
        .filter(|model| model.kind() == Kind::String);
    out.push(started(root)?);
    for (at, block) in (0..).zip(content) {
        blocks.start(at, block, out)?;
        blocks.stop(at, out);
    }
    note_untold(root, out);
    finish_events(root, &mut blocks, out)?;
    if let Some(usage) = root.get("usage") {
        let mut counts = Counts::default();
        counts.read(usage);
        out.push(StreamEvent::Usage(counts.usage()));
    }
    Ok(model.map(Node::span))
}

/// The event that a reply begins with.
pub(super) fn started(message: &Node<'_>) -> Result<StreamEvent, ShapeError> {
    let text = |key: &str| message.get(key).map(Node::text).transpose();
    Ok(StreamEvent::Started {
        id: text("id")?.unwrap_or_default(),
        model: text("model")?.unwrap_or_default(),
        created: None,
    })
}

fn says(node: &Node<'_>, word: &str) -> bool {
    node.kind() == Kind::String && node.str().is_ok_and(|text| text == word)
}

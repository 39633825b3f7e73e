//! A whole reply.

use bytes::Bytes;

use super::errors;
use crate::chat::{Block, ChatResponse, Protocol, RawReply, collect};
use crate::error::{ApiError, ErrorKind, ErrorSource};
use crate::wire::openai_chat::{ReplyScan, ReplyState, scan_reply};

pub(super) fn decode(body: Bytes) -> Result<ChatResponse, ApiError> {
    let mut events = Vec::new();
    let mut state = ReplyState::default();
    let scan = scan_reply(&body, &mut state, &mut events).map_err(|error| {
        bad_reply(format!(
            "the upstream's reply is not what it should be: {error}"
        ))
    })?;
    let ReplyScan::Reply(marks) = scan else {
        return Err(errors::from_body(&body));
    };
    if state.choices.is_empty() {
        return Err(bad_reply("the upstream's reply has no choices"));
    }
    let mut response = collect(&events);
    for choice in &mut response.choices {
        // A stream tells things in this order, an object's members come in any.
        choice.blocks.sort_by_key(|content| rank(&content.block));
    }
    response.raw = Some(RawReply {
        protocol: Protocol::OpenAiChat,
        body,
        model: marks.model,
    });
    Ok(response)
}

fn rank(block: &Block) -> u8 {
    match block {
        Block::Reasoning => 0,
        Block::Text => 1,
        Block::Refusal => 2,
        Block::Media { .. } => 3,
        Block::ToolCall { .. } => 4,
    }
}

fn bad_reply(message: impl Into<String>) -> ApiError {
    ApiError::new(ErrorKind::BadReply, ErrorSource::Provider, message)
}

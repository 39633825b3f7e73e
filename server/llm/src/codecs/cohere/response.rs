//! A whole reply.

use bytes::Bytes;

use super::{citation, errors, parts};
use crate::chat::{Block, ChatResponse, Choice, Content, Protocol, RawReply, ToolKind};
use crate::error::{ApiError, ErrorKind, ErrorSource};
use crate::json::{Node, ShapeError};
use crate::text::Text;

pub(super) fn decode(body: &Bytes) -> Result<ChatResponse, ApiError> {
    let root = Node::parse(body).map_err(|error| {
        ApiError::new(
            ErrorKind::BadReply,
            ErrorSource::Provider,
            format!("the upstream's reply is not what it should be: {error}"),
        )
    })?;
    if let Some(error) = errors::of_body(&root) {
        return Err(error);
    }
    let bad = |error: ShapeError| error.bad_reply();
    let blocks = blocks(root.require("message").map_err(bad)?).map_err(bad)?;
    let reason = root.require("finish_reason").and_then(Node::text);
    let finish = parts::finish(&reason.map_err(bad)?, None)?;
    let read = || -> Result<ChatResponse, ShapeError> {
        let mut logprobs = Vec::new();
        if let Some(items) = root.get("logprobs") {
            for item in items.array()? {
                logprobs.extend(parts::logprob(item)?);
            }
        }
        Ok(ChatResponse {
            id: root
                .get("id")
                .map(Node::text)
                .transpose()?
                .unwrap_or_default(),
            model: Text::default(),
            created: None,
            choices: vec![Choice {
                index: 0,
                blocks,
                logprobs,
                finish: Some(finish),
            }],
            usage: root.get("usage").map(parts::usage).transpose()?.flatten(),
            untold: false,
            raw: Some(RawReply {
                protocol: Protocol::Cohere,
                body: body.clone(),
                model: None,
            }),
        })
    };
    read().map_err(bad)
}

fn blocks(message: &Node<'_>) -> Result<Vec<Content>, ShapeError> {
    let mut blocks = Vec::new();
    if let Some(plan) = message.get("tool_plan") {
        push(&mut blocks, Block::Reasoning, plan.text()?);
    }
    // Which block a content block became.
    let mut places = Vec::new();
    if let Some(content) = message.get("content") {
        for piece in content.array()? {
            let at = blocks.len();
            if let Some(text) = piece.get("text") {
                push(&mut blocks, Block::Text, text.text()?);
            } else if let Some(text) = piece.get("thinking") {
                push(&mut blocks, Block::Reasoning, text.text()?);
            }
            places.push(at);
        }
    }
    if let Some(citations) = message.get("citations") {
        for cited in citations.array()? {
            let Some(cited) = citation::read(cited)? else {
                continue;
            };
            let place = match cited.content {
                Some(index) => usize::try_from(index)
                    .ok()
                    .and_then(|at| places.get(at).copied()),
                None => blocks
                    .iter()
                    .position(|content| content.block == Block::Text),
            };
            if let Some(block) = place.and_then(|at| blocks.get_mut(at))
                && block.block == Block::Text
            {
                block.citations.extend(cited.citations);
            }
        }
    }
    if let Some(calls) = message.get("tool_calls") {
        for call in calls.array()? {
            let function = call.require("function")?;
            let arguments = function.get("arguments").map(Node::text).transpose()?;
            let block = Block::ToolCall {
                id: call.require("id")?.text()?,
                name: function.require("name")?.text()?,
                kind: ToolKind::Function,
            };
            blocks.push(Content::new(block, arguments.unwrap_or_default()));
        }
    }
    Ok(blocks)
}

fn push(blocks: &mut Vec<Content>, block: Block, text: Text) {
    if !text.is_empty() {
        blocks.push(Content::new(block, text));
    }
}

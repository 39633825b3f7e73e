//! A whole reply.

use crate::chat::{Block, ChatRequest, ChatResponse, Choice, Content, Protocol, Stamp, ToolKind};
use crate::json::{ArrayWriter, Edit, object, quote, splice};
use crate::segments::Segments;
use crate::wire::anthropic::{
    FREE_TEXT, empty_object, input_object, sayable, write_citation, write_stop, write_usage,
};

pub(super) fn encode(request: &ChatRequest, response: &ChatResponse) -> Segments {
    match &response.raw {
        Some(raw) if raw.protocol == Protocol::Anthropic => {
            let mut edits = Vec::new();
            if let (Some(model), Some(span)) = (&request.model, &raw.model) {
                let model = quote(model);
                if raw.body[span.clone()] != model {
                    edits.push(Edit {
                        span: span.clone(),
                        with: model,
                    });
                }
            }
            splice(&raw.body, edits)
        }
        _ => built(request, response),
    }
}

/// The reply written anew, from what is known of it. The protocol has one choice: the first.
fn built(request: &ChatRequest, response: &ChatResponse) -> Segments {
    let choice = response.choices.first();
    let blocks = choice.map_or(&[][..], |choice| &choice.blocks);
    let (mut called, mut refusal) = (false, String::new());
    let written = object(|out| {
        if response.id.is_empty() {
            out.string("id", &request.stamp.id("msg_"));
        } else {
            out.string("id", &response.id);
        }
        out.string("type", "message");
        out.string("role", "assistant");
        out.string("model", request.model.as_deref().unwrap_or(&response.model));
        out.array("content", |list| {
            for (index, content) in blocks.iter().enumerate() {
                match &content.block {
                    Block::Refusal => refusal.push_str(&content.text),
                    Block::ToolCall { .. } => called = true,
                    _ => {}
                }
                write_block(request, index, content, list);
            }
        });
        let finish = choice.and_then(|choice: &Choice| choice.finish.as_ref());
        write_stop(finish, called, &refusal, out);
        out.object("usage", |usage| {
            write_usage(&response.usage.unwrap_or_default(), usage);
        });
    });
    written.into()
}

fn write_block(request: &ChatRequest, index: usize, content: &Content, list: &mut ArrayWriter<'_>) {
    let text = &content.text;
    match &content.block {
        Block::Text => list.object(|out| {
            out.string("type", "text");
            out.string("text", text);
            if content.citations.iter().any(sayable) {
                out.array("citations", |list| {
                    for citation in content.citations.iter().filter(|one| sayable(one)) {
                        write_citation(citation, list.item());
                    }
                });
            }
        }),
        Block::Reasoning => {
            let seal = content.seal.as_ref();
            let data = seal.map(|seal| seal.for_client(Protocol::Anthropic));
            let data = data.unwrap_or_default();
            list.object(|out| {
                if text.is_empty() && seal.is_some_and(|seal| seal.encrypted) {
                    out.string("type", "redacted_thinking");
                    out.string("data", &data);
                } else {
                    out.string("type", "thinking");
                    out.string("thinking", text);
                    out.string("signature", &data);
                }
            });
        }
        Block::ToolCall { id, name, kind } => list.object(|out| {
            out.string("type", "tool_use");
            if id.is_empty() {
                out.string("id", &call_id(request.stamp, index));
            } else {
                out.string("id", id);
            }
            out.string("name", name);
            match kind {
                ToolKind::Custom => out.object("input", |input| input.string(FREE_TEXT, text)),
                _ => {
                    let input = input_object(text);
                    out.json("input", &input.unwrap_or_else(empty_object));
                }
            }
        }),
        // Told with the reason for the end.
        Block::Refusal => {}
        // The assistant's turn has no place for it.
        Block::Media { .. } => {}
    }
}

/// An id for a call that has none: the same whenever this reply is written.
pub(super) fn call_id(stamp: Stamp, block: usize) -> String {
    format!("{}_{block}", stamp.id("toolu_"))
}

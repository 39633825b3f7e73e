//! A whole reply.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::chat::{Block, ChatRequest, ChatResponse, Choice, FinishReason, Protocol, ToolKind};
use crate::json::{Edit, quote, splice};
use crate::segments::Segments;
use crate::wire::openai_chat::usage_object;

pub(super) fn encode(request: &ChatRequest, response: &ChatResponse) -> Segments {
    match &response.raw {
        Some(raw) if raw.protocol == Protocol::OpenAiChat => {
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
        _ => Bytes::from(built(request, response).to_string()).into(),
    }
}

/// The reply written anew, from what is known of it.
fn built(request: &ChatRequest, response: &ChatResponse) -> Value {
    let mut reply = json!({
        "id": response.id.as_str(),
        "object": "chat.completion",
        "created": response.created.unwrap_or(0),
        "model": request.model.as_deref().unwrap_or(&response.model),
        "choices": response.choices.iter().map(choice).collect::<Vec<_>>(),
    });
    if let Some(usage) = &response.usage {
        reply["usage"] = usage_object(usage);
    }
    reply
}

fn choice(choice: &Choice) -> Value {
    let mut message = json!({"role": "assistant", "content": null, "refusal": null});
    let mut calls = Vec::new();
    for content in &choice.blocks {
        let text = content.text.as_str();
        match &content.block {
            Block::Text => message["content"] = text.into(),
            Block::Reasoning => message["reasoning_content"] = text.into(),
            Block::Refusal => message["refusal"] = text.into(),
            Block::Media { .. } => {}
            Block::ToolCall { id, name, kind } => match kind {
                ToolKind::Function => calls.push(json!({
                    "id": id.as_str(),
                    "type": "function",
                    "function": {"name": name.as_str(), "arguments": text},
                })),
                ToolKind::Custom => calls.push(json!({
                    "id": id.as_str(),
                    "type": "custom",
                    "custom": {"name": name.as_str(), "input": text},
                })),
                ToolKind::LegacyFunction => {
                    message["function_call"] = json!({"name": name.as_str(), "arguments": text});
                }
            },
        }
    }
    if !calls.is_empty() {
        message["tool_calls"] = calls.into();
    }
    json!({
        "index": choice.index,
        "message": message,
        "logprobs": null,
        "finish_reason": choice.finish.as_ref().map(FinishReason::as_str),
    })
}

//! A whole reply: <https://platform.openai.com/docs/api-reference/completions/object>

use bytes::Bytes;

use super::stream::write_logprobs;
use crate::chat::{Block, ChatRequest, ChatResponse, Choice, FinishReason, Protocol};
use crate::json::{ArrayWriter, Edit, object, quote, splice};
use crate::segments::Segments;
use crate::wire::openai_chat::write_usage;

pub(super) fn encode(request: &ChatRequest, response: &ChatResponse) -> Segments {
    match &response.raw {
        Some(raw) if raw.protocol == Protocol::OpenAiCompletions => {
            let mut edits = Vec::new();
            if let (Some(model), Some(span)) = (&request.model, &raw.model) {
                edits.push(Edit {
                    span: span.clone(),
                    with: quote(model),
                });
            }
            splice(&raw.body, edits)
        }
        _ => built(request, response).into(),
    }
}

/// The reply written anew, from what is known of it.
fn built(request: &ChatRequest, response: &ChatResponse) -> Bytes {
    object(|reply| {
        if response.id.is_empty() {
            reply.string("id", &request.stamp.id("cmpl-"));
        } else {
            reply.string("id", &response.id);
        }
        reply.string("object", "text_completion");
        reply.plain("created", response.created.unwrap_or(request.stamp.at));
        let model = request.model.as_deref().unwrap_or(&response.model);
        reply.string("model", model);
        reply.array("choices", |list| {
            for choice in &response.choices {
                write_choice(choice, list);
            }
        });
        if let Some(usage) = &response.usage {
            reply.object("usage", |out| write_usage(out, usage));
        }
    })
}

fn write_choice(choice: &Choice, list: &mut ArrayWriter<'_>) {
    list.object(|out| {
        let texts = choice
            .blocks
            .iter()
            .filter(|content| is_text(&content.block));
        out.member("text")
            .strings(texts.map(|content| content.text.as_str()));
        out.plain("index", choice.index);
        write_logprobs(&choice.logprobs, &mut 0, out);
        match choice.finish.as_ref().map(FinishReason::as_str) {
            Some(reason) => out.string("finish_reason", reason),
            None => out.null("finish_reason"),
        }
    });
}

/// What of a chat's answer goes on with the text: neither thoughts nor calls.
pub(super) fn is_text(block: &Block) -> bool {
    matches!(block, Block::Text | Block::Refusal)
}

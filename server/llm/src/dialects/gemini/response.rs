//! A whole reply.

use super::metadata::{Source, write_logprobs, write_sources};
use crate::chat::{Block, ChatRequest, ChatResponse, Choice, Content, MediaSource, Protocol};
use crate::json::{Edit, ObjectWriter, object, quote, splice};
use crate::segments::Segments;
use crate::wire::gemini::{PartWriter, write_finish, write_usage};

pub(super) fn encode(request: &ChatRequest, response: &ChatResponse) -> Segments {
    match &response.raw {
        Some(raw) if raw.protocol == Protocol::Gemini => {
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
        _ => object(|body| built(request, response, body)).into(),
    }
}

/// The reply written anew, from what is known of it.
fn built(request: &ChatRequest, response: &ChatResponse, body: &mut ObjectWriter<'_>) {
    body.array("candidates", |candidates| {
        for choice in &response.choices {
            candidates.object(|body| candidate(choice, body));
        }
    });
    if let Some(usage) = &response.usage {
        body.object("usageMetadata", |metadata| write_usage(metadata, usage));
    }
    let model = request.model.as_deref().unwrap_or(&response.model);
    body.string("modelVersion", model);
    if response.id.is_empty() {
        body.string("responseId", &request.stamp.id(""));
    } else {
        body.string("responseId", &response.id);
    }
}

fn candidate(choice: &Choice, body: &mut ObjectWriter<'_>) {
    let mut sources = Vec::new();
    body.object("content", |content| {
        if !choice.blocks.is_empty() {
            content.array("parts", |parts| {
                let mut writer = PartWriter::new(parts, None);
                for content in &choice.blocks {
                    let part = writer.written();
                    sources.extend(content.citations.iter().map(|citation| Source {
                        citation,
                        text: &content.text,
                        part,
                    }));
                    write_content(content, &mut writer);
                }
                writer.end();
            });
        }
        content.string("role", "model");
    });
    if let Some(reason) = &choice.finish {
        body.string("finishReason", write_finish(reason));
    }
    body.plain("index", choice.index);
    write_sources(&sources, body);
    write_logprobs(&choice.logprobs, body);
}

/// A block as a part. A seal without a text signs what comes next.
pub(super) fn write_content(content: &Content, parts: &mut PartWriter<'_, '_>) {
    let text = &content.text;
    match &content.block {
        Block::Text | Block::Refusal => parts.text(text),
        Block::Reasoning => {
            let seal = content
                .seal
                .as_ref()
                .map(|seal| seal.for_client(Protocol::Gemini));
            match seal {
                Some(seal) if text.is_empty() => parts.sign(seal),
                seal if !text.is_empty() => parts.thought(text, seal.as_deref()),
                _ => {}
            }
        }
        Block::ToolCall { id, name, .. } => {
            parts.call(Some(id.as_str()).filter(|id| !id.is_empty()), name, text);
        }
        Block::Media { media_type, .. } => {
            parts.media(&MediaSource::Data(text.clone()), Some(media_type));
        }
    }
}

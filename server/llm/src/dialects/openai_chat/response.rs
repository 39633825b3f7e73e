//! A whole reply: <https://platform.openai.com/docs/api-reference/chat/object>

use super::message::{
    finish_word, length, place, signs_call, wants_function_call, write_call, write_image,
};
use crate::chat::{
    Block, ChatRequest, ChatResponse, Choice, Content, FinishReason, MediaKind, Protocol, Seal,
    Stamp, ToolKind,
};
use crate::json::{Edit, ObjectWriter, object, quote, splice};
use crate::segments::Segments;
use crate::wire::openai_chat::{write_citation, write_detail, write_logprobs, write_usage};

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
        _ => built(request, response),
    }
}

/// The reply written anew, from what is known of it.
fn built(request: &ChatRequest, response: &ChatResponse) -> Segments {
    let created = response.created.unwrap_or(request.stamp.at);
    let function_call = wants_function_call(request);
    Segments::from(object(|reply| {
        if response.id.is_empty() {
            reply.string("id", &request.stamp.id("chatcmpl-"));
        } else {
            reply.string("id", &response.id);
        }
        reply.string("object", "chat.completion");
        reply.plain("created", created);
        reply.string("model", request.model.as_deref().unwrap_or(&response.model));
        reply.array("choices", |list| {
            for choice in &response.choices {
                list.object(|object| write_choice(object, choice, function_call, request.stamp));
            }
        });
        if let Some(usage) = &response.usage {
            reply.object("usage", |object| write_usage(object, usage));
        }
    }))
}

fn write_choice(object: &mut ObjectWriter<'_>, choice: &Choice, function_call: bool, stamp: Stamp) {
    let message = Message::of(choice, function_call);
    object.plain("index", choice.index);
    object.object("message", |writer| message.write(writer, stamp));
    if choice.logprobs.is_empty() {
        object.null("logprobs");
    } else {
        object.object("logprobs", |logprobs| {
            write_logprobs(logprobs, &choice.logprobs);
        });
    }
    let called = || {
        if message.calls.is_empty() {
            FinishReason::Stop
        } else {
            FinishReason::ToolCalls
        }
    };
    let reason = choice.finish.clone().unwrap_or_else(called);
    let word = finish_word(&reason, message.function_call.is_some());
    object.string("finish_reason", word);
}

/// A choice's blocks by the member that they go to.
#[derive(Default)]
struct Message<'a> {
    texts: Vec<&'a Content>,
    refusals: Vec<&'a Content>,
    thoughts: Vec<&'a Content>,
    calls: Vec<(&'a Content, Option<&'a Seal>)>,
    function_call: Option<&'a Content>,
    media: Vec<&'a Content>,
}

impl<'a> Message<'a> {
    fn of(choice: &'a Choice, function_call: bool) -> Self {
        let mut message = Self::default();
        for (at, content) in choice.blocks.iter().enumerate() {
            match &content.block {
                Block::Text => message.texts.push(content),
                Block::Refusal => message.refusals.push(content),
                Block::Media { .. } => message.media.push(content),
                Block::Reasoning => {
                    let next = choice.blocks.get(at + 1).map(|next| &next.block);
                    if call_signature(content).is_none()
                        || !matches!(next, Some(Block::ToolCall { .. }))
                    {
                        message.thoughts.push(content);
                    }
                }
                Block::ToolCall { kind, .. } => {
                    let legacy = *kind == ToolKind::LegacyFunction || function_call;
                    if legacy && message.function_call.is_none() {
                        message.function_call = Some(content);
                    } else {
                        let before = at.checked_sub(1).map(|at| &choice.blocks[at]);
                        message
                            .calls
                            .push((content, before.and_then(call_signature)));
                    }
                }
            }
        }
        message
    }

    fn write(&self, object: &mut ObjectWriter<'_>, stamp: Stamp) {
        let join = |object: &mut ObjectWriter<'_>, key: &str, pieces: &[&Content]| {
            if pieces.is_empty() {
                object.null(key);
            } else {
                let texts = pieces.iter().map(|content| content.text.as_str());
                object.member(key).strings(texts);
            }
        };
        object.string("role", "assistant");
        join(object, "content", &self.texts);
        join(object, "refusal", &self.refusals);
        self.write_thoughts(object);
        self.write_annotations(object);
        self.write_media(object, stamp);
        if !self.calls.is_empty() {
            object.array("tool_calls", |list| {
                for (content, signature) in &self.calls {
                    if let Block::ToolCall { id, name, kind } = &content.block {
                        list.object(|call| {
                            write_call(call, *kind, id, name, &content.text, *signature);
                        });
                    }
                }
            });
        }
        if let Some(content) = self.function_call
            && let Block::ToolCall { name, .. } = &content.block
        {
            object.object("function_call", |call| {
                call.string("name", name);
                call.string("arguments", &content.text);
            });
        }
    }

    fn write_thoughts(&self, object: &mut ObjectWriter<'_>) {
        let texts = self.thoughts.iter().map(|content| content.text.as_str());
        if texts.clone().any(|text| !text.is_empty()) {
            object.member("reasoning_content").strings(texts);
        }
        if self.thoughts.iter().any(|content| content.seal.is_some()) {
            object.array("reasoning_details", |list| {
                for (index, content) in self.thoughts.iter().enumerate() {
                    list.object(|item| {
                        write_detail(item, &content.text, content.seal.as_ref(), index);
                    });
                }
            });
        }
    }

    fn write_annotations(&self, object: &mut ObjectWriter<'_>) {
        if self
            .texts
            .iter()
            .all(|content| content.citations.is_empty())
        {
            return;
        }
        object.array("annotations", |list| {
            let mut start = 0_u32;
            for content in &self.texts {
                let end = start.saturating_add(length(&content.text));
                for citation in &content.citations {
                    let range = place(citation, start, end);
                    list.object(|item| write_citation(item, citation, range));
                }
                start = end;
            }
        });
    }

    fn write_media(&self, object: &mut ObjectWriter<'_>, stamp: Stamp) {
        let of = |wanted: MediaKind| {
            self.media
                .iter()
                .filter_map(move |content| match &content.block {
                    Block::Media { kind, media_type } if *kind == wanted => {
                        Some((media_type, &content.text))
                    }
                    _ => None,
                })
        };
        if of(MediaKind::Image).next().is_some() {
            object.array("images", |list| {
                for (index, (media_type, data)) in of(MediaKind::Image).enumerate() {
                    list.object(|item| write_image(item, media_type, data, index));
                }
            });
        }
        if let Some((_, data)) = of(MediaKind::Audio).next() {
            object.object("audio", |audio| {
                audio.string("id", &stamp.id("audio_"));
                audio.string("data", data);
                // It is not kept for later turns.
                audio.plain("expires_at", stamp.at);
                audio.string("transcript", "");
            });
        }
    }
}

/// The seal of a thought that is nothing but the signature of what follows.
fn call_signature(content: &Content) -> Option<&Seal> {
    let only = content.block == Block::Reasoning && content.text.is_empty();
    content
        .seal
        .as_ref()
        .filter(|seal| only && signs_call(seal))
}

//! Pieces that whole messages and deltas have in common.

use crate::chat::{ChatRequest, Citation, FinishReason, Layout, Protocol, Seal, ToolKind};
use crate::json::ObjectWriter;

/// Whether the client offered `functions`, the old way, and so expects `function_call`.
pub(super) fn wants_function_call(request: &ChatRequest) -> bool {
    match &request.layout {
        Layout::OpenAiChat(layout) => layout.legacy_functions,
        Layout::Anthropic(_) | Layout::Unknown => false,
    }
}

/// OpenAI's word for a finish reason; there are no others, and strict clients know no others.
pub(super) fn finish_word(reason: &FinishReason, function_call: bool) -> &'static str {
    match reason {
        FinishReason::ToolCalls if function_call => "function_call",
        FinishReason::ToolCalls => "tool_calls",
        FinishReason::Length => "length",
        FinishReason::ContentFilter => "content_filter",
        FinishReason::Other(word) if *word == "function_call" => "function_call",
        FinishReason::Stop | FinishReason::StopSequence(_) | FinishReason::Other(_) => "stop",
    }
}

/// Whether a thought without text signs the call that follows it: it is written at the call.
pub(super) fn signs_call(seal: &Seal) -> bool {
    seal.protocol == Protocol::Gemini && !seal.encrypted
}

/// `"type": "function", "function": {…}`, `"custom": {…}`, and what signs the call:
/// <https://ai.google.dev/gemini-api/docs/thought-signatures#openai>
pub(super) fn write_call(
    call: &mut ObjectWriter<'_>,
    kind: ToolKind,
    id: &str,
    name: &str,
    input: &str,
    signature: Option<&Seal>,
) {
    call.string("id", id);
    if kind == ToolKind::Custom {
        call.string("type", "custom");
        call.object("custom", |custom| {
            custom.string("name", name);
            custom.string("input", input);
        });
    } else {
        call.string("type", "function");
        call.object("function", |function| {
            function.string("name", name);
            function.string("arguments", input);
        });
    }
    if let Some(seal) = signature {
        call.object("extra_content", |extra| {
            extra.object("google", |google| {
                google.string("thought_signature", &seal.data);
            });
        });
    }
}

/// An image that the model made, as compatible servers give it.
pub(super) fn write_image(item: &mut ObjectWriter<'_>, media_type: &str, data: &str, index: usize) {
    item.string("type", "image_url");
    item.object("image_url", |image| {
        image
            .member("url")
            .strings(["data:", media_type, ";base64,", data]);
    });
    item.plain("index", index);
}

/// Where in a message's text a source belongs, in characters. Sources count from the start of their block; the message's
/// text is all blocks in a row. One without a place is for its block; for the first, that may be all of the text, and no
/// place is told.
pub(super) fn place(citation: &Citation, start: u32, end: u32) -> (u32, u32) {
    match citation.range {
        Some((from, to)) => (start.saturating_add(from), start.saturating_add(to)),
        None if start == 0 => (0, 0),
        None => (start, end),
    }
}

/// In characters.
pub(super) fn length(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
}

//! How many tokens a request is: <https://docs.anthropic.com/en/api/messages-count-tokens>
//!
//! An upstream of the same protocol is asked, see [`crate::codecs::anthropic::count_tokens`]. For every other
//! there is an estimate.

use bytes::Bytes;

use super::Anthropic;
use crate::chat::{ChatRequest, MediaKind, MediaSource, Part, PartContent, Prompt, Tool};
use crate::dialect::{ChatDialect, Incoming};
use crate::error::ApiError;
use crate::json::object;

/// What an image takes that is as large as images get: <https://docs.anthropic.com/en/docs/build-with-claude/vision>
const IMAGE: u64 = 1_600;
/// A page of a PDF: its text and a picture of it.
const PAGE: u64 = 2_500;
/// How many bytes a page of a PDF commonly has.
const PAGE_BYTES: u64 = 50_000;
/// What stands between messages: roles and separators.
const MESSAGE: u64 = 4;
/// What stands around a tool's schema or a call.
const TOOL: u64 = 8;

/// Reads a client's request: a message's body, without what concerns the reply.
///
/// # Errors
/// What is wrong, naming the parameter.
pub fn decode_request(incoming: Incoming<'_>) -> Result<ChatRequest, ApiError> {
    let mut request = Anthropic.decode_request(incoming)?;
    request.stream = false;
    Ok(request)
}

/// The reply's body.
pub fn encode_response(input_tokens: u64) -> Bytes {
    object(|out| out.plain("input_tokens", input_tokens))
}

/// About how many tokens a prompt is, for an upstream that cannot say.
///
/// Of ASCII a letter, a digit and a space count 0.22 tokens and any other sign 0.65, other letters 0.6, and
/// characters from the CJK blocks on 1; more white space after white space counts nothing. Prose in English,
/// German, Russian, Chinese and Japanese, source code and JSON come out within 15 % of what the tokenizer makes of
/// them that was published with the Python SDK 0.34; those of later models are not published and make up to a
/// third more of the same text. Images and pages count what they cost at most, and each message, tool and call a
/// little for what stands around it.
pub fn estimate(prompt: &Prompt) -> u64 {
    let messages: u64 = prompt
        .messages
        .iter()
        .map(|message| MESSAGE + parts(&message.parts))
        .sum();
    let tools: u64 = prompt.tools.iter().map(tool).sum();
    messages + tools
}

fn parts(list: &[Part]) -> u64 {
    list.iter().map(|part| content(&part.content)).sum()
}

fn content(content: &PartContent) -> u64 {
    match content {
        PartContent::Text { text: said, .. } | PartContent::Refusal(said) => text(said),
        // Thoughts of earlier turns are left out by the model's provider.
        PartContent::Reasoning { .. } => 0,
        PartContent::ToolCall {
            name, arguments, ..
        } => TOOL + text(name) + text(arguments),
        PartContent::ToolResult { parts: said, .. } => TOOL + parts(said),
        PartContent::Other { .. } => 0,
        PartContent::Media(media) => match (&media.source, media.kind) {
            (MediaSource::Text(said), _) => text(said),
            (_, MediaKind::Image) => IMAGE,
            (MediaSource::Data(base64), MediaKind::Document) => {
                let bytes = base64.len() as u64 / 4 * 3;
                PAGE * bytes.div_ceil(PAGE_BYTES).max(1)
            }
            _ => PAGE,
        },
    }
}

fn tool(tool: &Tool) -> u64 {
    match tool {
        Tool::Function {
            name,
            description,
            parameters,
            ..
        } => {
            let described = description.as_deref().map_or(0, text);
            let schema = parameters.as_ref().map_or(0, |json| text(json.as_str()));
            TOOL + text(name) + described + schema
        }
        Tool::Custom {
            name, description, ..
        } => TOOL + text(name) + description.as_deref().map_or(0, text),
        Tool::Hosted { .. } => TOOL,
    }
}

/// In hundredths of a token, rounded up.
fn text(text: &str) -> u64 {
    let mut hundredths = 0_u64;
    let mut space = true;
    for character in text.chars() {
        let again = std::mem::replace(&mut space, character.is_ascii_whitespace());
        hundredths += match character {
            ' ' | '\t' if again => 0,
            ' ' | 'a'..='z' | 'A'..='Z' | '0'..='9' => 22,
            '\0'..='\u{7f}' => 65,
            '\u{80}'..='\u{2dff}' => 60,
            _ => 100,
        };
    }
    hundredths.div_ceil(100)
}

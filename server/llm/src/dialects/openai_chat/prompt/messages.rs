//! `messages`

use super::{media, optional, reasoning, tools};
use crate::chat::{Citation, MediaKind, Message, Part, PartContent, Role, ToolKind};
use crate::json::{Kind, Node, ShapeError};
use crate::text::Text;
use crate::wire::openai_chat::read_citations;

/// Reads all of them.
pub(super) fn read(value: &Node<'_>) -> Result<Vec<Message>, ShapeError> {
    let mut reader = Reader::default();
    let messages = value.array()?.iter();
    messages.map(|message| reader.message(message)).collect()
}

/// The old functions have no ids: their calls are numbered, and their results belong to the last call.
#[derive(Default)]
struct Reader {
    legacy_calls: usize,
}

impl Reader {
    fn message(&mut self, message: &Node<'_>) -> Result<Message, ShapeError> {
        let role = message.object()?.require("role")?;
        let (role, mut parts) = match &*role.str()? {
            "system" | "developer" => (Role::System, required_content(message)?),
            "user" => (Role::User, required_content(message)?),
            "assistant" => (Role::Assistant, self.assistant(message)?),
            "tool" => {
                let id = message.require("tool_call_id")?.text()?;
                let name = optional(message, "name", Node::text)?;
                (Role::Tool, vec![result(message, id, name)?])
            }
            "function" => {
                let name = message.require("name")?.text()?;
                let id = legacy_id(self.legacy_calls);
                (Role::Tool, vec![result(message, id, Some(name))?])
            }
            _ => {
                let roles = "'system', 'developer', 'user', 'assistant', 'tool' or 'function'";
                return Err(role.not(roles));
            }
        };
        // Some clients mark the message, not a part of it.
        if let (Some(last), Some(point)) = (parts.last_mut(), tools::cache_point(message)?) {
            last.cache.get_or_insert(point);
        }
        let name = match role {
            Role::Tool => None,
            _ => optional(message, "name", Node::text)?,
        };
        Ok(Message { role, name, parts })
    }

    fn assistant(&mut self, message: &Node<'_>) -> Result<Vec<Part>, ShapeError> {
        let thoughts = reasoning::read(message)?.into_iter();
        let mut parts: Vec<_> = thoughts.map(Part::new).collect();
        parts.extend(content(message)?);
        if let Some(annotations) = message.get("annotations") {
            cite(&mut parts, read_citations(annotations));
        }
        if let Some(refusal) = message.get("refusal") {
            let refusal = refusal.text()?;
            if !refusal.is_empty() {
                parts.push(Part::new(PartContent::Refusal(refusal)));
            }
        }
        if message.get("audio").is_some() {
            let what = Text::from_static("audio");
            parts.push(Part::new(PartContent::Other { what }));
        }
        if let Some(images) = message.get("images") {
            for image in images.array()? {
                let image = media::by_url(image, "image_url", MediaKind::Image)?;
                parts.push(Part::new(PartContent::Media(image)));
            }
        }
        if let Some(calls) = message.get("tool_calls") {
            for call in calls.array()? {
                parts.extend(reasoning::of_call(call.object()?)?.map(Part::new));
                parts.push(Part::new(tool_call(call)?));
            }
        }
        if let Some(call) = message.get("function_call") {
            self.legacy_calls += 1;
            let id = legacy_id(self.legacy_calls);
            let (name, arguments) = called(call, "arguments")?;
            parts.push(Part::new(PartContent::ToolCall {
                id,
                name,
                arguments,
                kind: ToolKind::LegacyFunction,
            }));
        }
        Ok(parts)
    }
}

fn legacy_id(number: usize) -> Text {
    Text::from(format!("call_function_{number}"))
}

fn tool_call(call: &Node<'_>) -> Result<PartContent, ShapeError> {
    let id = call.require("id")?.text()?;
    let (kind, (name, arguments)) = match call.get("custom") {
        Some(custom) => (ToolKind::Custom, called(custom, "input")?),
        None => (
            ToolKind::Function,
            called(call.require("function")?, "arguments")?,
        ),
    };
    Ok(PartContent::ToolCall {
        id,
        name,
        arguments,
        kind,
    })
}

/// Name and input of a call; arguments may be missing, or JSON that was not put into a string.
fn called(call: &Node<'_>, input: &str) -> Result<(Text, Text), ShapeError> {
    let name = call.object()?.require("name")?.text()?;
    let arguments = match call.get(input) {
        Some(arguments) if arguments.kind() == Kind::String => arguments.text()?,
        Some(arguments) => arguments.object()?.json().as_text().clone(),
        None => Text::default(),
    };
    Ok((name, arguments))
}

fn result(message: &Node<'_>, id: Text, name: Option<Text>) -> Result<Part, ShapeError> {
    let mut parts = content(message)?;
    // A mark for the cache is the result's, not that of a piece of it.
    let cache = parts.iter_mut().filter_map(|part| part.cache.take()).last();
    Ok(Part {
        content: PartContent::ToolResult {
            id,
            name,
            parts,
            is_error: false,
        },
        cache,
    })
}

fn required_content(message: &Node<'_>) -> Result<Vec<Part>, ShapeError> {
    message.require("content")?;
    content(message)
}

/// A text, or parts; neither is none.
fn content(message: &Node<'_>) -> Result<Vec<Part>, ShapeError> {
    let Some(content) = message.get("content") else {
        return Ok(Vec::new());
    };
    match content.kind() {
        Kind::String => {
            let text = content.text()?;
            Ok(if text.is_empty() {
                Vec::new()
            } else {
                vec![Part::text(text)]
            })
        }
        Kind::Array => {
            let mut parts = Vec::new();
            for node in content.array()? {
                let cache = tools::cache_point(node.object()?)?;
                let content = part(node)?;
                // Protocols refuse empty texts; a mark for the cache is for what stands before.
                let empty = matches!(&content, PartContent::Text { text, .. } if text.is_empty());
                if !empty {
                    parts.push(Part { content, cache });
                } else if let (Some(last), Some(point)) = (parts.last_mut(), cache) {
                    last.cache.get_or_insert(point);
                }
            }
            Ok(parts)
        }
        _ => Err(content.not("a string or an array of content parts")),
    }
}

fn part(part: &Node<'_>) -> Result<PartContent, ShapeError> {
    let kind = part.require("type")?.text()?;
    Ok(match kind.as_str() {
        "text" | "input_text" | "output_text" => PartContent::Text {
            text: part.require("text")?.text()?,
            citations: part
                .get("annotations")
                .map(read_citations)
                .unwrap_or_default(),
        },
        "image_url" => PartContent::Media(media::by_url(part, "image_url", MediaKind::Image)?),
        "video_url" => PartContent::Media(media::by_url(part, "video_url", MediaKind::Video)?),
        "input_audio" => PartContent::Media(media::audio(part)?),
        "file" => PartContent::Media(media::file(part)?),
        "refusal" => PartContent::Refusal(part.require("refusal")?.text()?),
        "thinking" => PartContent::Reasoning {
            text: thinking(part.require("thinking")?)?,
            seal: None,
        },
        _ => PartContent::Other { what: kind },
    })
}

/// A text, or text parts.
fn thinking(value: &Node<'_>) -> Result<Text, ShapeError> {
    if value.kind() == Kind::String {
        return value.text();
    }
    let mut joined = String::new();
    for piece in value.array()? {
        joined.push_str(&optional(piece, "text", Node::str)?.unwrap_or_default());
    }
    Ok(Text::from(joined))
}

/// Sources stand beside the message; they are of its first text.
fn cite(parts: &mut [Part], found: Vec<Citation>) {
    let texts = parts.iter_mut().find_map(|part| match &mut part.content {
        PartContent::Text { citations, .. } => Some(citations),
        _ => None,
    });
    if let Some(citations) = texts {
        citations.extend(found);
    }
}

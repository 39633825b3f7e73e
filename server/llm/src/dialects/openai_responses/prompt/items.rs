//! `input` as items: <https://platform.openai.com/docs/api-reference/responses/create#responses-create-input>

use super::{content, optional, tools};
use crate::chat::{Message, Part, PartContent, Prompt, Protocol, Role, Seal, ToolKind};
use crate::error::ApiError;
use crate::json::{Node, ShapeError};
use crate::text::Text;
use crate::wire::openai_responses::{OWN_REASONING, told_by_id};

/// Reads the items. What the assistant did in one go is one message, and so are the results of its calls: other
/// protocols want parallel calls together.
///
/// # Errors
/// An item that makes no sense, or that only refers to one that an upstream keeps.
pub(super) fn read(items: &[Node<'_>], prompt: &mut Prompt) -> Result<(), ApiError> {
    for (at, item) in items.iter().enumerate() {
        let kind = match item.object()?.get("type") {
            Some(kind) => kind.text()?,
            None if item.get("role").is_some() => Text::from_static("message"),
            None => Text::from_static("item_reference"),
        };
        match kind.as_str() {
            // Clients refer to what an earlier reply has shown, unless they said that nothing is
            // kept. A thought can be missed, and that is told; what was said or called cannot.
            "item_reference" if is_own_thought(item)? => match told(item)? {
                Some((seal, text)) => {
                    let seal = Some(seal);
                    let thought = Part::new(PartContent::Reasoning { text, seal });
                    add(
                        &mut prompt.messages,
                        Message::new(Role::Assistant, vec![thought]),
                    );
                }
                // In a stream, the id of a thought is told before it is thought: what it was comes in the next id.
                None if tells_text(items.get(at + 1))? => {}
                None => note(&mut prompt.others, "input.item_reference"),
            },
            "item_reference" => {
                let message = format!(
                    "'{path}' refers to an item that only an upstream that speaks OpenAI Responses keeps, and this \
                     model's does not: send the item itself.",
                    path = item.path()
                );
                let error = ApiError::invalid(message).with_code("unsupported_value");
                return Err(error.with_param(item.path()));
            }
            "additional_tools" => {
                prompt.tools.extend(tools::tools(item.require("tools")?)?);
            }
            kind => {
                if let Some(message) = message(kind, item, &mut prompt.others)? {
                    add(&mut prompt.messages, message);
                }
            }
        }
    }
    Ok(())
}

fn add(messages: &mut Vec<Message>, message: Message) {
    match messages.last_mut() {
        Some(last)
            if last.role == message.role && matches!(last.role, Role::Assistant | Role::Tool) =>
        {
            if told_again(&last.parts, &message.parts) {
                last.parts.pop();
            }
            last.parts.extend(message.parts);
        }
        _ => messages.push(message),
    }
}

/// Whether a thought comes once more, with its seal: as it was streamed, and as its id tells it.
fn told_again(before: &[Part], parts: &[Part]) -> bool {
    let thought = |part: Option<&Part>| match part.map(|part| &part.content) {
        Some(PartContent::Reasoning { text, seal }) => Some((text.clone(), seal.clone())),
        _ => None,
    };
    match (thought(before.last()), thought(parts.first())) {
        (Some((before, seal)), Some((text, Some(again)))) => {
            before == text && seal.is_none_or(|seal| seal == again)
        }
        _ => false,
    }
}

fn message(
    kind: &str,
    item: &Node<'_>,
    others: &mut Vec<Text>,
) -> Result<Option<Message>, ShapeError> {
    let one = |role, content| Message::new(role, vec![Part::new(content)]);
    if item.get("namespace").is_some() {
        note(others, "input.namespace");
    }
    Ok(Some(match kind {
        "message" => {
            let role = item.require("role")?;
            let role = match &*role.str()? {
                "user" => Role::User,
                "assistant" => Role::Assistant,
                "system" | "developer" => Role::System,
                _ => return Err(role.not("'user', 'assistant', 'system' or 'developer'")),
            };
            if item.get("phase").is_some() {
                note(others, "input.phase");
            }
            Message::new(role, content::read(item.require("content")?)?)
        }
        "function_call" => one(
            Role::Assistant,
            PartContent::ToolCall {
                id: item.require("call_id")?.text()?,
                name: item.require("name")?.text()?,
                arguments: item.require("arguments")?.text()?,
                kind: ToolKind::Function,
            },
        ),
        "custom_tool_call" => one(
            Role::Assistant,
            PartContent::ToolCall {
                id: item.require("call_id")?.text()?,
                name: item.require("name")?.text()?,
                arguments: item.require("input")?.text()?,
                kind: ToolKind::Custom,
            },
        ),
        "function_call_output" | "custom_tool_call_output" => one(
            Role::Tool,
            PartContent::ToolResult {
                id: item.require("call_id")?.text()?,
                name: optional(item, "name", Node::text)?,
                parts: content::read(item.require("output")?)?,
                is_error: false,
            },
        ),
        "reasoning" => match reasoning(item)? {
            Some(thought) => one(Role::Assistant, thought),
            None => return Ok(None),
        },
        // What a tool of the provider's own did, or was told.
        other => one(
            Role::Assistant,
            PartContent::Other {
                what: Text::from(&other[..other.floor_char_boundary(64)]),
            },
        ),
    }))
}

/// `{"type": "reasoning", "id": …, "summary": [{"type": "summary_text", "text": …}], "encrypted_content": …}`
fn reasoning(item: &Node<'_>) -> Result<Option<PartContent>, ShapeError> {
    let thoughts = match item.get("content") {
        Some(content) if !content.array()?.is_empty() => Some(content),
        _ => item.get("summary"),
    };
    let mut text = Text::default();
    for piece in thoughts.map(Node::array).transpose()?.unwrap_or_default() {
        let more = piece.require("text")?.text()?;
        text = if text.is_empty() {
            more
        } else {
            Text::from(format!("{text}\n\n{more}"))
        };
    }
    let data = optional(item, "encrypted_content", Node::text)?.filter(|data| !data.is_empty());
    let seal = data
        .map(|data| -> Result<Seal, ShapeError> {
            let mut seal = Seal::of_client(Protocol::OpenAiResponses, data, true);
            if seal.protocol == Protocol::OpenAiResponses && seal.id.is_empty() {
                seal.id = optional(item, "id", Node::text)?.unwrap_or_default();
            }
            Ok(seal)
        })
        .transpose()?;
    let (seal, text) = match told(item)? {
        Some((seal, thought)) => (Some(seal), if text.is_empty() { thought } else { text }),
        None => (seal, text),
    };
    let said = seal.is_some() || !text.is_empty();
    Ok(said.then_some(PartContent::Reasoning { text, seal }))
}

/// The thought and the seal that the item's id holds.
fn told(item: &Node<'_>) -> Result<Option<(Seal, Text)>, ShapeError> {
    let id = optional(item, "id", Node::str)?;
    Ok(id.and_then(|id| told_by_id(&id)))
}

/// Whether the id of the item that follows holds a thought in words.
fn tells_text(next: Option<&Node<'_>>) -> Result<bool, ShapeError> {
    let told = next.map_or(Ok(None), told)?;
    Ok(told.is_some_and(|(_, text)| !text.is_empty()))
}

/// Whether the item's id is one that the gateway made up for a thought.
fn is_own_thought(item: &Node<'_>) -> Result<bool, ShapeError> {
    match item.object()?.get("id") {
        Some(id) => Ok(id.str()?.starts_with(OWN_REASONING)),
        None => Ok(false),
    }
}

fn note(others: &mut Vec<Text>, what: &'static str) {
    if !others.iter().any(|other| *other == what) {
        others.push(Text::from_static(what));
    }
}

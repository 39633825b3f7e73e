//! What the assistant thought in earlier turns, as clients keep it.

use super::optional;
use crate::chat::{PartContent, Protocol, Seal};
use crate::json::{Kind, Node, ShapeError};
use crate::text::Text;
use crate::wire::openai_chat::read_detail;

/// The thoughts of an assistant's message, in whichever field they are: all say the same.
pub(super) fn read(message: &Node<'_>) -> Result<Vec<PartContent>, ShapeError> {
    let mut thoughts = Vec::new();
    if let Some(details) = message.get("reasoning_details") {
        for item in details.array()? {
            let (text, seal) = read_detail(item)?;
            if seal.is_some() || !text.is_empty() {
                thoughts.push(PartContent::Reasoning { text, seal });
            }
        }
    }
    if thoughts.is_empty()
        && let Some(blocks) = message.get("thinking_blocks")
    {
        for block in blocks.array()? {
            thoughts.extend(thinking_block(block)?);
        }
    }
    let said = |thought: &PartContent| matches!(thought, PartContent::Reasoning { text, .. } if !text.is_empty());
    if !thoughts.iter().any(said) {
        for key in ["reasoning_content", "reasoning"] {
            if let Some(text) = message.get(key).filter(|v| v.kind() == Kind::String) {
                let text = text.text()?;
                if !text.is_empty() {
                    thoughts.insert(0, PartContent::Reasoning { text, seal: None });
                    break;
                }
            }
        }
    }
    Ok(thoughts)
}

/// `{"type": "thinking", "thinking": …, "signature": …}` or `redacted_thinking`, as some clients keep what came from
/// Anthropic's protocol.
fn thinking_block(block: &Node<'_>) -> Result<Option<PartContent>, ShapeError> {
    let text = optional(block.object()?, "thinking", Node::text)?.unwrap_or_default();
    let sealed = match (block.get("signature"), block.get("data")) {
        (Some(signature), _) => Some((signature.text()?, false)),
        (None, Some(data)) => Some((data.text()?, true)),
        (None, None) => None,
    };
    let seal = sealed
        .filter(|(data, _)| !data.is_empty())
        .map(|(data, encrypted)| Seal::of_client(Protocol::Anthropic, data, encrypted));
    if seal.is_none() && text.is_empty() {
        return Ok(None);
    }
    Ok(Some(PartContent::Reasoning { text, seal }))
}

/// The signature of a tool call: `{"extra_content": {"google": {"thought_signature": …}}}`
/// (<https://ai.google.dev/gemini-api/docs/thought-signatures#openai>), or in `provider_specific_fields`.
pub(super) fn of_call(call: &Node<'_>) -> Result<Option<PartContent>, ShapeError> {
    let google = call
        .get("extra_content")
        .and_then(|extra| extra.get("google"));
    let fields = google.or_else(|| call.get("provider_specific_fields"));
    let Some(signature) = fields.and_then(|fields| fields.get("thought_signature")) else {
        return Ok(None);
    };
    let data = signature.text()?;
    Ok((!data.is_empty()).then(|| PartContent::Reasoning {
        text: Text::default(),
        seal: Some(Seal::of_client(Protocol::Gemini, data, false)),
    }))
}

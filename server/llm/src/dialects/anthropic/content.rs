//! What messages are made of.

use std::collections::HashMap;

use super::prompt::read_cache;
use crate::chat::{
    CachePoint, Media, MediaKind, MediaSource, Message, Part, PartContent, Protocol, Role, Seal,
    ToolKind,
};
use crate::error::ApiError;
use crate::json::{Kind, Node};
use crate::text::Text;
use crate::wire::anthropic::read_citation;

/// Reads messages one after the other.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub messages: Vec<Message>,
    /// What has no place in a prompt, by name.
    pub others: Vec<Text>,
    /// The names of the tools called so far, by the calls' ids.
    called: HashMap<Text, Text>,
}

impl Reader {
    /// Reads a message. A user's turn with results of tools becomes messages of each kind, in order.
    pub(super) fn message(&mut self, message: &Node<'_>) -> Result<(), ApiError> {
        let role = message.object()?.require("role")?;
        let role = match &*role.str()? {
            "user" => Role::User,
            "assistant" => Role::Assistant,
            "system" => Role::System,
            _ => return Err(role.not("'user', 'assistant' or 'system'").into()),
        };
        let parts = self.parts(message.require("content")?)?;
        if role != Role::User {
            self.messages.push(Message::new(role, parts));
            return Ok(());
        }
        let first = self.messages.len();
        for part in parts {
            let role = match part.content {
                PartContent::ToolResult { .. } => Role::Tool,
                _ => Role::User,
            };
            match self.messages[first..].last_mut() {
                Some(last) if last.role == role => last.parts.push(part),
                _ => self.messages.push(Message::new(role, vec![part])),
            }
        }
        if self.messages.len() == first {
            self.messages.push(Message::new(Role::User, Vec::new()));
        }
        Ok(())
    }

    /// Reads a string, or an array of blocks.
    pub(super) fn parts(&mut self, content: &Node<'_>) -> Result<Vec<Part>, ApiError> {
        let blocks = match content.kind() {
            Kind::Array => content.array()?,
            Kind::String => {
                let text = Some(content.text()?).filter(|text| !text.is_empty());
                return Ok(text.map(Part::text).into_iter().collect());
            }
            _ => return Err(content.not("a string or an array of blocks").into()),
        };
        let mut parts = Vec::with_capacity(blocks.len());
        for block in blocks {
            let first = parts.len();
            self.block(block, &mut parts)?;
            // What is marked ends with the block's last part.
            if let Some(cache) = block.get("cache_control").map(read_cache).transpose()? {
                mark(&mut parts[first..], cache);
            }
        }
        Ok(parts)
    }

    fn block(&mut self, block: &Node<'_>, parts: &mut Vec<Part>) -> Result<(), ApiError> {
        let kind = block.object()?.require("type")?.text()?;
        let content = match kind.as_str() {
            "text" => read_text(block)?,
            "image" => PartContent::Media(read_image(block)?),
            "document" => return self.document(block, parts),
            "search_result" => PartContent::Text {
                text: read_search_result(block)?,
                citations: Vec::new(),
            },
            "thinking" => {
                let signature = block.get("signature").map(Node::text).transpose()?;
                PartContent::Reasoning {
                    text: block.require("thinking")?.text()?,
                    // One that came without a seal is sent back with an empty one.
                    seal: signature
                        .filter(|signature| !signature.is_empty())
                        .map(|signature| Seal::of_client(Protocol::Anthropic, signature, false)),
                }
            }
            "redacted_thinking" => {
                let data = block.require("data")?.text()?;
                PartContent::Reasoning {
                    text: Text::default(),
                    seal: Some(Seal::of_client(Protocol::Anthropic, data, true)),
                }
            }
            "tool_use" => {
                let (id, name) = (block.require("id")?.text()?, block.require("name")?.text()?);
                self.called.insert(id.clone(), name.clone());
                PartContent::ToolCall {
                    id,
                    name,
                    arguments: match block.get("input") {
                        Some(input) => input.object()?.json().as_text().clone(),
                        None => Text::from_static("{}"),
                    },
                    kind: ToolKind::Function,
                }
            }
            "tool_result" => self.tool_result(block)?,
            _ => PartContent::Other { what: kind },
        };
        parts.push(Part::new(content));
        Ok(())
    }

    fn tool_result(&mut self, block: &Node<'_>) -> Result<PartContent, ApiError> {
        let id = block.require("tool_use_id")?.text()?;
        let mut parts = match block.get("content") {
            Some(content) => self.parts(content)?,
            None => Vec::new(),
        };
        parts.retain(|part| match &part.content {
            PartContent::Text { .. } | PartContent::Media(_) => true,
            PartContent::Other { what } => {
                self.others.push(Text::from(format!("tool_result.{what}")));
                false
            }
            _ => false,
        });
        Ok(PartContent::ToolResult {
            name: self.called.get(&id).cloned(),
            id,
            parts,
            is_error: match block.get("is_error") {
                Some(flag) => flag.bool()?,
                None => false,
            },
        })
    }

    /// A document's context, and what it holds: one part, or several where it is made of blocks.
    fn document(&mut self, block: &Node<'_>, parts: &mut Vec<Part>) -> Result<(), ApiError> {
        let name = block.get("title").map(Node::text).transpose()?;
        if let Some(context) = block.get("context") {
            parts.push(Part::text(context.text()?));
        }
        let cited = block
            .get("citations")
            .and_then(|config| config.get("enabled"));
        if let Some(enabled) = cited
            && enabled.bool()?
        {
            self.note("citations");
        }
        let source = block.require("source")?.object()?;
        let kind = source.require("type")?;
        let media = |source, media_type| Media {
            kind: MediaKind::Document,
            source,
            media_type,
            name: name.clone(),
            detail: None,
        };
        let media_type = || source.get("media_type").map(Node::text).transpose();
        let found = match &*kind.str()? {
            "base64" => {
                let data = source.require("data")?.text()?;
                let media_type = media_type()?.or(Some(Text::from_static("application/pdf")));
                media(MediaSource::Data(data), media_type)
            }
            "url" => media(
                MediaSource::Url(source.require("url")?.text()?),
                Some(Text::from_static("application/pdf")),
            ),
            "text" => media(
                MediaSource::Text(source.require("data")?.text()?),
                media_type()?.or(Some(Text::from_static("text/plain"))),
            ),
            "file" => media(MediaSource::File(source.require("file_id")?.text()?), None),
            "content" => {
                for part in self.parts(source.require("content")?)? {
                    parts.push(match part.content {
                        PartContent::Text { text, .. } => {
                            let plain = Some(Text::from_static("text/plain"));
                            Part::new(PartContent::Media(media(MediaSource::Text(text), plain)))
                        }
                        content => Part::new(content),
                    });
                }
                return Ok(());
            }
            _ => {
                let kinds = "'base64', 'url', 'text', 'content' or 'file'";
                return Err(kind.not(kinds).into());
            }
        };
        parts.push(Part::new(PartContent::Media(found)));
        Ok(())
    }

    fn note(&mut self, what: &'static str) {
        let what = Text::from_static(what);
        if !self.others.contains(&what) {
            self.others.push(what);
        }
    }
}

fn mark(parts: &mut [Part], cache: CachePoint) {
    if let Some(last) = parts.last_mut() {
        last.cache = Some(cache);
    }
}

fn read_text(block: &Node<'_>) -> Result<PartContent, ApiError> {
    let citations = match block.get("citations") {
        Some(citations) => citations.array()?.iter().map(read_citation).collect(),
        None => Vec::new(),
    };
    Ok(PartContent::Text {
        text: block.require("text")?.text()?,
        citations,
    })
}

fn read_image(block: &Node<'_>) -> Result<Media, ApiError> {
    let source = block.require("source")?.object()?;
    let kind = source.require("type")?;
    let (source, media_type) = match &*kind.str()? {
        "base64" => (
            MediaSource::Data(source.require("data")?.text()?),
            Some(source.require("media_type")?.text()?),
        ),
        "url" => (MediaSource::Url(source.require("url")?.text()?), None),
        "file" => (MediaSource::File(source.require("file_id")?.text()?), None),
        _ => return Err(kind.not("'base64', 'url' or 'file'").into()),
    };
    Ok(Media {
        kind: MediaKind::Image,
        source,
        media_type,
        name: None,
        detail: None,
    })
}

/// What a search found, as text with its origin before it.
fn read_search_result(block: &Node<'_>) -> Result<Text, ApiError> {
    let mut text = format!(
        "{}\n{}\n",
        block.require("title")?.str()?,
        block.require("source")?.str()?
    );
    for part in block.require("content")?.array()? {
        text.push('\n');
        text.push_str(&part.require("text")?.str()?);
    }
    Ok(Text::from(text))
}

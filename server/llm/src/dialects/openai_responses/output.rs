//! What a reply consists of: <https://platform.openai.com/docs/api-reference/responses/object#responses/object-output>

use std::fmt;

use crate::chat::{Block, Citation, Protocol, Seal, Stamp, TokenLogprob, ToolKind};
use crate::json::{ArrayWriter, ObjectWriter};
use crate::text::Text;
use crate::wire::openai_responses::{OWN_REASONING, telling_id, write_citation, write_logprobs};

/// An item of `output`, done or under way.
#[derive(Debug)]
pub(super) struct Item {
    pub id: String,
    pub kind: ItemKind,
    /// More may come.
    pub open: bool,
    /// It broke off.
    pub incomplete: bool,
}

#[derive(Debug)]
pub(super) enum ItemKind {
    Message(Vec<Part>),
    Reasoning {
        text: Quoted,
        seal: Option<Seal>,
    },
    Call {
        call_id: Text,
        name: Text,
        kind: ToolKind,
        arguments: Quoted,
    },
    Image {
        data: Quoted,
        /// `png`
        format: Text,
    },
}

/// A part of a message.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub refusal: bool,
    pub text: Quoted,
    /// The text's length.
    pub characters: u32,
    pub citations: Vec<Citation>,
    pub logprobs: Vec<TokenLogprob>,
    /// No more comes.
    pub done: bool,
}

/// A text as JSON, which grows: each piece is escaped once, however often the whole is written.
#[derive(Debug, Default)]
pub(super) struct Quoted {
    inner: String,
}

impl Quoted {
    /// Adds a piece; gives it as JSON by itself.
    pub fn push(&mut self, text: &str) -> String {
        let json = serde_json::to_string(text).expect("a string can be written as JSON");
        self.inner.push_str(&json[1..json.len() - 1]);
        json
    }

    /// The text itself.
    pub fn plain(&self) -> String {
        serde_json::from_str(&self.to_string()).expect("it was written as JSON")
    }

    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }
}

impl fmt::Display for Quoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.inner)
    }
}

impl Item {
    /// What a block becomes, and nothing of its text; none where the protocol cannot say it. `index` is its place in the
    /// output.
    pub fn new(block: &Block, stamp: &Stamp, index: usize) -> Option<Self> {
        let (prefix, kind) = match block {
            Block::Text | Block::Refusal => ("msg_", ItemKind::Message(Vec::new())),
            Block::Reasoning => (
                OWN_REASONING,
                ItemKind::Reasoning {
                    text: Quoted::default(),
                    seal: None,
                },
            ),
            Block::ToolCall { id, name, kind } => (
                match kind {
                    ToolKind::Custom => "ctc_",
                    ToolKind::Function | ToolKind::LegacyFunction => "fc_",
                },
                ItemKind::Call {
                    call_id: if id.is_empty() {
                        Text::from(format!("{}{index:x}", stamp.id("call_")))
                    } else {
                        id.clone()
                    },
                    name: name.clone(),
                    kind: *kind,
                    arguments: Quoted::default(),
                },
            ),
            Block::Media { media_type, .. } => (
                "ig_",
                ItemKind::Image {
                    data: Quoted::default(),
                    format: Text::from(media_type.strip_prefix("image/")?),
                },
            ),
        };
        Some(Self {
            id: format!("{}{index:x}", stamp.id(prefix)),
            kind,
            open: true,
            incomplete: false,
        })
    }

    /// Reasoning that is nothing but what its id tells.
    pub fn telling(id: String) -> Self {
        let kind = ItemKind::Reasoning {
            text: Quoted::default(),
            seal: None,
        };
        Self {
            id,
            kind,
            open: true,
            incomplete: false,
        }
    }

    /// The id that tells the item's thought with its seal, to a client that may send back nothing else.
    pub fn telling_id(&self, seal: &Seal) -> Option<String> {
        match &self.kind {
            ItemKind::Reasoning { text, .. } if seal.protocol != Protocol::OpenAiResponses => {
                telling_id(seal, &text.plain())
            }
            _ => None,
        }
    }

    /// Takes the seal of its thoughts. One of this protocol belongs to an item of its own id.
    pub fn seal(&mut self, seal: &Seal) {
        if let ItemKind::Reasoning { seal: place, .. } = &mut self.kind {
            *place = Some(seal.clone());
        }
    }

    pub fn write(&self, item: &mut ObjectWriter<'_>) {
        let status = match (self.open, self.incomplete) {
            (true, _) => "in_progress",
            (false, false) => "completed",
            (false, true) => "incomplete",
        };
        item.string("id", &self.id);
        match &self.kind {
            ItemKind::Message(parts) => {
                item.string("type", "message");
                item.string("status", status);
                item.string("role", "assistant");
                item.array("content", |list| {
                    for part in parts {
                        list.object(|object| part.write(object));
                    }
                });
            }
            ItemKind::Reasoning { text, seal } => {
                item.string("type", "reasoning");
                item.array("summary", |list| {
                    if !text.is_empty() {
                        list.object(|piece| {
                            piece.string("type", "summary_text");
                            piece.plain("text", text);
                        });
                    }
                });
                if let Some(seal) = seal {
                    item.string("encrypted_content", &self.sealed(seal));
                }
            }
            ItemKind::Call {
                call_id,
                name,
                kind,
                arguments,
            } => {
                let (kind, member) = match kind {
                    ToolKind::Custom => ("custom_tool_call", "input"),
                    ToolKind::Function | ToolKind::LegacyFunction => ("function_call", "arguments"),
                };
                item.string("type", kind);
                item.string("status", status);
                item.string("call_id", call_id);
                item.string("name", name);
                item.plain(member, arguments);
            }
            ItemKind::Image { data, format } => {
                item.string("type", "image_generation_call");
                item.string("status", status);
                item.string("output_format", format);
                item.plain("result", data);
            }
        }
    }

    /// An upstream reads its seal only in an item of the id that it gave: where this one's is another, the seal goes
    /// with its id inside.
    fn sealed(&self, seal: &Seal) -> Text {
        let elsewhere = !seal.id.is_empty() && seal.id != self.id.as_str();
        if seal.protocol == Protocol::OpenAiResponses && elsewhere {
            Text::from(seal.token())
        } else {
            seal.for_client(Protocol::OpenAiResponses)
        }
    }
}

impl Part {
    pub fn new(refusal: bool) -> Self {
        Self {
            refusal,
            ..Self::default()
        }
    }

    /// Adds a piece; gives it as JSON by itself.
    pub fn push(&mut self, text: &str) -> String {
        let characters = text.chars().count();
        self.characters += u32::try_from(characters).unwrap_or(u32::MAX);
        self.text.push(text)
    }

    pub fn write(&self, part: &mut ObjectWriter<'_>) {
        if self.refusal {
            part.string("type", "refusal");
            part.plain("refusal", &self.text);
            return;
        }
        part.string("type", "output_text");
        part.array("annotations", |list| {
            for citation in &self.citations {
                list.object(|item| write_citation(item, citation, self.characters));
            }
        });
        write_logprobs(part, &self.logprobs);
        part.plain("text", &self.text);
    }
}

/// Writes the items of an output.
pub(super) fn write_items(list: &mut ArrayWriter<'_>, items: &[Item]) {
    for item in items {
        list.object(|object| item.write(object));
    }
}

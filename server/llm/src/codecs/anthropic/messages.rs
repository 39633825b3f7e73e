//! The conversation: turns that alternate, each a list of blocks.

use super::media::{self, Source};
use super::models::Model;
use crate::chat::{
    CachePoint, Losses, MediaKind, Message, Part, PartContent, Prompt, Protocol, Role, ToolKind,
};
use crate::json::{ArrayWriter, Json, ObjectWriter, object};
use crate::text::Text;
use crate::wire::anthropic::{FREE_TEXT, allowed_word, empty_object, input_object};

/// What is said, and by whom.
#[derive(Debug, Default)]
pub(super) struct Conversation {
    pub system: Vec<Block>,
    pub turns: Vec<Turn>,
}

#[derive(Debug)]
pub(super) struct Turn {
    /// [`Role::User`], whose turns hold the results of tools, too, [`Role::Assistant`], or [`Role::System`].
    pub role: Role,
    pub blocks: Vec<Block>,
}

#[derive(Debug)]
pub(super) struct Block {
    pub said: Said,
    pub cache: Option<CachePoint>,
}

#[derive(Debug)]
pub(super) enum Said {
    Text(Text),
    Image(Source),
    Document {
        source: Source,
        title: Option<Text>,
    },
    Thinking {
        text: Text,
        signature: Text,
    },
    Redacted(Text),
    Call {
        id: Text,
        name: Text,
        input: Json,
    },
    Result {
        id: Text,
        blocks: Vec<Block>,
        is_error: bool,
    },
}

/// Reads a prompt's messages.
pub(super) fn conversation(prompt: &Prompt, model: Model, losses: &mut Losses) -> Conversation {
    let mut reader = Reader {
        losses,
        model,
        ids: Ids::default(),
        found: Conversation::default(),
    };
    for (at, message) in prompt.messages.iter().enumerate() {
        reader.message(message, &prompt.messages[at + 1..]);
    }
    let mut found = reader.found;
    // The API takes no white space at the end of what the model is to go on with.
    if let Some(last) = found
        .turns
        .last_mut()
        .filter(|turn| turn.role == Role::Assistant)
        && let Some(Said::Text(text)) = last.blocks.last_mut().map(|block| &mut block.said)
    {
        let end = text.trim_end().len();
        if end < text.len() {
            *text = Text::from(&text[..end]);
        }
    }
    found
}

struct Reader<'l> {
    losses: &'l mut Losses,
    model: Model,
    ids: Ids,
    found: Conversation,
}

impl Reader<'_> {
    fn message(&mut self, message: &Message, following: &[Message]) {
        if message.name.is_some() {
            self.losses.drop("messages.name");
        }
        let mut blocks = Vec::with_capacity(message.parts.len());
        for part in &message.parts {
            self.part(message.role, part, &mut blocks);
        }
        match message.role {
            _ if blocks.is_empty() => {}
            Role::System if self.found.turns.is_empty() => self.found.system.extend(blocks),
            Role::System if self.may_speak_here(following) => self.turn(Role::System, blocks),
            Role::System => {
                self.losses.emulate("messages.role");
                self.found.system.extend(blocks);
            }
            Role::User | Role::Tool => self.turn(Role::User, blocks),
            Role::Assistant => self.turn(Role::Assistant, blocks),
        }
    }

    /// The system speaks between a user's turn and the assistant's only.
    fn may_speak_here(&self, following: &[Message]) -> bool {
        let before = self.found.turns.last().map(|turn| turn.role);
        let mut after = following.iter().map(|message| message.role);
        self.model.system_between_turns()
            && matches!(before, Some(Role::User | Role::System))
            && matches!(
                after.find(|role| *role != Role::System),
                None | Some(Role::Assistant)
            )
    }

    /// Adds to the last turn if it is of the same role. Results of tools stand before what else a user says.
    fn turn(&mut self, role: Role, blocks: Vec<Block>) {
        match self.found.turns.last_mut() {
            Some(last) if last.role == role => last.blocks.extend(blocks),
            _ => self.found.turns.push(Turn { role, blocks }),
        }
        if let Some(last) = self.found.turns.last_mut().filter(|_| role == Role::User) {
            last.blocks
                .sort_by_key(|block| !matches!(block.said, Said::Result { .. }));
        }
    }

    fn part(&mut self, role: Role, part: &Part, blocks: &mut Vec<Block>) {
        let said = self.said(role, &part.content);
        match said {
            Some(said) => {
                let markable = !matches!(said, Said::Thinking { .. } | Said::Redacted(_));
                blocks.push(Block {
                    said,
                    cache: part.cache.clone().filter(|_| markable),
                });
                if !markable {
                    self.mark_before(part, blocks);
                }
            }
            None => self.mark_before(part, blocks),
        }
    }

    /// What cannot be marked itself hands its mark to the block before.
    fn mark_before(&mut self, part: &Part, blocks: &mut [Block]) {
        let Some(point) = &part.cache else { return };
        let markable =
            |block: &&mut Block| !matches!(block.said, Said::Thinking { .. } | Said::Redacted(_));
        match blocks.iter_mut().rev().find(markable) {
            Some(block) => {
                block.cache.get_or_insert(point.clone());
            }
            None => self.losses.drop("cache_control"),
        }
    }

    fn said(&mut self, role: Role, content: &PartContent) -> Option<Said> {
        match content {
            PartContent::Text { text, citations } => {
                if !citations.is_empty() {
                    self.losses.drop("citations");
                }
                // The API refuses blocks without any visible text.
                (!text.trim().is_empty()).then(|| Said::Text(text.clone()))
            }
            PartContent::Refusal(text) => {
                (!text.trim().is_empty()).then(|| Said::Text(text.clone()))
            }
            PartContent::Media(media) => match (role, media::source(media)) {
                (Role::User | Role::Tool, Ok(source)) => Some(match media.kind {
                    MediaKind::Image => {
                        self.losses.drop_labels(media);
                        Said::Image(source)
                    }
                    _ => Said::Document {
                        source,
                        title: media.name.clone(),
                    },
                }),
                (_, Err(what)) => {
                    self.losses.drop(what);
                    None
                }
                (_, Ok(_)) => {
                    self.losses.drop(media.kind.as_str());
                    None
                }
            },
            PartContent::Reasoning { text, seal } => {
                let own = seal
                    .as_ref()
                    .filter(|seal| seal.protocol == Protocol::Anthropic && !seal.data.is_empty());
                match own {
                    Some(seal) if role != Role::Assistant => {
                        debug_assert!(!seal.data.is_empty());
                        None
                    }
                    Some(seal) if seal.encrypted => Some(Said::Redacted(seal.data.clone())),
                    Some(seal) => Some(Said::Thinking {
                        text: text.clone(),
                        signature: seal.data.clone(),
                    }),
                    None => {
                        if !text.is_empty() {
                            self.losses.drop("reasoning");
                        }
                        None
                    }
                }
            }
            PartContent::ToolCall {
                id,
                name,
                arguments,
                kind,
            } => Some(Said::Call {
                id: self.ids.call(id, name),
                name: allowed_word(name),
                input: self.input(arguments, *kind),
            }),
            PartContent::ToolResult {
                id,
                name,
                parts,
                is_error,
            } => {
                let mut blocks = Vec::with_capacity(parts.len());
                for part in parts {
                    self.part(Role::Tool, part, &mut blocks);
                }
                Some(Said::Result {
                    id: self.ids.result(id, name.as_ref()),
                    blocks,
                    is_error: *is_error,
                })
            }
            PartContent::Other { what } => {
                self.losses.drop(what.to_string());
                None
            }
        }
    }

    fn input(&mut self, arguments: &Text, kind: ToolKind) -> Json {
        if kind == ToolKind::Custom {
            let wrapped = object(|input| input.string(FREE_TEXT, arguments));
            return Json::of_valid(Text::from_utf8(wrapped).unwrap_or_default());
        }
        input_object(arguments).unwrap_or_else(|| {
            if !arguments.trim().is_empty() {
                self.losses.drop("messages.tool_calls.arguments");
            }
            empty_object()
        })
    }
}

/// Ids of calls: as the API takes them, and none is missing.
#[derive(Debug, Default)]
struct Ids {
    calls: u32,
    /// The calls that have no result yet, by id and name.
    waiting: Vec<(Text, Text)>,
}

impl Ids {
    fn call(&mut self, id: &Text, name: &Text) -> Text {
        self.calls += 1;
        let id = if id.is_empty() {
            Text::from(format!("toolu_{}", self.calls))
        } else {
            allowed_word(id)
        };
        self.waiting.push((id.clone(), name.clone()));
        id
    }

    /// A result without an id is the next call's, of the same name where it has one.
    fn result(&mut self, id: &Text, name: Option<&Text>) -> Text {
        let id = allowed_word(id);
        let place = if id.is_empty() {
            let same_name = |(_, called): &(Text, Text)| name.is_none_or(|name| called == name);
            self.waiting.iter().position(same_name)
        } else {
            self.waiting.iter().position(|(waiting, _)| *waiting == id)
        };
        match place {
            Some(place) => self.waiting.remove(place).0,
            None => id,
        }
    }
}

impl Turn {
    pub(super) fn write(&self, out: &mut ObjectWriter<'_>) {
        out.string(
            "role",
            match self.role {
                Role::User | Role::Tool => "user",
                Role::Assistant => "assistant",
                Role::System => "system",
            },
        );
        match self.blocks.as_slice() {
            [
                Block {
                    said: Said::Text(text),
                    cache: None,
                },
            ] => out.string("content", text),
            blocks => out.array("content", |list| write_blocks(blocks, list)),
        }
    }
}

pub(super) fn write_blocks(blocks: &[Block], list: &mut ArrayWriter<'_>) {
    for block in blocks {
        list.object(|out| block.write(out));
    }
}

impl Block {
    pub(super) fn text(text: impl Into<Text>) -> Self {
        Self {
            said: Said::Text(text.into()),
            cache: None,
        }
    }

    fn write(&self, out: &mut ObjectWriter<'_>) {
        match &self.said {
            Said::Text(text) => {
                out.string("type", "text");
                out.string("text", text);
            }
            Said::Image(source) => {
                out.string("type", "image");
                media::write(source, out);
            }
            Said::Document { source, title } => {
                out.string("type", "document");
                media::write(source, out);
                if let Some(title) = title {
                    out.string("title", title);
                }
            }
            Said::Thinking { text, signature } => {
                out.string("type", "thinking");
                out.string("thinking", text);
                out.string("signature", signature);
            }
            Said::Redacted(data) => {
                out.string("type", "redacted_thinking");
                out.string("data", data);
            }
            Said::Call { id, name, input } => {
                out.string("type", "tool_use");
                out.string("id", id);
                out.string("name", name);
                out.json("input", input);
            }
            Said::Result {
                id,
                blocks,
                is_error,
            } => {
                out.string("type", "tool_result");
                out.string("tool_use_id", id);
                match blocks.as_slice() {
                    [] => {}
                    [
                        Block {
                            said: Said::Text(text),
                            cache: None,
                        },
                    ] => out.string("content", text),
                    blocks => out.array("content", |list| write_blocks(blocks, list)),
                }
                if *is_error {
                    out.plain("is_error", true);
                }
            }
        }
        if let Some(point) = &self.cache {
            super::cache::write(point, out);
        }
    }
}

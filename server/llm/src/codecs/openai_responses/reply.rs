//! A reply's items, whole or as they grow.

use crate::chat::{
    Block, Citation, FinishReason, MediaKind, Protocol, Seal, StreamEvent, TokenLogprob, ToolKind,
};
use crate::json::Node;
use crate::text::Text;
use crate::wire::openai_responses::{read_citation, read_logprobs};

/// What was said so far.
#[derive(Debug, Default)]
pub(super) struct Reply {
    started: bool,
    blocks: u32,
    items: Vec<Item>,
    /// A tool was called.
    pub called: bool,
}

/// An item of the output.
#[derive(Debug, Default)]
struct Item {
    /// Its place in the output, where the upstream says.
    index: Option<u64>,
    id: Text,
    /// Of a call, an image or thoughts.
    block: Option<u32>,
    /// Whether any of its text was told.
    told: bool,
    /// Which of the thoughts' two forms is told, and which piece of it.
    thought: Option<(Thought, u64)>,
    sealed: bool,
    parts: Vec<Part>,
}

/// Thoughts come as they are, or summed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Thought {
    Content,
    Summary,
}

/// A part of a message.
#[derive(Debug, Default)]
struct Part {
    index: u64,
    block: Option<u32>,
    told: bool,
    logprobs: usize,
    annotations: usize,
}

/// Where an event's piece belongs.
#[derive(Clone, Debug, Default)]
pub(super) struct At {
    pub output: Option<u64>,
    pub item: Text,
    /// `content_index` or `summary_index`.
    pub piece: u64,
}

impl Reply {
    /// The reply began, if it had not: `response` is the Response object.
    pub fn begin(&mut self, response: &Node<'_>, out: &mut Vec<StreamEvent>) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        let text = |key: &str| response.get(key).and_then(|value| value.text().ok());
        let created = response.get("created_at");
        out.push(StreamEvent::Started {
            id: text("id").unwrap_or_default(),
            model: text("model").unwrap_or_default(),
            created: created.and_then(|created| created.i64().ok()),
        });
    }

    pub fn has_begun(&self) -> bool {
        self.started
    }

    /// Nothing was said yet.
    pub fn is_empty(&self) -> bool {
        self.blocks == 0
    }

    /// An item of which nothing is to come, however much of it came already.
    pub fn whole_item(&mut self, at: &At, item: &Node<'_>, out: &mut Vec<StreamEvent>) {
        self.item_began(at, item, out);
        let known = known_members(&kind(item));
        if known.is_some_and(|known| item.has_beside(known)) {
            out.push(StreamEvent::Untold);
        }
        let place = self.place(at);
        match &*kind(item) {
            "message" => {
                let content = item.get("content").and_then(|content| content.array().ok());
                for (piece, part) in (0..).zip(content.unwrap_or_default()) {
                    let at = At {
                        piece,
                        ..at.clone()
                    };
                    self.whole_part(&at, part, out);
                }
            }
            "reasoning" => {
                if !self.items[place].told {
                    self.thoughts(at, item, out);
                }
                if is_thought_twice(item) {
                    out.push(StreamEvent::Untold);
                }
                self.seal(place, item, out);
            }
            "function_call" | "custom_tool_call" => {
                let member = match &*kind(item) {
                    "function_call" => "arguments",
                    _ => "input",
                };
                if let Some(text) = item.get(member).and_then(|text| text.text().ok()) {
                    self.arguments(at, text, true, out);
                }
            }
            "image_generation_call" => {
                let data = item.get("result").and_then(|data| data.text().ok());
                if let Some(data) = data.filter(|data| !data.is_empty())
                    && self.items[place].block.is_none()
                {
                    let format = item.get("output_format").and_then(|f| f.str().ok());
                    let media_type = format!("image/{}", format.as_deref().unwrap_or("png"));
                    let block = self.start(
                        Block::Media {
                            kind: MediaKind::Image,
                            media_type: Text::from(media_type),
                        },
                        out,
                    );
                    self.items[place].block = Some(block);
                    out.push(delta(block, data));
                }
            }
            // What a tool of the provider's own did.
            _ => out.push(StreamEvent::Untold),
        }
    }

    /// An item began: of a call, all but its arguments is known.
    pub fn item_began(&mut self, at: &At, item: &Node<'_>, out: &mut Vec<StreamEvent>) {
        let place = self.place(at);
        let tool = match &*kind(item) {
            "function_call" => ToolKind::Function,
            "custom_tool_call" => ToolKind::Custom,
            _ => return,
        };
        if self.items[place].block.is_some() {
            return;
        }
        let text = |key: &str| item.get(key).and_then(|value| value.text().ok());
        self.called = true;
        let block = Block::ToolCall {
            id: text("call_id").or_else(|| text("id")).unwrap_or_default(),
            name: text("name").unwrap_or_default(),
            kind: tool,
        };
        self.items[place].block = Some(self.start(block, out));
    }

    /// A part of a message of which nothing is to come.
    pub fn whole_part(&mut self, at: &At, part: &Node<'_>, out: &mut Vec<StreamEvent>) {
        let (member, block) = match &*kind(part) {
            "output_text" => ("text", Block::Text),
            "refusal" => ("refusal", Block::Refusal),
            // A piece of thoughts, which come again with the item.
            "reasoning_text" | "summary_text" => return,
            _ => return out.push(StreamEvent::Untold),
        };
        if part.has_beside(&["type", member, "annotations", "logprobs"]) {
            out.push(StreamEvent::Untold);
        }
        if let Some(text) = part.get(member).and_then(|text| text.text().ok()) {
            self.say(at, block, text, true, out);
        }
        self.rest_of_logprobs(at, part.get("logprobs"), out);
        let annotations = part.get("annotations").and_then(|list| list.array().ok());
        let told = self.part(at).annotations;
        for annotation in annotations.unwrap_or_default().iter().skip(told) {
            self.cite(at, annotation, out);
        }
    }

    /// More of a message; `whole`: all of it, unless pieces came before.
    pub fn say(
        &mut self,
        at: &At,
        block: Block,
        text: Text,
        whole: bool,
        out: &mut Vec<StreamEvent>,
    ) {
        if text.is_empty() || whole && self.part(at).told {
            return;
        }
        let index = self.part_block(at, block, out);
        self.part(at).told = true;
        out.push(delta(index, text));
    }

    pub fn logprobs(&mut self, at: &At, tokens: Vec<TokenLogprob>, out: &mut Vec<StreamEvent>) {
        if !tokens.is_empty() {
            self.part(at).logprobs += tokens.len();
            out.push(StreamEvent::Logprobs { choice: 0, tokens });
        }
    }

    /// Those that did not come with the text.
    pub fn rest_of_logprobs(
        &mut self,
        at: &At,
        tokens: Option<&Node<'_>>,
        out: &mut Vec<StreamEvent>,
    ) {
        let told = self.part(at).logprobs;
        let items = tokens.and_then(|tokens| tokens.array().ok());
        if items.is_some_and(|items| items.len() > told) {
            let tokens = read_logprobs(tokens).into_iter().skip(told).collect();
            self.logprobs(at, tokens, out);
        }
    }

    /// A source of a message's text.
    pub fn cite(&mut self, at: &At, annotation: &Node<'_>, out: &mut Vec<StreamEvent>) {
        self.part(at).annotations += 1;
        if kind(annotation) != "url_citation" {
            out.push(StreamEvent::Untold);
        }
        let Some(citation) = read_citation(annotation) else {
            return;
        };
        let index = self.part_block(at, Block::Text, out);
        out.push(cited(index, citation));
    }

    /// More of a call's arguments; `whole`: all of them, unless pieces came before.
    pub fn arguments(&mut self, at: &At, text: Text, whole: bool, out: &mut Vec<StreamEvent>) {
        let place = self.place(at);
        let item = &mut self.items[place];
        // Before the item began nobody knows whose they are: they come again at its end.
        let Some(block) = item.block else {
            return;
        };
        if text.is_empty() || whole && item.told {
            return;
        }
        item.told = true;
        out.push(delta(block, text));
    }

    /// More of what the model thinks, in one of its forms: the other one, should it come too, is passed over.
    pub fn think(
        &mut self,
        at: &At,
        form: Thought,
        text: Text,
        whole: bool,
        out: &mut Vec<StreamEvent>,
    ) {
        let place = self.place(at);
        let told = self.items[place].thought;
        let repeats = whole && told == Some((form, at.piece));
        if text.is_empty() || repeats || told.is_some_and(|(told, _)| told != form) {
            return;
        }
        let block = self.thought_block(place, out);
        if told.is_some_and(|(_, piece)| piece != at.piece) {
            out.push(delta(block, Text::from_static("\n\n")));
        }
        let item = &mut self.items[place];
        item.thought = Some((form, at.piece));
        item.told = true;
        out.push(delta(block, text));
    }

    fn thoughts(&mut self, at: &At, item: &Node<'_>, out: &mut Vec<StreamEvent>) {
        for (member, form) in [("content", Thought::Content), ("summary", Thought::Summary)] {
            let pieces = item.get(member).and_then(|pieces| pieces.array().ok());
            for (piece, node) in (0..).zip(pieces.unwrap_or_default()) {
                if let Some(text) = node.get("text").and_then(|text| text.text().ok()) {
                    let at = At {
                        piece,
                        ..at.clone()
                    };
                    self.think(&at, form, text, true, out);
                }
            }
        }
    }

    fn seal(&mut self, place: usize, item: &Node<'_>, out: &mut Vec<StreamEvent>) {
        let text = |key: &str| item.get(key).and_then(|value| value.text().ok());
        let data = text("encrypted_content").filter(|data| !data.is_empty());
        let Some(data) = data.filter(|_| !self.items[place].sealed) else {
            return;
        };
        self.items[place].sealed = true;
        let index = self.thought_block(place, out);
        let own = Seal::from_token(&data).filter(|s| s.protocol == Protocol::OpenAiResponses);
        let seal = own.unwrap_or_else(|| Seal {
            protocol: Protocol::OpenAiResponses,
            data,
            encrypted: true,
            id: text("id").unwrap_or_default(),
        });
        out.push(StreamEvent::Sealed {
            choice: 0,
            index,
            seal,
        });
    }

    fn thought_block(&mut self, place: usize, out: &mut Vec<StreamEvent>) -> u32 {
        match self.items[place].block {
            Some(block) => block,
            None => {
                let block = self.start(Block::Reasoning, out);
                self.items[place].block = Some(block);
                block
            }
        }
    }

    fn part_block(&mut self, at: &At, block: Block, out: &mut Vec<StreamEvent>) -> u32 {
        match self.part(at).block {
            Some(block) => block,
            None => {
                let block = self.start(block, out);
                self.part(at).block = Some(block);
                block
            }
        }
    }

    fn start(&mut self, block: Block, out: &mut Vec<StreamEvent>) -> u32 {
        let index = self.blocks;
        self.blocks += 1;
        out.push(StreamEvent::BlockStarted {
            choice: 0,
            index,
            block,
        });
        index
    }

    /// The item that an event means: by its place, or else by its id, or else the last one. The latest are looked at
    /// first.
    fn place(&mut self, at: &At) -> usize {
        let known = match (at.output, at.item.is_empty()) {
            (Some(index), _) => self.items.iter().rposition(|i| i.index == Some(index)),
            (None, false) => self.items.iter().rposition(|i| i.id == at.item),
            (None, true) => self.items.len().checked_sub(1),
        };
        known.unwrap_or_else(|| {
            self.items.push(Item {
                index: at.output,
                id: at.item.clone(),
                ..Item::default()
            });
            self.items.len() - 1
        })
    }

    fn part(&mut self, at: &At) -> &mut Part {
        let place = self.place(at);
        let parts = &mut self.items[place].parts;
        let known = parts.iter().rposition(|part| part.index == at.piece);
        let place = known.unwrap_or_else(|| {
            parts.push(Part {
                index: at.piece,
                ..Part::default()
            });
            parts.len() - 1
        });
        &mut parts[place]
    }
}

/// Why a response ended; none where it has not.
pub(super) fn finish_reason(response: &Node<'_>, called: bool) -> Option<FinishReason> {
    let status = response.get("status").and_then(|status| status.str().ok());
    Some(match status.as_deref() {
        Some("in_progress" | "queued") => return None,
        Some("incomplete") => {
            let details = response.get("incomplete_details");
            let reason = details.and_then(|details| details.get("reason"));
            let reason = reason.and_then(|reason| reason.text().ok());
            match reason.as_deref() {
                Some("max_output_tokens") => FinishReason::Length,
                Some("content_filter") => FinishReason::ContentFilter,
                _ => FinishReason::Other(reason.unwrap_or(Text::from_static("incomplete"))),
            }
        }
        _ if called => FinishReason::ToolCalls,
        _ => FinishReason::Stop,
    })
}

/// What of an item is told; none of one that is not.
fn known_members(kind: &str) -> Option<&'static [&'static str]> {
    match kind {
        "message" => Some(&["type", "id", "status", "role", "content"]),
        "reasoning" => Some(&[
            "type",
            "id",
            "status",
            "summary",
            "content",
            "encrypted_content",
        ]),
        "function_call" => Some(&["type", "id", "status", "call_id", "name", "arguments"]),
        "custom_tool_call" => Some(&["type", "id", "status", "call_id", "name", "input"]),
        "image_generation_call" => Some(&["type", "id", "status", "result", "output_format"]),
        _ => None,
    }
}

/// Whether thoughts come in both forms, of which one is told, or in more than texts.
fn is_thought_twice(item: &Node<'_>) -> bool {
    let pieces = |member: &str| {
        let pieces = item.get(member).and_then(|pieces| pieces.array().ok());
        pieces.unwrap_or_default()
    };
    let (content, summary) = (pieces("content"), pieces("summary"));
    let mut all = content.iter().chain(summary);
    !content.is_empty() && !summary.is_empty()
        || all.any(|piece| piece.has_beside(&["type", "text"]))
}

fn kind<'a>(node: &Node<'a>) -> std::borrow::Cow<'a, str> {
    let kind = node.get("type").and_then(|kind| kind.str().ok());
    kind.unwrap_or_default()
}

fn delta(index: u32, text: Text) -> StreamEvent {
    StreamEvent::BlockDelta {
        choice: 0,
        index,
        text,
    }
}

fn cited(index: u32, citation: Citation) -> StreamEvent {
    StreamEvent::Cited {
        choice: 0,
        index,
        citation,
    }
}

//! A reply's content, whole or in pieces, as blocks.

use super::errors::bad_reply;
use crate::chat::{Block, ChatRequest, Protocol, Seal, StreamEvent, Tool, ToolKind};
use crate::codec::ReplyForm;
use crate::error::ApiError;
use crate::json::{Json, Node, ShapeError};
use crate::text::Text;
use crate::wire::anthropic::{FREE_TEXT, allowed_word, read_citation};

/// What is known of the blocks so far.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    /// How many were told of.
    count: u32,
    /// Those that did not end yet, by the upstream's number.
    open: Vec<(u64, Open)>,
    /// What calls of this tool say is the answer's text.
    answer_tool: Option<&'static str>,
    /// Tools that take free text, which came wrapped in an object.
    free_text: Vec<Text>,
    /// Names that the API does not take: as they were sent, and as the client has them.
    renamed: Vec<(Text, Text)>,
    /// Whether there was a call that is one to the client, too.
    pub called: bool,
}

#[derive(Debug)]
enum Open {
    Text {
        index: Option<u32>,
    },
    Thinking {
        index: Option<u32>,
        signature: Option<Text>,
    },
    /// Arguments, passed on as they come.
    Call {
        index: u32,
        said: bool,
        /// What the block's beginning held.
        input: Text,
    },
    /// The answer, as a call.
    Answer {
        index: Option<u32>,
        input: Text,
    },
    /// Gathered: what is inside can only be read when all is there.
    FreeText {
        index: u32,
        input: Text,
        gathered: String,
    },
    /// Nothing that the canonical model knows: a search that the provider makes, and what it found.
    Passed,
}

impl Blocks {
    pub(super) fn new(request: &ChatRequest, form: &ReplyForm) -> Self {
        let prompt = if form.carried {
            None
        } else {
            request.prompt().ok()
        };
        let tools = prompt.map_or(&[][..], |prompt| &prompt.tools);
        let custom = |tool: &Tool| match tool {
            Tool::Custom { name, .. } => Some(name.clone()),
            _ => None,
        };
        let renamed = |tool: &Tool| match tool {
            Tool::Function { name, .. } | Tool::Custom { name, .. } => {
                let sent = allowed_word(name);
                (sent != *name).then(|| (sent, name.clone()))
            }
            Tool::Hosted { .. } => None,
        };
        Self {
            answer_tool: form.answer_tool,
            free_text: tools.iter().filter_map(custom).collect(),
            renamed: tools.iter().filter_map(renamed).collect(),
            ..Self::default()
        }
    }

    /// Whether structured output came by a tool.
    pub(super) fn answers_by_tool(&self) -> bool {
        self.answer_tool.is_some()
    }

    /// A block began; where it is all there is, it holds everything.
    pub(super) fn start(
        &mut self,
        at: u64,
        block: &Node<'_>,
        out: &mut Vec<StreamEvent>,
    ) -> Result<(), ShapeError> {
        let kind = block.object()?.require("type")?.str()?;
        let known = known_members(&kind);
        if known.is_some_and(|known| block.has_beside(known)) && !is_called_directly(block) {
            out.push(StreamEvent::Untold);
        }
        let mut open = match &*kind {
            "text" => {
                let mut index = None;
                if let Some(text) = block.get("text") {
                    self.say(&mut index, Block::Text, text.text()?, out);
                }
                if let Some(citations) = block.get("citations") {
                    for citation in citations.array()? {
                        self.cite(&mut index, citation, out);
                    }
                }
                Open::Text { index }
            }
            "thinking" => {
                let mut index = None;
                if let Some(text) = block.get("thinking") {
                    self.say(&mut index, Block::Reasoning, text.text()?, out);
                }
                let signature = block.get("signature").map(Node::text).transpose()?;
                Open::Thinking { index, signature }
            }
            "redacted_thinking" => {
                let index = self.begin(Block::Reasoning, out);
                out.push(StreamEvent::Sealed {
                    choice: 0,
                    index,
                    seal: seal(block.require("data")?.text()?, true),
                });
                Open::Passed
            }
            "tool_use" => self.call(block, out)?,
            _ => {
                out.push(StreamEvent::Untold);
                Open::Passed
            }
        };
        // A number that comes again without an end in between begins anew.
        if let Some(place) = self.open.iter().position(|(number, _)| *number == at) {
            std::mem::swap(&mut self.open[place].1, &mut open);
            self.end(open, out);
        } else {
            self.open.push((at, open));
        }
        Ok(())
    }

    fn call(&mut self, block: &Node<'_>, out: &mut Vec<StreamEvent>) -> Result<Open, ShapeError> {
        let (id, name) = (block.require("id")?.text()?, block.require("name")?.text()?);
        let input = match block.get("input") {
            Some(input) => input.json().compact().as_text().clone(),
            None => Text::from_static("{}"),
        };
        if self.answer_tool.is_some_and(|tool| name == tool) {
            return Ok(Open::Answer { index: None, input });
        }
        let client = self.renamed.iter().find(|(sent, _)| *sent == name);
        let name = client.map_or(name, |(_, client)| client.clone());
        self.called = true;
        let free_text = self.free_text.contains(&name);
        let kind = if free_text {
            ToolKind::Custom
        } else {
            ToolKind::Function
        };
        let index = self.begin(Block::ToolCall { id, name, kind }, out);
        Ok(if free_text {
            Open::FreeText {
                index,
                input,
                gathered: String::new(),
            }
        } else {
            Open::Call {
                index,
                said: false,
                input,
            }
        })
    }

    /// More of a block.
    pub(super) fn delta(
        &mut self,
        at: u64,
        delta: &Node<'_>,
        out: &mut Vec<StreamEvent>,
    ) -> Result<(), ApiError> {
        let bad = |error: ShapeError| error.bad_reply();
        let Some(place) = self.open.iter().position(|(number, _)| *number == at) else {
            return Err(bad_reply(
                "the upstream sent a piece of a block that it had not begun",
            ));
        };
        let kind = delta.object().map_err(bad)?.require("type").map_err(bad)?;
        let text = |key: &str| delta.require(key).and_then(Node::text).map_err(bad);
        // Taken out, so that the count can be changed beside it.
        let mut open = std::mem::replace(&mut self.open[place].1, Open::Passed);
        match (&mut open, &*kind.str().map_err(bad)?) {
            (Open::Text { index }, "text_delta") => {
                self.say(index, Block::Text, text("text")?, out);
            }
            (Open::Text { index }, "citations_delta") => {
                let citation = delta.require("citation").map_err(bad)?;
                self.cite(index, citation, out);
            }
            (Open::Thinking { index, .. }, "thinking_delta") => {
                self.say(index, Block::Reasoning, text("thinking")?, out);
            }
            (Open::Thinking { signature, .. }, "signature_delta") => {
                *signature = Some(text("signature")?);
            }
            (Open::Call { index, said, .. }, "input_json_delta") => {
                let piece = text("partial_json")?;
                if !piece.is_empty() {
                    *said = true;
                    out.push(delta_event(*index, piece));
                }
            }
            (Open::Answer { index, .. }, "input_json_delta") => {
                self.say(index, Block::Text, text("partial_json")?, out);
            }
            (Open::FreeText { gathered, .. }, "input_json_delta") => {
                gathered.push_str(&text("partial_json")?);
            }
            (Open::Passed, _) => {}
            _ => out.push(StreamEvent::Untold),
        }
        self.open[place].1 = open;
        Ok(())
    }

    /// A block ended.
    pub(super) fn stop(&mut self, at: u64, out: &mut Vec<StreamEvent>) {
        if let Some(place) = self.open.iter().position(|(number, _)| *number == at) {
            let (_, open) = self.open.remove(place);
            self.end(open, out);
        }
    }

    /// Why the model declined, which is told beside the blocks.
    pub(super) fn refuse(&mut self, explanation: Text, out: &mut Vec<StreamEvent>) {
        self.say(&mut None, Block::Refusal, explanation, out);
    }

    /// All of them ended.
    pub(super) fn stop_all(&mut self, out: &mut Vec<StreamEvent>) {
        for (_, open) in std::mem::take(&mut self.open) {
            self.end(open, out);
        }
    }

    fn end(&mut self, open: Open, out: &mut Vec<StreamEvent>) {
        match open {
            Open::Thinking { index, signature } => {
                if let Some(signature) = signature.filter(|signature| !signature.is_empty()) {
                    let index = index.unwrap_or_else(|| self.begin(Block::Reasoning, out));
                    out.push(StreamEvent::Sealed {
                        choice: 0,
                        index,
                        seal: seal(signature, false),
                    });
                }
            }
            // A call without arguments comes without a piece of them.
            Open::Call {
                index,
                said: false,
                input,
            } => out.push(delta_event(index, input)),
            Open::Answer { index: None, input } => {
                self.say(&mut None, Block::Text, input, out);
            }
            Open::FreeText {
                index,
                input,
                gathered,
            } => {
                let input = if gathered.is_empty() {
                    input
                } else {
                    Text::from(gathered)
                };
                let text = unwrapped(&input);
                if !text.is_empty() {
                    out.push(delta_event(index, text));
                }
            }
            _ => {}
        }
    }

    fn begin(&mut self, block: Block, out: &mut Vec<StreamEvent>) -> u32 {
        let index = self.count;
        self.count += 1;
        out.push(StreamEvent::BlockStarted {
            choice: 0,
            index,
            block,
        });
        index
    }

    /// A block begins with the first that it says.
    fn say(
        &mut self,
        index: &mut Option<u32>,
        block: Block,
        text: Text,
        out: &mut Vec<StreamEvent>,
    ) {
        if !text.is_empty() {
            let index = *index.get_or_insert_with(|| self.begin(block, out));
            out.push(delta_event(index, text));
        }
    }

    fn cite(&mut self, index: &mut Option<u32>, citation: &Node<'_>, out: &mut Vec<StreamEvent>) {
        let index = *index.get_or_insert_with(|| self.begin(Block::Text, out));
        out.push(StreamEvent::Cited {
            choice: 0,
            index,
            citation: read_citation(citation),
        });
        // Where in its source it stands.
        out.push(StreamEvent::Untold);
    }
}

/// What of a block is told; none of one that is not.
fn known_members(kind: &str) -> Option<&'static [&'static str]> {
    match kind {
        "text" => Some(&["type", "text", "citations"]),
        "thinking" => Some(&["type", "thinking", "signature"]),
        "redacted_thinking" => Some(&["type", "data"]),
        "tool_use" => Some(&["type", "id", "name", "input"]),
        _ => None,
    }
}

/// Whether all that a block says beside its [known members](known_members) is that the model itself calls.
fn is_called_directly(block: &Node<'_>) -> bool {
    let caller = block.get("caller");
    let kind = caller.and_then(|caller| caller.get("type")?.str().ok());
    kind.as_deref() == Some("direct")
        && !block.has_beside(&["type", "id", "name", "input", "caller"])
}

fn delta_event(index: u32, text: Text) -> StreamEvent {
    StreamEvent::BlockDelta {
        choice: 0,
        index,
        text,
    }
}

fn seal(data: Text, encrypted: bool) -> Seal {
    Seal {
        protocol: Protocol::Anthropic,
        data,
        encrypted,
        id: Text::default(),
    }
}

/// The text that was wrapped; what is wrapped otherwise stays as it is.
fn unwrapped(input: &Text) -> Text {
    let inner = Json::parse(input.clone()).ok().and_then(|_| {
        let root = Node::parse(input.as_bytes()).ok()?;
        root.get(FREE_TEXT)?.text().ok()
    });
    inner.unwrap_or_else(|| input.clone())
}

//! What one candidate says: <https://ai.google.dev/api/generate-content#candidate>

use bytes::Bytes;

use super::citations::{Cited, read_citations};
use super::logprobs::read_logprobs;
use super::reply::Fault;
use crate::chat::{Block, MediaSource, Protocol, Seal, Stamp, StreamEvent, ToolKind};
use crate::json::{JsonError, Kind, Node, Scanner, ShapeError};
use crate::text::Text;
use crate::wire::gemini::{Call, Part, PartData, media_kind, read_part, standard_base64};

/// What was said so far of one candidate.
#[derive(Debug, Default)]
pub(super) struct Candidate {
    pub index: u32,
    pub calls: bool,
    /// Why it ended. Some models say so with every chunk: the last one counts.
    pub reason: Option<Text>,
    blocks: u32,
    /// The last block, while more of it may come.
    open: Option<Open>,
    cited: Cited,
}

impl Candidate {
    pub fn new(index: u32) -> Self {
        Self {
            index,
            ..Self::default()
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Text,
    Thought,
}

/// Reads what one candidate says in one chunk.
pub(super) struct Reader<'r> {
    pub body: &'r Bytes,
    pub stamp: Stamp,
    pub calls: &'r mut u32,
    pub candidate: &'r mut Candidate,
    pub out: &'r mut Vec<StreamEvent>,
}

impl Reader<'_> {
    pub fn content(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Fault> {
        self.candidate.cited.parts.clear();
        let mut members = scanner.enter_object()?;
        while let Some(key) = scanner.next_member(&mut members)? {
            match (key.plain(), scanner.peek()?) {
                (Some("parts"), Kind::Array) => {
                    let mut items = scanner.enter_array()?;
                    while scanner.next_item(&mut items)? {
                        self.part(scanner)?;
                    }
                }
                (Some("parts"), Kind::Object) => self.part(scanner)?,
                _ => {
                    scanner.skip_value()?;
                }
            }
        }
        Ok(())
    }

    /// What stands beside the content, which has been read.
    pub fn beside(&mut self, candidate: &Node<'_>) -> Result<(), ShapeError> {
        let choice = self.candidate.index;
        for (index, citation) in read_citations(candidate, &mut self.candidate.cited)? {
            self.out.push(StreamEvent::Cited {
                choice,
                index,
                citation,
            });
        }
        let says = |name| {
            let metadata: Option<&Node<'_>> = candidate.get(name);
            metadata.is_some_and(|metadata| metadata.members().next().is_some())
        };
        if [
            "groundingMetadata",
            "urlContextMetadata",
            "citationMetadata",
        ]
        .into_iter()
        .any(says)
        {
            self.out.push(StreamEvent::Untold);
        }
        if let Some(result) = candidate.get("logprobsResult") {
            let tokens = read_logprobs(result)?;
            if !tokens.is_empty() {
                self.out.push(StreamEvent::Logprobs { choice, tokens });
            }
        }
        Ok(())
    }

    fn part(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Fault> {
        if let Some(text) = self.plain(scanner)? {
            self.read(text, None)?;
            return Ok(());
        }
        let document = self.body.slice(scanner.skip_value()?);
        let node = Node::parse(&document)?;
        self.read(read_part(&node)?, Some(&node))?;
        Ok(())
    }

    /// A part that is a text and nothing else, as most of them are; the scanner stays where it is if it is not.
    fn plain(
        &self,
        scanner: &mut Scanner<'_>,
    ) -> Result<Option<Part<'static, 'static>>, JsonError> {
        let mut ahead = scanner.clone();
        let mut part = Part::default();
        let mut members = ahead.enter_object()?;
        while let Some(key) = ahead.next_member(&mut members)? {
            match (key.plain(), ahead.peek()?) {
                (Some("text"), Kind::String) => {
                    part.data = PartData::Text(ahead.string()?.text(self.body));
                }
                (Some("thought"), Kind::Bool) => {
                    let span = ahead.skip_value()?;
                    part.thought = self.body[span.start] == b't';
                }
                (Some("thoughtSignature"), Kind::String) => {
                    let signature = standard_base64(ahead.string()?.text(self.body));
                    part.signature = Some(signature).filter(|signature| !signature.is_empty());
                }
                _ => return Ok(None),
            }
        }
        *scanner = ahead;
        Ok(Some(part))
    }

    fn read(&mut self, part: Part<'_, '_>, node: Option<&Node<'_>>) -> Result<(), ShapeError> {
        if !part.others.is_empty() || part.name.is_some() {
            self.out.push(StreamEvent::Untold);
        }
        let place = match part.data {
            PartData::Text(text) if part.thought => {
                self.thought(text, part.signature);
                None
            }
            PartData::Text(text) => {
                self.sign(part.signature);
                self.text(text)
            }
            PartData::Call(call) => {
                self.sign(part.signature);
                self.call(call, node)?;
                None
            }
            PartData::Media(MediaSource::Data(data), media_type) if !part.thought => {
                self.sign(part.signature);
                self.media(data, media_type);
                None
            }
            PartData::Nothing => {
                self.sign(part.signature);
                None
            }
            // Pictures on the way to a picture, code that ran there, and what is yet to be invented.
            PartData::Media(..) | PartData::Response(_) | PartData::Other(_) => {
                self.out.push(StreamEvent::Untold);
                None
            }
        };
        self.candidate.cited.parts.push(place);
        Ok(())
    }

    /// Where the text went: its block, and from which byte of it on.
    fn text(&mut self, text: Text) -> Option<(u32, usize)> {
        if text.is_empty() {
            return None;
        }
        let index = self.open(Open::Text);
        let from = self.candidate.cited.said(index, &text);
        self.delta(index, text);
        Some((index, from))
    }

    fn thought(&mut self, text: Text, signature: Option<Text>) {
        if !text.is_empty() {
            let index = self.open(Open::Thought);
            self.delta(index, text);
        }
        if let Some(signature) = signature {
            let index = self.open(Open::Thought);
            self.sealed(index, signature);
        }
    }

    /// A signature of what comes next: a thought without text.
    fn sign(&mut self, signature: Option<Text>) {
        if let Some(signature) = signature {
            let index = self.start(Block::Reasoning);
            self.sealed(index, signature);
        }
    }

    fn sealed(&mut self, index: u32, signature: Text) {
        self.candidate.open = None;
        self.out.push(StreamEvent::Sealed {
            choice: self.candidate.index,
            index,
            seal: Seal::of_client(Protocol::Gemini, signature, false),
        });
    }

    fn call(&mut self, call: Call, node: Option<&Node<'_>>) -> Result<(), ShapeError> {
        let Some(name) = call.name else {
            // Pieces of a call that is streamed, which only a client of the same protocol can ask for.
            if let Some(node) = node.filter(|_| !call.partial) {
                node.require("functionCall")?.require("name")?;
            }
            self.out.push(StreamEvent::Untold);
            return Ok(());
        };
        let whole = node.and_then(|node| node.get("functionCall"));
        if whole.is_some_and(|call| call.has_beside(&["id", "name", "args"])) {
            self.out.push(StreamEvent::Untold);
        }
        let number = *self.calls;
        *self.calls += 1;
        self.candidate.calls = true;
        let id = call
            .id
            .unwrap_or_else(|| Text::from(self.stamp.id("call_") + &number.to_string()));
        let index = self.start(Block::ToolCall {
            id,
            name,
            kind: ToolKind::Function,
        });
        self.delta(index, call.args);
        Ok(())
    }

    fn media(&mut self, data: Text, media_type: Option<Text>) {
        let media_type =
            media_type.unwrap_or_else(|| Text::from_static("application/octet-stream"));
        let index = self.start(Block::Media {
            kind: media_kind(&media_type),
            media_type,
        });
        if !data.is_empty() {
            self.delta(index, data);
        }
    }

    /// The open block, if it is such a one, or a new one.
    fn open(&mut self, wanted: Open) -> u32 {
        if self.candidate.open == Some(wanted) {
            return self.candidate.blocks - 1;
        }
        let index = self.start(match wanted {
            Open::Text => Block::Text,
            Open::Thought => Block::Reasoning,
        });
        self.candidate.open = Some(wanted);
        index
    }

    fn start(&mut self, block: Block) -> u32 {
        let index = self.candidate.blocks;
        self.candidate.blocks += 1;
        self.candidate.open = None;
        self.out.push(StreamEvent::BlockStarted {
            choice: self.candidate.index,
            index,
            block,
        });
        index
    }

    fn delta(&mut self, index: u32, text: Text) {
        self.out.push(StreamEvent::BlockDelta {
            choice: self.candidate.index,
            index,
            text,
        });
    }
}

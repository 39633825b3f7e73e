//! A choice of a stream under way.

use super::metadata::{Source, write_logprobs, write_sources};
use crate::chat::{Block, Citation, Content, FinishReason, Seal, TokenLogprob};
use crate::json::ObjectWriter;
use crate::text::Text;
use crate::wire::gemini::{PartWriter, write_finish};

/// What of a choice was said, and what is yet to be said.
#[derive(Debug, Default)]
pub(super) struct Open {
    pub index: u32,
    pub blocks: Vec<Shape>,
    pub held: Vec<Held>,
    /// A signature that waits for what it signs.
    pub signature: Option<Text>,
    /// The texts of the blocks that were written, by block: sources refer to them.
    pub texts: Vec<(u32, String)>,
    pub sources: Vec<(u32, Citation)>,
    pub logprobs: Vec<TokenLogprob>,
    pub finish: Option<FinishReason>,
}

/// How a block is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Text,
    /// A thought, and whether it has said anything.
    Thought(bool),
    /// As the held one of this number.
    Held(usize),
}

/// A block that is gathered.
#[derive(Debug)]
pub(super) struct Held {
    pub block: Block,
    pub text: String,
    pub seal: Option<Seal>,
}

impl Open {
    /// A block begins: how it will be written.
    pub fn start(&mut self, block: &Block) {
        let gathered = matches!(block, Block::ToolCall { .. } | Block::Media { .. });
        let shape = match block {
            _ if gathered || !self.held.is_empty() => {
                self.held.push(Held {
                    block: block.clone(),
                    text: String::new(),
                    seal: None,
                });
                Shape::Held(self.held.len() - 1)
            }
            Block::Reasoning => Shape::Thought(false),
            _ => Shape::Text,
        };
        self.blocks.push(shape);
    }

    /// More of a text was written.
    pub fn said(&mut self, block: u32, text: &str) {
        match self.texts.last_mut() {
            Some((last, said)) if *last == block => said.push_str(text),
            _ => self.texts.push((block, text.to_owned())),
        }
    }

    /// The choice in the last chunk. SDKs take a content without parts for a reply that failed, and keep it out of
    /// their history.
    pub fn end(&mut self, candidate: &mut ObjectWriter<'_>) {
        let signature = self.signature.take();
        candidate.object("content", |content| {
            if !self.blocks.is_empty() {
                content.array("parts", |parts| PartWriter::new(parts, signature).text(""));
            }
            content.string("role", "model");
        });
        if let Some(reason) = &self.finish {
            candidate.string("finishReason", write_finish(reason));
        }
        candidate.plain("index", self.index);
        let text = |block| {
            let found = self.texts.iter().find(|(own, _)| *own == block);
            found.map_or("", |(_, text)| text.as_str())
        };
        let sources: Vec<_> = self
            .sources
            .iter()
            .map(|(block, citation)| Source {
                citation,
                text: text(*block),
                part: 0,
            })
            .collect();
        write_sources(&sources, candidate);
        write_logprobs(&self.logprobs, candidate);
    }
}

impl Held {
    /// All of it, gathered.
    pub fn content(self) -> Content {
        Content {
            seal: self.seal,
            ..Content::new(self.block, Text::from(self.text))
        }
    }
}

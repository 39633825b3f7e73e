//! A stream gathered into a whole reply.

use super::{
    Block, ChatResponse, Choice, Citation, Content, FinishReason, Seal, StreamEvent, TokenLogprob,
    Usage,
};
use crate::text::Text;

/// Gathers events as they come, for a client that does not stream.
#[derive(Debug, Default)]
pub struct Collector {
    id: Text,
    model: Text,
    created: Option<i64>,
    usage: Option<Usage>,
    untold: bool,
    choices: Vec<OpenChoice>,
}

#[derive(Debug)]
struct OpenChoice {
    index: u32,
    blocks: Vec<OpenBlock>,
    logprobs: Vec<TokenLogprob>,
    finish: Option<FinishReason>,
}

#[derive(Debug)]
struct OpenBlock {
    block: Block,
    text: Piece,
    seal: Option<Seal>,
    citations: Vec<Citation>,
}

/// A block's text: one piece stays the slice it is.
#[derive(Debug)]
enum Piece {
    One(Text),
    Many(String),
}

impl Collector {
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next event. A delta of a block that never began is left out: no decoder makes one.
    pub fn push(&mut self, event: &StreamEvent) {
        match event {
            StreamEvent::Started { id, model, created } => {
                self.id = id.clone();
                self.model = model.clone();
                self.created = *created;
            }
            StreamEvent::BlockStarted { choice, block, .. } => {
                self.choice(*choice).blocks.push(OpenBlock {
                    block: block.clone(),
                    text: Piece::One(Text::default()),
                    seal: None,
                    citations: Vec::new(),
                });
            }
            StreamEvent::BlockDelta {
                choice,
                index,
                text,
            } => {
                if let Some(open) = self.block(*choice, *index) {
                    open.text.append(text);
                }
            }
            StreamEvent::Sealed {
                choice,
                index,
                seal,
            } => {
                if let Some(open) = self.block(*choice, *index) {
                    open.seal = Some(seal.clone());
                }
            }
            StreamEvent::Cited {
                choice,
                index,
                citation,
            } => {
                if let Some(open) = self.block(*choice, *index) {
                    open.citations.push(citation.clone());
                }
            }
            StreamEvent::Logprobs { choice, tokens } => {
                self.choice(*choice).logprobs.extend_from_slice(tokens);
            }
            StreamEvent::Untold => self.untold = true,
            StreamEvent::Usage(usage) => self.usage = Some(*usage),
            StreamEvent::Finished { choice, reason } => {
                self.choice(*choice).finish = Some(reason.clone());
            }
        }
    }

    /// The reply, its choices in order.
    pub fn finish(mut self) -> ChatResponse {
        self.choices.sort_by_key(|choice| choice.index);
        ChatResponse {
            id: self.id,
            model: self.model,
            created: self.created,
            choices: self.choices.into_iter().map(OpenChoice::close).collect(),
            usage: self.usage,
            untold: self.untold,
            raw: None,
        }
    }

    fn block(&mut self, choice: u32, index: u32) -> Option<&mut OpenBlock> {
        self.choice(choice).blocks.get_mut(index as usize)
    }

    fn choice(&mut self, index: u32) -> &mut OpenChoice {
        let at = self
            .choices
            .iter()
            .position(|choice| choice.index == index)
            .unwrap_or_else(|| {
                self.choices.push(OpenChoice {
                    index,
                    blocks: Vec::new(),
                    logprobs: Vec::new(),
                    finish: None,
                });
                self.choices.len() - 1
            });
        &mut self.choices[at]
    }
}

impl OpenChoice {
    fn close(self) -> Choice {
        let close = |open: OpenBlock| Content {
            block: open.block,
            text: match open.text {
                Piece::One(text) => text,
                Piece::Many(text) => Text::from(text),
            },
            seal: open.seal,
            citations: open.citations,
        };
        Choice {
            index: self.index,
            blocks: self.blocks.into_iter().map(close).collect(),
            logprobs: self.logprobs,
            finish: self.finish,
        }
    }
}

impl Piece {
    fn append(&mut self, more: &Text) {
        match self {
            Self::One(text) if text.is_empty() => *text = more.clone(),
            Self::One(text) => *self = Self::Many(format!("{text}{more}")),
            Self::Many(text) => text.push_str(more),
        }
    }
}

/// A whole stream as one reply.
pub fn collect<'a>(events: impl IntoIterator<Item = &'a StreamEvent>) -> ChatResponse {
    let mut collector = Collector::new();
    for event in events {
        collector.push(event);
    }
    collector.finish()
}

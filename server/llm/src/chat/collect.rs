//! A stream gathered into a whole reply.

use super::{Block, ChatResponse, Choice, Content, FinishReason, StreamEvent, Usage};
use crate::text::Text;

/// Gathers events as they come, for a client that does not stream.
#[derive(Debug, Default)]
pub struct Collector {
    id: Text,
    model: Text,
    created: Option<i64>,
    usage: Option<Usage>,
    choices: Vec<OpenChoice>,
}

#[derive(Debug)]
struct OpenChoice {
    index: u32,
    blocks: Vec<(Block, Piece)>,
    finish: Option<FinishReason>,
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
                let piece = Piece::One(Text::default());
                self.choice(*choice).blocks.push((block.clone(), piece));
            }
            StreamEvent::BlockDelta {
                choice,
                index,
                text,
            } => {
                let blocks = &mut self.choice(*choice).blocks;
                if let Some((_, piece)) = blocks.get_mut(*index as usize) {
                    piece.append(text);
                }
            }
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
            raw: None,
        }
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
                    finish: None,
                });
                self.choices.len() - 1
            });
        &mut self.choices[at]
    }
}

impl OpenChoice {
    fn close(self) -> Choice {
        let close = |(block, piece)| Content {
            block,
            text: match piece {
                Piece::One(text) => text,
                Piece::Many(text) => Text::from(text),
            },
        };
        Choice {
            index: self.index,
            blocks: self.blocks.into_iter().map(close).collect(),
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

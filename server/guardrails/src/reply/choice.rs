//! One choice of a streamed reply, and its blocks.

use llm::chat::{Block, TokenLogprob, ToolKind};

use crate::ending::Ending;
use crate::held_text::HeldText;

#[derive(Debug)]
pub struct GuardedChoice {
    pub blocks: Vec<GuardedBlock>,
    /// The block that spoke last.
    pub current: Option<usize>,
    /// What is said of tokens whose text is still held.
    pub logprobs: Vec<TokenLogprob>,
    /// What rules know only at the end.
    pub ending: Ending,
    pub changed: bool,
    /// Its end was told.
    pub over: bool,
}

#[derive(Debug)]
pub struct GuardedBlock {
    pub kind: Kind,
    pub text: HeldText,
    /// Of a call: its arguments so far.
    pub arguments: String,
    pub spoke: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text of the answer.
    Answer,
    /// Thoughts, refusals, what is written for a tool.
    Other,
    Arguments,
    /// No text at all.
    Media,
}

impl Kind {
    pub fn of(block: &Block) -> Self {
        match block {
            Block::Text => Self::Answer,
            Block::Reasoning | Block::Refusal => Self::Other,
            Block::ToolCall { kind, .. } if *kind == ToolKind::Custom => Self::Other,
            Block::ToolCall { .. } => Self::Arguments,
            Block::Media { .. } => Self::Media,
        }
    }
}

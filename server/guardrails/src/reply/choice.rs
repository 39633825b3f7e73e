//! One choice of a streamed reply, and its blocks.

use std::collections::VecDeque;

use llm::chat::{Block, StreamEvent, TokenLogprob, ToolKind};

use super::lane::Lane;
use crate::ending::Ending;
use crate::held_text::HeldText;
use crate::ruleset::Active;

#[derive(Debug)]
pub struct GuardedChoice {
    /// All that have come.
    pub blocks: Vec<GuardedBlock>,
    /// How many of them were told of.
    pub told: usize,
    pub answer: Lane,
    pub thoughts: Lane,
    pub refusals: Lane,
    /// What comes behind text of the answer that is held, with how much of that had come by then.
    pub waiting: VecDeque<(u64, StreamEvent)>,
    /// The function that is being called.
    pub calling: Option<usize>,
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
    /// Of what is written for a tool: what is held.
    pub text: HeldText,
    /// Of a call: its arguments so far.
    pub arguments: String,
    pub spoke: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text of the answer.
    Answer,
    Thoughts,
    Refusal,
    /// What is written for a tool.
    Written,
    Arguments,
    /// No text at all.
    Media,
}

impl Kind {
    pub fn of(block: &Block) -> Self {
        match block {
            Block::Text => Self::Answer,
            Block::Reasoning => Self::Thoughts,
            Block::Refusal => Self::Refusal,
            Block::ToolCall { kind, .. } if *kind == ToolKind::Custom => Self::Written,
            Block::ToolCall { .. } => Self::Arguments,
            Block::Media { .. } => Self::Media,
        }
    }
}

impl GuardedChoice {
    pub fn new(active: &Active) -> Self {
        Self {
            blocks: Vec::new(),
            told: 0,
            answer: Lane::default(),
            thoughts: Lane::default(),
            refusals: Lane::default(),
            waiting: VecDeque::new(),
            calling: None,
            logprobs: Vec::new(),
            ending: Ending::new(active),
            changed: false,
            over: false,
        }
    }

    /// What is said in blocks of a kind that is read as one text.
    pub fn lane(&mut self, kind: Kind) -> &mut Lane {
        match kind {
            Kind::Thoughts => &mut self.thoughts,
            Kind::Refusal => &mut self.refusals,
            _ => &mut self.answer,
        }
    }

    /// Whether nothing but the answer is under way.
    pub fn is_alone(&self, kind: Kind) -> bool {
        kind == Kind::Answer
            && self.waiting.is_empty()
            && self.logprobs.is_empty()
            && !self.thoughts.holds()
            && !self.refusals.holds()
    }

    /// Whether some text is held.
    pub fn holds(&self) -> bool {
        let lanes = [&self.answer, &self.thoughts, &self.refusals];
        let mut written = self
            .blocks
            .iter()
            .filter(|block| block.kind == Kind::Written);
        lanes.into_iter().any(Lane::holds) || written.any(|block| block.text.held() > 0)
    }

    /// The last block of a kind: its text is the one that goes on.
    pub fn last_of(&self, kind: Kind) -> Option<usize> {
        // The answer is read before what waits for it is told of.
        let known = if kind == Kind::Answer {
            self.blocks.len()
        } else {
            self.told.min(self.blocks.len())
        };
        let mut blocks = self.blocks[..known].iter();
        blocks.rposition(|block| block.kind == kind)
    }

    /// What waits whose turn has come.
    pub fn next_waiting(&mut self) -> Option<StreamEvent> {
        let settled = self.answer.settled();
        let next = self.waiting.pop_front_if(|(after, _)| *after <= settled);
        next.map(|(_, event)| event)
    }
}

impl GuardedBlock {
    pub fn new(block: &Block) -> Self {
        Self {
            kind: Kind::of(block),
            text: HeldText::default(),
            arguments: String::new(),
            spoke: false,
        }
    }

    /// What a function is called with, once that is complete JSON.
    pub fn complete_arguments(&mut self) -> Option<String> {
        let said = self.arguments.trim_ascii_end();
        let complete = said.ends_with(['}', ']'])
            && crate::places::texts(said.as_bytes(), crate::places::Of::Tool).is_ok();
        complete.then(|| std::mem::take(&mut self.arguments))
    }
}

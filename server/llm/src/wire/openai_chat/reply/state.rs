//! What was said so far.

use crate::chat::Citation;
use crate::text::Text;

#[derive(Debug, Default)]
pub(crate) struct ReplyState {
    pub started: bool,
    pub choices: Vec<ChoiceState>,
    /// How many of the reply's own sources were told.
    pub(super) sources: usize,
    /// Something was said that only the upstream's own bytes tell.
    pub untold: bool,
}

/// What was said so far of one choice.
#[derive(Debug, Default)]
pub(crate) struct ChoiceState {
    pub index: u32,
    pub finished: bool,
    /// As in [`ReplyState`].
    pub(super) untold: bool,
    pub(super) blocks: u32,
    pub(super) text: Option<u32>,
    /// The thought that is not sealed yet.
    pub(super) reasoning: Option<u32>,
    /// That thought came without details: those that follow say its text again.
    pub(super) plain_reasoning: bool,
    pub(super) refusal: Option<u32>,
    pub(super) audio: Option<u32>,
    pub(super) legacy: Option<u32>,
    pub(super) tools: Vec<Tool>,
    /// Sources of a text that has not begun.
    pub(super) citations: Vec<Citation>,
}

/// A tool call under way.
#[derive(Debug)]
pub(super) struct Tool {
    /// The upstream's number for it.
    pub(super) index: u32,
    pub(super) id: Text,
    pub(super) block: u32,
}

impl ReplyState {
    /// Whether something of the reply was passed over, of whichever choice.
    pub(crate) fn is_untold(&self) -> bool {
        self.untold || self.choices.iter().any(|choice| choice.untold)
    }

    pub(super) fn choice(&mut self, index: u32) -> &mut ChoiceState {
        let known = self.choices.iter().position(|choice| choice.index == index);
        let at = known.unwrap_or_else(|| {
            self.choices.push(ChoiceState {
                index,
                ..ChoiceState::default()
            });
            self.choices.len() - 1
        });
        &mut self.choices[at]
    }
}

impl ChoiceState {
    /// The block that a piece of a call belongs to. Calls are told apart by their number; where an
    /// upstream numbers them all alike, by an id of their own, and where it does not number them, each
    /// name begins one.
    pub(super) fn tool(&self, index: Option<u32>, id: &Text, named: bool) -> Option<u32> {
        let Some(index) = index else {
            let last = self.tools.last()?;
            return (!named).then_some(last.block);
        };
        let tool = self.tools.iter().rev().find(|tool| tool.index == index)?;
        let another = named && !id.is_empty() && tool.id != *id;
        (!another).then_some(tool.block)
    }

    pub(super) fn called(&self) -> bool {
        !self.tools.is_empty() || self.legacy.is_some()
    }
}

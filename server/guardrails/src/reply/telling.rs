//! What a stream's client is told: text, what rules add to it, and what they say where they end it.

use llm::Text;
use llm::chat::{Block, FinishReason, StreamEvent};
use llm::error::ApiError;

use super::choice::Kind;
use super::guard::ReplyGuard;
use crate::refusal::Refusal;
use crate::tally::Blocked;

/// Why the events of a stream end here.
pub enum Stop {
    /// With the answer that a rule gives, which was written.
    Answered,
    Refused(ApiError),
}

impl ReplyGuard {
    /// Lets text go, as far as the rules about length do.
    pub(super) fn say(
        &mut self,
        choice: u32,
        index: u32,
        mut text: String,
        out: &mut Vec<StreamEvent>,
    ) -> Result<(), Stop> {
        let state = self.choices.get_mut(&choice);
        let state = state.filter(|state| !state.over && !text.is_empty());
        let Some(state) = state else { return Ok(()) };
        let Some(block) = state.blocks.get_mut(index as usize) else {
            return Ok(());
        };
        let mut cut = false;
        let mut seen = Ok(());
        if block.kind == Kind::Answer {
            (cut, seen) = state.ending.say(&self.active, &mut text, &mut self.tally);
        }
        if !text.is_empty() {
            block.spoke = true;
            out.push(StreamEvent::BlockDelta {
                choice,
                index,
                text: Text::from(text),
            });
        }
        self.settle(seen, choice, out)?;
        if cut && self.acts {
            self.disclaim(choice, out);
            self.end(choice)?;
            let state = self.choice(choice);
            state.over = true;
            state.waiting.clear();
            out.push(StreamEvent::Finished {
                choice,
                reason: FinishReason::Length,
            });
        }
        Ok(())
    }

    /// Adds what a reply has to say, where it has not.
    pub(super) fn disclaim(&mut self, choice: u32, out: &mut Vec<StreamEvent>) {
        let state = self.choices.get_mut(&choice);
        let Some(state) = state else { return };
        let mut blocks = state.blocks.iter().enumerate();
        let last = blocks.rfind(|(_, block)| block.kind == Kind::Answer && block.spoke);
        let Some((index, _)) = last else { return };
        let missing = state.ending.disclaim(&self.active, &mut self.tally);
        if !missing.is_empty() {
            out.push(StreamEvent::BlockDelta {
                choice,
                index: u32::try_from(index).unwrap_or(u32::MAX),
                text: Text::from(missing),
            });
        }
    }

    /// What is known at the end only. Rules that refuse for it gather the reply and do not come here.
    pub(super) fn end(&mut self, choice: u32) -> Result<(), Stop> {
        let state = self.choices.get_mut(&choice);
        let Some(state) = state else { return Ok(()) };
        match state.ending.check(&self.active, &mut self.tally) {
            Ok(()) => Ok(()),
            Err(blocked) => Err(match Refusal::of(&self.active, blocked) {
                Refusal::Error(error) => Stop::Refused(error),
                Refusal::Answer(_) => Stop::Answered,
            }),
        }
    }

    /// Tells of tokens once their text is told. What was changed has other tokens.
    pub(super) fn tell_logprobs(&mut self, choice: u32, out: &mut Vec<StreamEvent>) {
        let state = self.choice(choice);
        if state.changed {
            state.logprobs.clear();
        }
        if state.logprobs.is_empty() || state.holds() {
            return;
        }
        let tokens = std::mem::take(&mut state.logprobs);
        out.push(StreamEvent::Logprobs { choice, tokens });
    }

    /// Where a rule refuses, what it gives instead is written, and everything ends.
    pub(super) fn settle<T>(
        &mut self,
        seen: Result<T, Blocked>,
        choice: u32,
        out: &mut Vec<StreamEvent>,
    ) -> Result<T, Stop> {
        let blocked = match seen {
            Ok(seen) => return Ok(seen),
            Err(blocked) => blocked,
        };
        let message = match Refusal::of(&self.active, blocked) {
            Refusal::Error(error) => return Err(Stop::Refused(error)),
            Refusal::Answer(message) => message,
        };
        let state = self.choice(choice);
        state.waiting.clear();
        let index = state.told;
        let told = &state.blocks[..state.told.min(state.blocks.len())];
        let last = told.last().filter(|last| last.kind == Kind::Answer);
        let (index, message) = match last {
            Some(last) if last.spoke => (index - 1, format!("\n\n{message}")),
            Some(_) => (index - 1, message),
            None => {
                out.push(StreamEvent::BlockStarted {
                    choice,
                    index: u32::try_from(index).unwrap_or(u32::MAX),
                    block: Block::Text,
                });
                (index, message)
            }
        };
        out.push(StreamEvent::BlockDelta {
            choice,
            index: u32::try_from(index).unwrap_or(u32::MAX),
            text: Text::from(message),
        });
        for (choice, state) in &mut self.choices {
            if !std::mem::replace(&mut state.over, true) {
                out.push(StreamEvent::Finished {
                    choice: *choice,
                    reason: FinishReason::ContentFilter,
                });
            }
        }
        Err(Stop::Answered)
    }
}

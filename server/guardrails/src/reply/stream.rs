//! What becomes of a stream's events.

use llm::Text;
use llm::chat::{Block, FinishReason, StreamEvent};
use llm::error::ApiError;

use super::choice::{GuardedBlock, GuardedChoice, Kind};
use super::citation::citation_passed;
use super::guard::ReplyGuard;
use crate::body::pass_nested;
use crate::ending::Ending;
use crate::held_text::HeldText;
use crate::refusal::Refusal;
use crate::search::whole_text;
use crate::tally::Blocked;

/// Why the events of a stream end here.
pub enum Stop {
    /// With the answer that a rule gives, which was written.
    Answered,
    Refused(ApiError),
}

impl ReplyGuard {
    pub(super) fn event(
        &mut self,
        event: &StreamEvent,
        out: &mut Vec<StreamEvent>,
    ) -> Result<(), Stop> {
        match event {
            StreamEvent::Started { .. } | StreamEvent::Usage(_) => out.push(event.clone()),
            StreamEvent::BlockStarted {
                choice,
                index,
                block,
            } => {
                if self.choice(*choice).over {
                    return Ok(());
                }
                self.leave(*choice, out)?;
                if self.choice(*choice).over {
                    return Ok(());
                }
                if let Block::ToolCall { name, .. } = block {
                    // What people read ends here.
                    self.disclaim(*choice, out);
                    let seen = whole_text(&self.active, name, &mut self.tally);
                    self.settle(seen.map(drop), *choice, out)?;
                }
                let state = self.choice(*choice);
                state.blocks.push(GuardedBlock {
                    kind: Kind::of(block),
                    text: HeldText::default(),
                    arguments: String::new(),
                    spoke: false,
                });
                state.current = Some(*index as usize);
                out.push(event.clone());
            }
            StreamEvent::BlockDelta {
                choice,
                index,
                text,
            } => self.delta(*choice, *index, text, out)?,
            StreamEvent::Sealed {
                choice,
                index,
                seal,
            } => {
                if self.choice(*choice).over {
                    return Ok(());
                }
                self.leave(*choice, out)?;
                let block = self.choice(*choice).blocks.get(*index as usize);
                // It is proof of thoughts that are others now.
                if seal.encrypted || !block.is_some_and(|block| block.text.is_changed()) {
                    out.push(event.clone());
                }
            }
            StreamEvent::Cited {
                choice,
                index,
                citation,
            } => {
                if self.choice(*choice).over {
                    return Ok(());
                }
                let seen = citation_passed(&self.active, citation, &mut self.tally);
                let mut citation = self.settle(seen, *choice, out)?.0;
                if self.choice(*choice).changed {
                    citation.range = None;
                }
                out.push(StreamEvent::Cited {
                    choice: *choice,
                    index: *index,
                    citation,
                });
            }
            StreamEvent::Logprobs { choice, tokens } => {
                let state = self.choice(*choice);
                if !state.over {
                    state.logprobs.extend_from_slice(tokens);
                    self.tell_logprobs(*choice, out);
                }
            }
            StreamEvent::Finished { choice, reason } => {
                if self.choice(*choice).over {
                    return Ok(());
                }
                self.leave(*choice, out)?;
                if self.choice(*choice).over {
                    return Ok(());
                }
                self.disclaim(*choice, out);
                self.end(*choice)?;
                self.choice(*choice).over = true;
                out.push(StreamEvent::Finished {
                    choice: *choice,
                    reason: reason.clone(),
                });
            }
        }
        Ok(())
    }

    fn delta(
        &mut self,
        choice: u32,
        index: u32,
        text: &Text,
        out: &mut Vec<StreamEvent>,
    ) -> Result<(), Stop> {
        let state = self.choice(choice);
        if state.over {
            return Ok(());
        }
        let at = index as usize;
        if state.current.is_some_and(|current| current != at) {
            self.leave(choice, out)?;
        }
        let state = self.choices.get_mut(&choice).filter(|state| !state.over);
        let Some(state) = state else { return Ok(()) };
        state.current = Some(at);
        let Some(block) = state.blocks.get_mut(at) else {
            return Ok(());
        };
        match block.kind {
            Kind::Media => {
                out.push(StreamEvent::BlockDelta {
                    choice,
                    index,
                    text: text.clone(),
                });
                Ok(())
            }
            Kind::Arguments => {
                block.arguments.push_str(text);
                Ok(())
            }
            Kind::Answer | Kind::Other => {
                let mut passed = String::new();
                let seen = block
                    .text
                    .push(&self.active, text, &mut passed, &mut self.tally);
                state.changed |= block.text.is_changed();
                self.say(choice, index, passed, out)?;
                self.go_on(seen, choice, out)
            }
        }
    }

    /// After a text was let go: it may have been refused, unless it was too long before that place.
    fn go_on(
        &mut self,
        seen: Result<(), Blocked>,
        choice: u32,
        out: &mut Vec<StreamEvent>,
    ) -> Result<(), Stop> {
        if !self.choice(choice).over {
            self.settle(seen, choice, out)?;
            self.tell_logprobs(choice, out);
        }
        Ok(())
    }

    /// Something else comes in a choice: what its block holds goes first.
    pub(super) fn leave(&mut self, choice: u32, out: &mut Vec<StreamEvent>) -> Result<(), Stop> {
        let state = self.choices.get_mut(&choice);
        let Some((state, at)) = state.and_then(|state| state.current.map(|at| (state, at))) else {
            return Ok(());
        };
        let Some(block) = state.blocks.get_mut(at) else {
            return Ok(());
        };
        let index = u32::try_from(at).unwrap_or(u32::MAX);
        if state.over {
            return Ok(());
        }
        if block.kind == Kind::Arguments {
            let arguments = std::mem::take(&mut block.arguments);
            let seen = pass_nested(&self.active, &arguments, &mut self.tally);
            let new = self.settle(seen, choice, out)?;
            let text = new.unwrap_or(arguments);
            if !text.is_empty() {
                out.push(StreamEvent::BlockDelta {
                    choice,
                    index,
                    text: Text::from(text),
                });
            }
            return Ok(());
        }
        let mut passed = String::new();
        let seen = block.text.flush(&self.active, &mut passed, &mut self.tally);
        state.changed |= block.text.is_changed();
        self.say(choice, index, passed, out)?;
        self.go_on(seen, choice, out)
    }

    /// Lets text go, as far as the rules about length do.
    fn say(
        &mut self,
        choice: u32,
        index: u32,
        mut text: String,
        out: &mut Vec<StreamEvent>,
    ) -> Result<(), Stop> {
        let state = self.choices.get_mut(&choice);
        let Some(state) = state.filter(|_| !text.is_empty()) else {
            return Ok(());
        };
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
            self.choice(choice).over = true;
            out.push(StreamEvent::Finished {
                choice,
                reason: FinishReason::Length,
            });
        }
        Ok(())
    }

    /// Adds what a reply has to say, where it has not.
    fn disclaim(&mut self, choice: u32, out: &mut Vec<StreamEvent>) {
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
    fn end(&mut self, choice: u32) -> Result<(), Stop> {
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
    fn tell_logprobs(&mut self, choice: u32, out: &mut Vec<StreamEvent>) {
        let state = self.choice(choice);
        if state.changed {
            state.logprobs.clear();
        }
        let block = state.current.and_then(|at| state.blocks.get(at));
        if state.logprobs.is_empty() || block.is_some_and(|block| block.text.held() > 0) {
            return;
        }
        let tokens = std::mem::take(&mut state.logprobs);
        out.push(StreamEvent::Logprobs { choice, tokens });
    }

    /// Where a rule refuses, what it gives instead is written, and everything ends.
    fn settle<T>(
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
        let index = state.blocks.len();
        let last = state.blocks.last().filter(|last| last.kind == Kind::Answer);
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

    fn choice(&mut self, index: u32) -> &mut GuardedChoice {
        let active = &self.active;
        self.choices.entry(index).or_insert_with(|| GuardedChoice {
            blocks: Vec::new(),
            current: None,
            logprobs: Vec::new(),
            ending: Ending::new(active),
            changed: false,
            over: false,
        })
    }
}

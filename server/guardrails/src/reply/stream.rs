//! What becomes of a stream's events.

use llm::Text;
use llm::chat::{Block, StreamEvent};

use super::choice::{GuardedBlock, GuardedChoice, Kind};
use super::citation::citation_passed;
use super::guard::ReplyGuard;
use super::joined::Pieces;
use super::lane::Lane;
use super::telling::Stop;
use crate::body::pass_nested;
use crate::ruleset::Active;
use crate::search::whole_text;
use crate::tally::{Blocked, Tally};

impl ReplyGuard {
    pub(super) fn event(
        &mut self,
        event: &StreamEvent,
        out: &mut Vec<StreamEvent>,
    ) -> Result<(), Stop> {
        let number = match event {
            StreamEvent::Started { .. } | StreamEvent::Untold | StreamEvent::Usage(_) => {
                out.push(event.clone());
                return Ok(());
            }
            StreamEvent::BlockStarted { choice, .. }
            | StreamEvent::BlockDelta { choice, .. }
            | StreamEvent::Sealed { choice, .. }
            | StreamEvent::Cited { choice, .. }
            | StreamEvent::Logprobs { choice, .. }
            | StreamEvent::Finished { choice, .. } => *choice,
        };
        if self.choice(number).over {
            return Ok(());
        }
        match event {
            StreamEvent::BlockStarted { block, .. } => {
                self.called(number, None, out)?;
                let state = self.choice(number);
                state.blocks.push(GuardedBlock::new(block));
                if *block == Block::Text {
                    self.read(Kind::Answer, number, out, Lane::part)?;
                }
                self.come(number, event, out)
            }
            StreamEvent::BlockDelta { index, text, .. } => {
                let at = *index as usize;
                self.called(number, Some(at), out)?;
                let state = self.choice(number);
                let Some(block) = state.blocks.get_mut(at) else {
                    return Ok(());
                };
                match block.kind {
                    Kind::Arguments => {
                        block.arguments.push_str(text);
                        state.calling = Some(at);
                        Ok(())
                    }
                    Kind::Answer => self.more(Kind::Answer, number, text, out),
                    _ => self.come(number, event, out),
                }
            }
            StreamEvent::Logprobs { tokens, .. } => {
                self.choice(number).logprobs.extend_from_slice(tokens);
                self.tell_logprobs(number, out);
                Ok(())
            }
            StreamEvent::Finished { reason, .. } => {
                self.last(number, out)?;
                if self.choice(number).over {
                    return Ok(());
                }
                self.disclaim(number, out);
                self.end(number)?;
                self.choice(number).over = true;
                out.push(StreamEvent::Finished {
                    choice: number,
                    reason: reason.clone(),
                });
                Ok(())
            }
            _ => self.come(number, event, out),
        }
    }

    /// Something that is no text of the answer. While some of that is held, it waits: it would part what belongs
    /// together, and a signature signs what comes next.
    fn come(
        &mut self,
        choice: u32,
        event: &StreamEvent,
        out: &mut Vec<StreamEvent>,
    ) -> Result<(), Stop> {
        let state = self.choice(choice);
        if state.over {
            return Ok(());
        }
        let at_once = !state.answer.holds() && state.waiting.is_empty();
        // Of rules that only note something nothing is held.
        if at_once || !self.acts {
            return self.pass(choice, event, out);
        }
        let state = self.choice(choice);
        let came = state.answer.came();
        state.waiting.push_back((came, event.clone()));
        self.count(event).map_err(Stop::Refused)
    }

    /// What waits whose turn has come.
    fn drain(&mut self, choice: u32, out: &mut Vec<StreamEvent>) -> Result<(), Stop> {
        while let Some(event) = self.choice(choice).next_waiting() {
            self.uncount(&event);
            self.pass(choice, &event, out)?;
        }
        Ok(())
    }

    /// Something that is no text of the answer, in its turn.
    fn pass(
        &mut self,
        choice: u32,
        event: &StreamEvent,
        out: &mut Vec<StreamEvent>,
    ) -> Result<(), Stop> {
        let speaks = match event {
            StreamEvent::BlockDelta { index, .. } => {
                let block = self.choice(choice).blocks.get(*index as usize);
                block.map(|block| block.kind)
            }
            _ => None,
        };
        self.leave(choice, speaks, out)?;
        match event {
            StreamEvent::BlockStarted { block, .. } => {
                if let Block::ToolCall { name, .. } = block {
                    // What people read ends here.
                    self.disclaim(choice, out);
                    let seen = whole_text(&self.active, name, &mut self.tally);
                    self.settle(seen.map(drop), choice, out)?;
                }
                self.choice(choice).told += 1;
                out.push(event.clone());
            }
            StreamEvent::BlockDelta { index, text, .. } => match speaks {
                Some(Kind::Media) => out.push(event.clone()),
                Some(Kind::Arguments) => {
                    let seen = pass_nested(&self.active, text, &mut self.tally);
                    let new = self.settle(seen, choice, out)?;
                    let text = new.unwrap_or_else(|| text.to_string());
                    self.say(choice, *index, text, out)?;
                }
                Some(Kind::Written) => self.write(choice, *index, Some(text), out)?,
                Some(kind) => self.more(kind, choice, text, out)?,
                None => {}
            },
            StreamEvent::Sealed { index, seal, .. } => {
                // It is proof of thoughts that are others now.
                let changed = self.choice(choice).thoughts.is_changed_in(*index);
                if seal.encrypted || !changed {
                    out.push(event.clone());
                }
            }
            StreamEvent::Cited {
                index, citation, ..
            } => {
                let seen = citation_passed(&self.active, citation, &mut self.tally);
                let mut citation = self.settle(seen, choice, out)?.0;
                if self.choice(choice).changed {
                    citation.range = None;
                }
                out.push(StreamEvent::Cited {
                    choice,
                    index: *index,
                    citation,
                });
            }
            _ => {}
        }
        Ok(())
    }

    /// What a function is called with comes when it is complete, or at the end: of those that are called side by side,
    /// other pieces come in between.
    fn called(
        &mut self,
        choice: u32,
        speaks: Option<usize>,
        out: &mut Vec<StreamEvent>,
    ) -> Result<(), Stop> {
        let state = self.choice(choice);
        let Some(at) = state.calling.take_if(|at| Some(*at) != speaks) else {
            return Ok(());
        };
        match state.blocks[at].complete_arguments() {
            Some(arguments) => self.come(choice, &delta(choice, at, arguments), out),
            None => Ok(()),
        }
    }

    /// More text of a kind. What a block says that another one of its kind has followed, the last one says.
    fn more(
        &mut self,
        kind: Kind,
        choice: u32,
        text: &Text,
        out: &mut Vec<StreamEvent>,
    ) -> Result<(), Stop> {
        let state = self.choice(choice);
        let Some(last) = state.last_of(kind) else {
            return Ok(());
        };
        let block = number(last);
        self.read(kind, choice, out, |lane, active, pieces, tally| {
            lane.push(active, (block, text), pieces, tally)
        })
    }

    /// Something else comes in a choice: thoughts and refusals do not wait for more of them.
    fn leave(
        &mut self,
        choice: u32,
        speaks: Option<Kind>,
        out: &mut Vec<StreamEvent>,
    ) -> Result<(), Stop> {
        for kind in [Kind::Thoughts, Kind::Refusal] {
            let state = self.choice(choice);
            if speaks != Some(kind) && state.lane(kind).holds() && !state.over {
                self.read(kind, choice, out, Lane::let_go)?;
            }
        }
        Ok(())
    }

    /// No more comes in a choice.
    pub(super) fn last(&mut self, choice: u32, out: &mut Vec<StreamEvent>) -> Result<(), Stop> {
        self.called(choice, None, out)?;
        self.read(Kind::Answer, choice, out, Lane::finish)?;
        for at in 0..self.choice(choice).blocks.len() {
            let block = &mut self.choice(choice).blocks[at];
            match block.kind {
                Kind::Arguments if !block.arguments.is_empty() => {
                    let arguments = std::mem::take(&mut block.arguments);
                    self.come(choice, &delta(choice, at, arguments), out)?;
                }
                Kind::Written => self.write(choice, number(at), None, out)?,
                _ => {}
            }
        }
        for kind in [Kind::Thoughts, Kind::Refusal] {
            self.read(kind, choice, out, Lane::finish)?;
        }
        Ok(())
    }

    /// Reads on in the texts of a kind, and tells what is decided.
    fn read(
        &mut self,
        kind: Kind,
        choice: u32,
        out: &mut Vec<StreamEvent>,
        read: impl FnOnce(&mut Lane, &Active, &mut Pieces, &mut Tally) -> Result<(), Blocked>,
    ) -> Result<(), Stop> {
        self.choice(choice);
        let state = self.choices.get_mut(&choice).filter(|state| !state.over);
        let Some(state) = state else { return Ok(()) };
        let mut pieces = std::mem::take(&mut self.pieces);
        let lane = state.lane(kind);
        let seen = read(lane, &self.active, &mut pieces, &mut self.tally);
        let changed = lane.is_changed();
        state.changed |= changed;
        // In nearly all replies one text comes, and nothing else meanwhile.
        let alone = state.is_alone(kind);
        for (block, text) in pieces.drain(..) {
            if !alone {
                self.before(kind, choice, block, out)?;
            }
            self.say(choice, block, text, out)?;
        }
        self.pieces = pieces;
        if alone && seen.is_ok() {
            return Ok(());
        }
        // It may have been too long before the place that is refused.
        if !self.choice(choice).over {
            self.settle(seen, choice, out)?;
            if kind == Kind::Answer {
                self.drain(choice, out)?;
            }
            self.tell_logprobs(choice, out);
        }
        Ok(())
    }

    /// What goes before text of a block.
    fn before(
        &mut self,
        kind: Kind,
        choice: u32,
        block: u32,
        out: &mut Vec<StreamEvent>,
    ) -> Result<(), Stop> {
        while self.choice(choice).told <= block as usize
            && let Some((_, event)) = self.choice(choice).waiting.pop_front()
        {
            self.uncount(&event);
            self.pass(choice, &event, out)?;
        }
        if kind == Kind::Answer {
            self.leave(choice, None, out)?;
        }
        Ok(())
    }

    /// More of what is written for a tool, or no more of it.
    fn write(
        &mut self,
        choice: u32,
        index: u32,
        more: Option<&Text>,
        out: &mut Vec<StreamEvent>,
    ) -> Result<(), Stop> {
        let state = self.choices.get_mut(&choice).filter(|state| !state.over);
        let Some(state) = state else { return Ok(()) };
        let Some(block) = state.blocks.get_mut(index as usize) else {
            return Ok(());
        };
        let mut passed = String::new();
        let seen = match more {
            Some(more) => block
                .text
                .push(&self.active, more, &mut passed, &mut self.tally),
            None => block.text.flush(&self.active, &mut passed, &mut self.tally),
        };
        state.changed |= block.text.is_changed();
        self.say(choice, index, passed, out)?;
        self.settle(seen, choice, out)?;
        self.tell_logprobs(choice, out);
        Ok(())
    }

    pub(super) fn choice(&mut self, index: u32) -> &mut GuardedChoice {
        let active = &self.active;
        self.choices
            .entry(index)
            .or_insert_with(|| GuardedChoice::new(active))
    }
}

fn delta(choice: u32, block: usize, text: String) -> StreamEvent {
    StreamEvent::BlockDelta {
        choice,
        index: number(block),
        text: Text::from(text),
    }
}

fn number(block: usize) -> u32 {
    u32::try_from(block).unwrap_or(u32::MAX)
}

//! The rules about one reply, and what they have seen of it.

use std::collections::BTreeMap;

use llm::chat::{ChatResponse, Collector, StreamEvent};
use llm::error::{ApiError, ErrorKind, ErrorSource};

use super::choice::GuardedChoice;
use super::joined::Pieces;
use super::telling::Stop;
use super::unseen::changes_unseen;
use super::whole::refused_choice;
use crate::outside::{About, Outside};
use crate::refusal::Refusal;
use crate::report::Report;
use crate::rule::LooksFor;
use crate::ruleset::Active;
use crate::tally::{Blocked, Tally};

/// The rules about one reply.
#[derive(Debug)]
pub struct ReplyGuard {
    pub(super) active: Active,
    pub(super) tally: Tally,
    report: Report,
    about: About,
    outside: Option<Outside>,
    /// Some rule does something about what it finds.
    pub(super) acts: bool,
    /// All of it has to be there before a rule can say something: it is gathered.
    gathered: Option<Collector>,
    gathered_bytes: usize,
    pub(super) choices: BTreeMap<u32, GuardedChoice>,
    /// Empty: what was let go is told.
    pub(super) pieces: Pieces,
}

/// More of a reply is not gathered, bytes.
const MOST_GATHERED: usize = 32 << 20;

/// What the rules make of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passed {
    /// They go on as they came.
    Unchanged,
    /// What was written to `out` goes on in their place; it may be nothing for now.
    Rewritten,
    /// What was written to `out` is the end of the reply.
    Ended,
}

impl ReplyGuard {
    pub fn new(active: Active, about: About, outside: Option<Outside>, report: Report) -> Self {
        let acts = active.acts();
        let gathers = active.unsearched().any(|(_, rule)| {
            rule.acts()
                && match &rule.looks_for {
                    LooksFor::Length { min, .. } => min.is_some() && rule.blocks(),
                    LooksFor::Disclaimer(_) => rule.blocks(),
                    LooksFor::Schema(_) | LooksFor::Outside(_) => true,
                    _ => false,
                }
        });
        Self {
            active,
            tally: Tally::default(),
            report,
            about,
            outside,
            acts,
            gathered: gathers.then(Collector::new),
            gathered_bytes: 0,
            choices: BTreeMap::new(),
            pieces: Pieces::new(),
        }
    }

    /// Sees a reply that came in one piece before the client does.
    ///
    /// # Errors
    /// What a rule says about a reply that it stops.
    pub async fn whole(
        mut self,
        mut response: Box<ChatResponse>,
    ) -> Result<Box<ChatResponse>, ApiError> {
        let mut changed = false;
        let mut stopped = None;
        for choice in &mut response.choices {
            match self.whole_choice(choice).await {
                Ok(choice_changed) => changed |= choice_changed,
                Err(blocked) => {
                    stopped = Some(blocked);
                    break;
                }
            }
        }
        if changed {
            response.raw = None;
        } else if stopped.is_none() && self.acts && self.active.searches() {
            match changes_unseen(&self.active, &response, &mut self.tally) {
                Ok(false) => {}
                // It is written anew, of what its blocks say.
                Ok(true) => response.raw = None,
                Err(blocked) => stopped = Some(blocked),
            }
        }
        self.report.take(&self.active, &mut self.tally);
        match stopped {
            None => Ok(response),
            Some(blocked) => match Refusal::of(&self.active, blocked) {
                Refusal::Answer(message) => {
                    for choice in &mut response.choices {
                        *choice = refused_choice(choice.index, &message);
                    }
                    response.raw = None;
                    Ok(response)
                }
                Refusal::Error(error) => Err(error),
            },
        }
    }

    /// Sees events of a streamed reply before the client does.
    ///
    /// # Errors
    /// What a rule says about a reply that it stops. What was written to `out` still reaches the client.
    pub fn push(
        &mut self,
        events: &[StreamEvent],
        out: &mut Vec<StreamEvent>,
    ) -> Result<Passed, ApiError> {
        if let Some(collector) = &mut self.gathered {
            for event in events {
                collector.push(event);
            }
            for event in events {
                self.count(event)?;
            }
            return Ok(Passed::Rewritten);
        }
        let before = out.len();
        for event in events {
            match self.event(event, out) {
                Ok(()) => {}
                Err(Stop::Answered) => {
                    self.report.take(&self.active, &mut self.tally);
                    return Ok(Passed::Ended);
                }
                Err(Stop::Refused(error)) => {
                    self.report.take(&self.active, &mut self.tally);
                    return Err(error);
                }
            }
        }
        if self.acts {
            return Ok(Passed::Rewritten);
        }
        out.truncate(before);
        Ok(Passed::Unchanged)
    }

    /// Some of the reply is kept.
    ///
    /// # Errors
    /// That is too much.
    pub(super) fn count(&mut self, event: &StreamEvent) -> Result<(), ApiError> {
        self.gathered_bytes += length_of(event);
        if self.gathered_bytes > MOST_GATHERED {
            let message = "The reply is too long for the rules that need all of it.";
            let error = ApiError::new(ErrorKind::BadReply, ErrorSource::Policy, message);
            return Err(error);
        }
        Ok(())
    }

    /// It is kept no longer.
    pub(super) fn uncount(&mut self, event: &StreamEvent) {
        self.gathered_bytes = self.gathered_bytes.saturating_sub(length_of(event));
    }

    /// The reply breaks off: what was good before reaches the client first.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn break_off(&mut self, out: &mut Vec<StreamEvent>) -> Result<(), ApiError> {
        if !self.acts || self.gathered.is_some() {
            return Ok(());
        }
        let open: Vec<u32> = self.choices.keys().copied().collect();
        for choice in open {
            match self.last(choice, out) {
                Ok(()) => {}
                Err(Stop::Answered) => break,
                Err(Stop::Refused(error)) => return Err(error),
            }
        }
        Ok(())
    }

    /// The reply is complete: what was held back.
    ///
    /// # Errors
    /// As [`push`](Self::push): the events before the error still reach the client.
    pub async fn finish(mut self) -> (Vec<StreamEvent>, Result<(), ApiError>) {
        if let Some(collector) = self.gathered.take() {
            let response = Box::new(collector.finish());
            return match self.whole(response).await {
                Ok(response) => (response.events(), Ok(())),
                Err(error) => (Vec::new(), Err(error)),
            };
        }
        let mut out = Vec::new();
        let mut stopped = Ok(());
        let open: Vec<u32> = self.choices.keys().copied().collect();
        for choice in open {
            // A protocol whose choices need not end, or one that was cut short.
            match self.last(choice, &mut out) {
                Ok(()) => {}
                Err(Stop::Answered) => break,
                Err(Stop::Refused(error)) => {
                    stopped = Err(error);
                    break;
                }
            }
        }
        if stopped.is_ok() {
            // Nobody waits for what these say: none of them acts.
            for choice in std::mem::take(&mut self.choices).into_values() {
                if let Err(blocked) = self.ask(&choice.ending.into_text()).await {
                    debug_assert!(false, "{blocked:?} is of a rule that acts");
                }
            }
        }
        self.report.take(&self.active, &mut self.tally);
        if !self.acts {
            out.clear();
        }
        (out, stopped)
    }

    /// A reply that is only tried.
    pub async fn tried(
        &mut self,
        response: &mut ChatResponse,
        tally: &mut Tally,
    ) -> Result<(), Blocked> {
        std::mem::swap(&mut self.tally, tally);
        let mut passed = Ok(());
        for choice in &mut response.choices {
            passed = self.whole_choice(choice).await.map(drop);
        }
        std::mem::swap(&mut self.tally, tally);
        passed
    }

    /// What others say of a text.
    pub(super) async fn ask(&mut self, text: &str) -> Result<Option<String>, Blocked> {
        let Some(outside) = &self.outside else {
            return Ok(None);
        };
        outside
            .ask(&self.active, &self.about, text, &mut self.tally)
            .await
    }
}

/// Of what is said in it, bytes.
fn length_of(event: &StreamEvent) -> usize {
    match event {
        StreamEvent::BlockDelta { text, .. } => text.len(),
        _ => 0,
    }
}

/// A client that hangs up does not undo what rules have found.
impl Drop for ReplyGuard {
    fn drop(&mut self) {
        self.report.take(&self.active, &mut self.tally);
    }
}

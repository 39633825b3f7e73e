//! The rules about one reply, and what they have seen of it.

use std::collections::BTreeMap;

use llm::Text;
use llm::chat::{
    Block, ChatResponse, Choice, Citation, Collector, Content, FinishReason, StreamEvent,
    TokenLogprob, ToolKind,
};
use llm::error::{ApiError, ErrorKind, ErrorSource};

use crate::body::pass_nested;
use crate::ending::Ending;
use crate::held_text::HeldText;
use crate::outside::{About, Outside};
use crate::refusal::Refusal;
use crate::report::Report;
use crate::rule::LooksFor;
use crate::ruleset::Active;
use crate::search::whole_text;
use crate::tally::{Blocked, Tally};

/// The rules about one reply.
#[derive(Debug)]
pub struct ReplyGuard {
    active: Active,
    tally: Tally,
    report: Report,
    about: About,
    outside: Option<Outside>,
    /// Some rule does something about what it finds.
    acts: bool,
    /// All of it has to be there before a rule can say something: it is gathered.
    gathered: Option<Collector>,
    gathered_bytes: usize,
    choices: BTreeMap<u32, GuardedChoice>,
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

#[derive(Debug)]
struct GuardedChoice {
    blocks: Vec<GuardedBlock>,
    /// The block that spoke last.
    current: Option<usize>,
    /// What is said of tokens whose text is still held.
    logprobs: Vec<TokenLogprob>,
    /// What rules know only at the end.
    ending: Ending,
    changed: bool,
    /// Its end was told.
    over: bool,
}

#[derive(Debug)]
struct GuardedBlock {
    kind: Kind,
    text: HeldText,
    /// Of a call: its arguments so far.
    arguments: String,
    spoke: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Text of the answer.
    Answer,
    /// Thoughts, refusals, what is written for a tool.
    Other,
    Arguments,
    /// No text at all.
    Media,
}

impl Kind {
    fn of(block: &Block) -> Self {
        match block {
            Block::Text => Self::Answer,
            Block::Reasoning | Block::Refusal => Self::Other,
            Block::ToolCall { kind, .. } if *kind == ToolKind::Custom => Self::Other,
            Block::ToolCall { .. } => Self::Arguments,
            Block::Media { .. } => Self::Media,
        }
    }
}

/// Why the events of a stream end here.
enum Stop {
    /// With the answer that a rule gives, which was written.
    Answered,
    Refused(ApiError),
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
        self.report.take(&self.active, &mut self.tally);
        match stopped {
            None => {
                if changed {
                    response.raw = None;
                }
                Ok(response)
            }
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
                if let StreamEvent::BlockDelta { text, .. } = event {
                    self.gathered_bytes += text.len();
                }
                collector.push(event);
            }
            if self.gathered_bytes > MOST_GATHERED {
                let message = "The reply is too long for the rules that need all of it.";
                let error = ApiError::new(ErrorKind::BadReply, ErrorSource::Policy, message);
                return Err(error);
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
            match self.leave(choice, out) {
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
            match self.leave(choice, &mut out) {
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
    async fn ask(&mut self, text: &str) -> Result<Option<String>, Blocked> {
        let Some(outside) = &self.outside else {
            return Ok(None);
        };
        outside
            .ask(&self.active, &self.about, text, &mut self.tally)
            .await
    }

    fn event(&mut self, event: &StreamEvent, out: &mut Vec<StreamEvent>) -> Result<(), Stop> {
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
    fn leave(&mut self, choice: u32, out: &mut Vec<StreamEvent>) -> Result<(), Stop> {
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

    /// One choice of a reply that is all there; whether something of it was changed.
    async fn whole_choice(&mut self, choice: &mut Choice) -> Result<bool, Blocked> {
        let (active, tally) = (&self.active, &mut self.tally);
        let mut changed = false;
        let mut ending = Ending::new(active);
        let mut cut = None;
        for (at, content) in choice.blocks.iter_mut().enumerate() {
            let kind = Kind::of(&content.block);
            let new = match kind {
                Kind::Media => None,
                Kind::Arguments => pass_nested(active, &content.text, tally)?,
                Kind::Answer | Kind::Other => whole_text(active, &content.text, tally)?,
            };
            if let Block::ToolCall { name, .. } = &content.block {
                whole_text(active, name, tally)?;
            }
            let replaced = new.is_some();
            if let Some(new) = new {
                content.text = Text::from(new);
                content.seal = content.seal.take().filter(|seal| seal.encrypted);
                changed = true;
            }
            for citation in &mut content.citations {
                let (passed, other) = citation_passed(active, citation, tally)?;
                *citation = passed;
                changed |= other;
                if replaced {
                    citation.range = None;
                }
            }
            if kind == Kind::Answer {
                let mut text = content.text.to_string();
                let (too_long, seen) = ending.say(active, &mut text, tally);
                seen?;
                if too_long {
                    content.text = Text::from(text);
                    cut = Some(at);
                    break;
                }
            }
        }
        if let Some(at) = cut {
            choice.blocks.truncate(at + 1);
            choice
                .blocks
                .retain(|content| !content.text.is_empty() || content.seal.is_some());
            choice.finish = Some(FinishReason::Length);
            changed = true;
        }
        let answer = |content: &&mut Content| {
            Kind::of(&content.block) == Kind::Answer && !content.text.is_empty()
        };
        if let Some(last) = choice.blocks.iter_mut().rfind(answer) {
            let missing = ending.disclaim(active, tally);
            if !missing.is_empty() {
                last.text = Text::from(format!("{}{missing}", last.text));
                changed = true;
            }
        }
        ending.check(active, tally)?;
        if changed {
            choice.logprobs.clear();
        }
        if let Some(text) = self.ask(&ending.into_text()).await? {
            let mut text = Some(text);
            choice.blocks.retain_mut(|content| {
                if Kind::of(&content.block) != Kind::Answer {
                    return true;
                }
                content.citations.clear();
                match text.take() {
                    Some(text) => {
                        content.text = Text::from(text);
                        true
                    }
                    None => false,
                }
            });
            choice.logprobs.clear();
            changed = true;
        }
        Ok(changed)
    }
}

/// A client that hangs up does not undo what rules have found.
impl Drop for ReplyGuard {
    fn drop(&mut self) {
        self.report.take(&self.active, &mut self.tally);
    }
}

/// What a source says is text like any other; whether it was changed.
fn citation_passed(
    active: &Active,
    citation: &Citation,
    tally: &mut Tally,
) -> Result<(Citation, bool), Blocked> {
    let mut passed = citation.clone();
    let mut changed = false;
    for text in [&mut passed.title, &mut passed.quoted]
        .into_iter()
        .flatten()
    {
        if let Some(new) = whole_text(active, text, tally)? {
            *text = Text::from(new);
            changed = true;
        }
    }
    Ok((passed, changed))
}

/// A choice that says why there is no answer.
pub fn refused_choice(index: u32, message: &str) -> Choice {
    Choice {
        index,
        blocks: vec![Content::new(Block::Text, Text::from(message))],
        logprobs: Vec::new(),
        finish: Some(FinishReason::ContentFilter),
    }
}

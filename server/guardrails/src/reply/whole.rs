//! What becomes of a reply that is all there.

use std::collections::BTreeMap;

use llm::Text;
use llm::chat::{Block, Choice, Content, FinishReason};

use super::choice::Kind;
use super::citation::citation_passed;
use super::guard::ReplyGuard;
use super::joined::Pieces;
use super::lane::Lane;
use crate::body::pass_nested;
use crate::ending::Ending;
use crate::ruleset::Active;
use crate::search::whole_text;
use crate::tally::{Blocked, Tally};

impl ReplyGuard {
    /// One choice of a reply that is all there; whether something of it was changed.
    pub(super) async fn whole_choice(&mut self, choice: &mut Choice) -> Result<bool, Blocked> {
        let (active, tally) = (&self.active, &mut self.tally);
        let mut changed = false;
        let mut ending = Ending::new(active);
        let mut cut = None;
        let mut answer = Several::of(Kind::Answer, choice, active, tally);
        let mut thoughts = Several::of(Kind::Thoughts, choice, active, tally);
        let mut refusals = Several::of(Kind::Refusal, choice, active, tally);
        for (at, content) in choice.blocks.iter_mut().enumerate() {
            let kind = Kind::of(&content.block);
            let several = match kind {
                Kind::Answer => &mut answer,
                Kind::Thoughts => &mut thoughts,
                Kind::Refusal => &mut refusals,
                Kind::Media | Kind::Arguments | Kind::Written => &mut None,
            };
            let new = match (kind, &mut *several) {
                (Kind::Media, _) => None,
                (Kind::Arguments, _) => pass_nested(active, &content.text, tally)?,
                (_, Some(several)) => several.texts.remove(&at),
                (_, None) => whole_text(active, &content.text, tally)?,
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
            if let Some(several) = several
                && let Some((_, blocked)) = several.refused.filter(|(last, _)| *last == at)
            {
                return Err(blocked);
            }
        }
        if let Some(at) = cut {
            choice.blocks.truncate(at + 1);
            choice.finish = Some(FinishReason::Length);
            changed = true;
        }
        if changed {
            choice.blocks.retain(|content| {
                let says = !content.text.is_empty() || content.seal.is_some();
                says || matches!(content.block, Block::ToolCall { .. })
            });
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

/// What several blocks of one kind say, read as one text.
struct Several {
    /// What else some of them say, by their places.
    texts: BTreeMap<usize, String>,
    /// The block up to which a rule lets them pass.
    refused: Option<(usize, Blocked)>,
}

impl Several {
    /// `None`: there are no two of them.
    fn of(kind: Kind, choice: &Choice, active: &Active, tally: &mut Tally) -> Option<Self> {
        let blocks = || {
            let blocks = (0u32..).zip(&choice.blocks);
            blocks
                .filter(|(_, content)| Kind::of(&content.block) == kind && !content.text.is_empty())
        };
        if !active.searches() || blocks().nth(1).is_none() {
            return None;
        }
        let mut lane = Lane::within(usize::MAX);
        let mut pieces = Pieces::new();
        let mut refused = None;
        let mut last = 0;
        for (block, content) in blocks() {
            last = block;
            if let Err(blocked) = lane.push(active, (block, &content.text), &mut pieces, tally) {
                refused = Some(blocked);
                break;
            }
        }
        if refused.is_none() {
            refused = lane.finish(active, &mut pieces, tally).err();
        }
        let mut texts = BTreeMap::new();
        for (block, _) in blocks() {
            if refused.is_some() || lane.is_changed_in(block) {
                texts.insert(block as usize, String::new());
            }
        }
        for (block, piece) in pieces {
            if let Some(text) = texts.get_mut(&(block as usize)) {
                text.push_str(&piece);
            }
        }
        Some(Self {
            texts,
            refused: refused.map(|blocked| (last as usize, blocked)),
        })
    }
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

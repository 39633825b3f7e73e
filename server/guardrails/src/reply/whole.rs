//! What becomes of a reply that is all there.

use llm::Text;
use llm::chat::{Block, Choice, Content, FinishReason};

use super::choice::Kind;
use super::citation::citation_passed;
use super::guard::ReplyGuard;
use crate::body::pass_nested;
use crate::ending::Ending;
use crate::search::whole_text;
use crate::tally::Blocked;

impl ReplyGuard {
    /// One choice of a reply that is all there; whether something of it was changed.
    pub(super) async fn whole_choice(&mut self, choice: &mut Choice) -> Result<bool, Blocked> {
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

/// A choice that says why there is no answer.
pub fn refused_choice(index: u32, message: &str) -> Choice {
    Choice {
        index,
        blocks: vec![Content::new(Block::Text, Text::from(message))],
        logprobs: Vec::new(),
        finish: Some(FinishReason::ContentFilter),
    }
}

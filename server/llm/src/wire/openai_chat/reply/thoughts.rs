//! What the model thought: a text, or `reasoning_details` with seals
//! (<https://openrouter.ai/docs/use-cases/reasoning-tokens#responses-api-shape>).

use super::{ChoiceState, Reader, Sink};
use crate::chat::{Block, Seal};
use crate::json::{Node, Span};
use crate::text::Text;
use crate::wire::openai_chat::read_detail;

/// Whether an item can be told anew.
fn is_known(item: &Node<'_>) -> bool {
    let kind = item.get("type").and_then(|kind| kind.str().ok());
    let kinds = ["reasoning.text", "reasoning.summary", "reasoning.encrypted"];
    kind.is_some_and(|kind| kinds.contains(&&*kind))
        && !item.has_beside(&[
            "type",
            "index",
            "id",
            "format",
            "text",
            "summary",
            "signature",
            "data",
        ])
}

impl<S: Sink> Reader<'_, '_, S> {
    /// A thought, or a piece of one, as a text alone.
    pub(super) fn think(&mut self, choice: &mut ChoiceState, text: Option<Text>) {
        if let Some(text) = text {
            if choice.reasoning.is_none() {
                choice.plain_reasoning = true;
            }
            self.say(choice, Block::Reasoning, text);
        }
    }

    /// Thoughts in detail. They say the same as `plain`, if they say anything.
    pub(super) fn details(&mut self, choice: &mut ChoiceState, span: Span, plain: Option<Text>) {
        let document = self.body.slice(span);
        let items: Vec<_> = match Node::parse(&document) {
            Ok(details) => {
                let items = details.array().unwrap_or_default().iter();
                choice.untold |= items.clone().any(|item| !is_known(item));
                items.filter_map(|item| read_detail(item).ok()).collect()
            }
            Err(_) => Vec::new(),
        };
        let detailed = items.iter().any(|(text, _)| !text.is_empty());
        if !detailed {
            self.think(choice, plain);
        }
        for (text, seal) in items {
            let again = choice.reasoning.is_some() && choice.plain_reasoning;
            let encrypted = seal.as_ref().is_some_and(|seal| seal.encrypted);
            if encrypted && text.is_empty() {
                // A thought of its own.
                choice.reasoning = None;
            }
            if !again {
                if choice.reasoning.is_none() {
                    choice.plain_reasoning = false;
                }
                self.say(choice, Block::Reasoning, text);
            }
            if let Some(seal) = seal {
                self.seal(choice, seal);
            }
        }
    }

    /// Seals the thought under way, or one that says nothing.
    pub(super) fn seal(&mut self, choice: &mut ChoiceState, seal: Seal) {
        let open = choice.reasoning.take();
        let index = open.unwrap_or_else(|| self.start(choice, Block::Reasoning));
        self.out.seal(choice.index, index, seal);
    }
}

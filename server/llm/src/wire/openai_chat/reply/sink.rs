//! Where what a reply says goes: to events, or straight into a whole reply.

use crate::chat::{
    Block, Choice, Citation, Content, FinishReason, Seal, StreamEvent, TokenLogprob,
};
use crate::text::Text;

/// Takes what is said of a choice, in the order of events.
pub(crate) trait Sink {
    fn start(&mut self, choice: u32, index: u32, block: Block);
    fn delta(&mut self, choice: u32, index: u32, text: Text);
    fn seal(&mut self, choice: u32, index: u32, seal: Seal);
    fn cite(&mut self, choice: u32, index: u32, citation: Citation);
    fn logprobs(&mut self, choice: u32, tokens: Vec<TokenLogprob>);
    fn finish(&mut self, choice: u32, reason: FinishReason);
}

impl Sink for Vec<StreamEvent> {
    fn start(&mut self, choice: u32, index: u32, block: Block) {
        self.push(StreamEvent::BlockStarted {
            choice,
            index,
            block,
        });
    }

    fn delta(&mut self, choice: u32, index: u32, text: Text) {
        self.push(StreamEvent::BlockDelta {
            choice,
            index,
            text,
        });
    }

    fn seal(&mut self, choice: u32, index: u32, seal: Seal) {
        self.push(StreamEvent::Sealed {
            choice,
            index,
            seal,
        });
    }

    fn cite(&mut self, choice: u32, index: u32, citation: Citation) {
        self.push(StreamEvent::Cited {
            choice,
            index,
            citation,
        });
    }

    fn logprobs(&mut self, choice: u32, tokens: Vec<TokenLogprob>) {
        self.push(StreamEvent::Logprobs { choice, tokens });
    }

    fn finish(&mut self, choice: u32, reason: FinishReason) {
        self.push(StreamEvent::Finished { choice, reason });
    }
}

/// The choices of a whole reply.
impl Sink for Vec<Choice> {
    fn start(&mut self, choice: u32, _: u32, block: Block) {
        let content = Content::new(block, Text::default());
        of(self, choice).blocks.push(content);
    }

    fn delta(&mut self, choice: u32, index: u32, more: Text) {
        if let Some(content) = of(self, choice).blocks.get_mut(index as usize) {
            if content.text.is_empty() {
                content.text = more;
            } else {
                content.text = Text::from([content.text.as_str(), &more].concat());
            }
        }
    }

    fn seal(&mut self, choice: u32, index: u32, seal: Seal) {
        if let Some(content) = of(self, choice).blocks.get_mut(index as usize) {
            content.seal = Some(seal);
        }
    }

    fn cite(&mut self, choice: u32, index: u32, citation: Citation) {
        if let Some(content) = of(self, choice).blocks.get_mut(index as usize) {
            content.citations.push(citation);
        }
    }

    fn logprobs(&mut self, choice: u32, tokens: Vec<TokenLogprob>) {
        of(self, choice).logprobs.extend(tokens);
    }

    fn finish(&mut self, choice: u32, reason: FinishReason) {
        of(self, choice).finish = Some(reason);
    }
}

fn of(choices: &mut Vec<Choice>, index: u32) -> &mut Choice {
    let known = choices.iter().position(|choice| choice.index == index);
    let at = known.unwrap_or_else(|| {
        choices.push(Choice {
            index,
            blocks: Vec::with_capacity(1),
            logprobs: Vec::new(),
            finish: None,
        });
        choices.len() - 1
    });
    &mut choices[at]
}

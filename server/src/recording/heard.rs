//! What an upstream has said of a streamed reply, as far as it is paid for.

use std::sync::{Arc, Mutex, PoisonError};

use llm::chat::{Block, StreamEvent, Usage};

/// What was heard of a reply.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Heard {
    pub usage: Option<Usage>,
    /// Bytes of text since the upstream last told its usage.
    pub text: u64,
    /// An image or a recording is being streamed, not text.
    media: bool,
}

impl Heard {
    pub fn hear(&mut self, event: &StreamEvent) {
        match event {
            StreamEvent::BlockDelta { text, .. } if !self.media => self.text += text.len() as u64,
            StreamEvent::BlockStarted { block, .. } => {
                self.media = matches!(block, Block::Media { .. });
                if let Block::ToolCall { name, .. } = block {
                    self.text += name.len() as u64;
                }
            }
            StreamEvent::Usage(usage) => {
                self.usage = Some(*usage);
                self.text = 0;
            }
            _ => {}
        }
    }
}

/// Hears a reply before rules hold any of it back, or take it away: it was made, and is paid for.
#[derive(Clone, Debug, Default)]
pub struct Ear(Arc<Mutex<Heard>>);

impl Ear {
    pub fn hear(&self, events: &[StreamEvent]) {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        events.iter().for_each(|event| heard.hear(event));
    }

    pub(super) fn heard(&self) -> Heard {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

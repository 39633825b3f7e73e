//! A reply in chunks: <https://platform.openai.com/docs/api-reference/chat-streaming>

use bytes::{Bytes, BytesMut};

use super::chunk::Chunks;
use super::delta::Deltas;
use super::message::wants_function_call;
use crate::chat::{ChatRequest, StreamEvent, Usage};
use crate::dialect::StreamEncoder;
use crate::error::ApiError;
use crate::framing::Frame;
use crate::json::quote;
use crate::wire::openai_chat::write_error;

/// OpenAI's own limit on `n`.
const MOST_CHOICES: u32 = 128;

/// The state of one reply stream on its way to the client.
#[derive(Debug)]
pub(super) struct Encoder {
    /// The client's name of the model, as JSON.
    model: Option<Bytes>,
    include_usage: bool,
    /// `[DONE]` or an error was written.
    over: bool,
    /// How many choices the client asked for.
    asked_for: u32,
    function_call: bool,
    chunks: Chunks,
    choices: Vec<Deltas>,
    /// Told at the end, once.
    usage: Option<Usage>,
}

impl Encoder {
    pub(super) fn new(request: &ChatRequest) -> Self {
        Self {
            model: request.model.as_deref().map(quote),
            include_usage: request.include_usage,
            over: false,
            asked_for: request.choices.min(MOST_CHOICES),
            function_call: wants_function_call(request),
            chunks: Chunks::new(request),
            choices: Vec::new(),
            usage: None,
        }
    }

    /// Writes chunks made from an event.
    fn make(&mut self, event: &StreamEvent, out: &mut BytesMut) {
        match event {
            StreamEvent::Started { id, model, created } => {
                let fallback = || quote(model);
                let model = self.model.clone().unwrap_or_else(fallback);
                self.chunks.begin(id, &model, *created);
            }
            StreamEvent::BlockStarted {
                choice,
                index,
                block,
            } => {
                let at = self.choice(*choice, out);
                self.choices[at].start(&mut self.chunks, *index, block, out);
            }
            StreamEvent::BlockDelta {
                choice,
                index,
                text,
            } => {
                let at = self.choice(*choice, out);
                self.choices[at].more(&mut self.chunks, *index, text, out);
            }
            StreamEvent::Sealed {
                choice,
                index,
                seal,
            } => {
                let at = self.choice(*choice, out);
                self.choices[at].seal(&mut self.chunks, *index, seal, out);
            }
            StreamEvent::Cited {
                choice,
                index,
                citation,
            } => {
                let at = self.choice(*choice, out);
                self.choices[at].cite(&mut self.chunks, *index, citation, out);
            }
            StreamEvent::Logprobs { choice, tokens } => {
                self.choice(*choice, out);
                self.chunks.logprobs(*choice, tokens, out);
            }
            StreamEvent::Untold => {}
            StreamEvent::Usage(usage) => self.usage = Some(*usage),
            StreamEvent::Finished { choice, reason } => {
                let at = self.choice(*choice, out);
                self.choices[at].finish(&mut self.chunks, reason, out);
            }
        }
    }

    /// Where a choice is; a new one begins with a chunk that says whose turn it is. The SDKs expect choices to begin in
    /// order.
    fn choice(&mut self, index: u32, out: &mut BytesMut) -> usize {
        if let Some(known) = self.choices.iter().position(|open| open.index == index) {
            return known;
        }
        let asked_for = index < self.asked_for;
        for earlier in (0..index).filter(|_| asked_for) {
            if self.choices.iter().all(|open| open.index != earlier) {
                self.begin(earlier, out);
            }
        }
        self.begin(index, out);
        self.choices.len() - 1
    }

    fn begin(&mut self, index: u32, out: &mut BytesMut) {
        self.chunks.delta(index, out, |delta| {
            delta.string("role", "assistant");
            delta.string("content", "");
            delta.null("refusal");
        });
        self.choices.push(Deltas::new(index, self.function_call));
    }
}

impl StreamEncoder for Encoder {
    fn encode(&mut self, frame: Option<&Frame>, events: &[StreamEvent], out: &mut BytesMut) {
        if self.over {
            return;
        }
        match frame {
            Some(frame) => {
                self.over = frame.marks.last;
                if self.include_usage || !frame.marks.usage_only {
                    frame.write(self.model.as_deref(), out);
                }
            }
            None => {
                for event in events {
                    self.make(event, out);
                }
            }
        }
    }

    fn encode_error(&mut self, error: &ApiError, out: &mut BytesMut) {
        if !std::mem::replace(&mut self.over, true) {
            out.extend_from_slice(b"data: ");
            out.extend_from_slice(&write_error(error));
            out.extend_from_slice(b"\n\n");
        }
    }

    fn finish(&mut self, out: &mut BytesMut) {
        if std::mem::replace(&mut self.over, true) {
            return;
        }
        if let Some(usage) = self.usage.filter(|_| self.include_usage) {
            self.chunks.usage(&usage, out);
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }
}

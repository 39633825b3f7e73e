//! A reply in chunks, each of the shape of a whole one.

use bytes::{Bytes, BytesMut};

use super::response::is_text;
use crate::chat::{ChatRequest, FinishReason, Stamp, StreamEvent, TokenLogprob, Usage};
use crate::dialect::StreamEncoder;
use crate::error::ApiError;
use crate::framing::Frame;
use crate::json::{ObjectWriter, append_object, quote};
use crate::text::Text;
use crate::wire::openai_chat::{write_error, write_usage};

/// The state of one reply stream on its way to the client.
#[derive(Debug)]
pub(super) struct Encoder {
    model: Option<String>,
    /// The same as JSON.
    quoted: Option<Bytes>,
    include_usage: bool,
    stamp: Stamp,
    /// `[DONE]` or an error was written.
    over: bool,
    id: Text,
    created: i64,
    upstream_model: Text,
    choices: Vec<Open>,
    /// Told at the end, once.
    usage: Option<Usage>,
}

/// A choice: which of its blocks are text, and how far its tokens have come.
#[derive(Debug)]
struct Open {
    index: u32,
    texts: Vec<bool>,
    offset: usize,
}

impl Encoder {
    pub(super) fn new(request: &ChatRequest) -> Self {
        Self {
            model: request.model.clone(),
            quoted: request.model.as_deref().map(quote),
            include_usage: request.include_usage,
            stamp: request.stamp,
            over: false,
            id: Text::default(),
            created: request.stamp.at,
            upstream_model: Text::default(),
            choices: Vec::new(),
            usage: None,
        }
    }

    fn open(&mut self, index: u32) -> &mut Open {
        let known = self.choices.iter().position(|open| open.index == index);
        let at = known.unwrap_or_else(|| {
            self.choices.push(Open {
                index,
                texts: Vec::new(),
                offset: 0,
            });
            self.choices.len() - 1
        });
        &mut self.choices[at]
    }

    fn make(&mut self, event: &StreamEvent, out: &mut BytesMut) {
        match event {
            StreamEvent::Started { id, model, created } => {
                self.id = if id.is_empty() {
                    Text::from(self.stamp.id("cmpl-"))
                } else {
                    id.clone()
                };
                self.created = created.unwrap_or(self.stamp.at);
                self.upstream_model = model.clone();
            }
            StreamEvent::BlockStarted { choice, block, .. } => {
                let text = is_text(block);
                self.open(*choice).texts.push(text);
            }
            StreamEvent::BlockDelta {
                choice,
                index,
                text,
            } => {
                if self.open(*choice).texts.get(*index as usize) == Some(&true) {
                    self.chunk(*choice, text, &[], None, out);
                }
            }
            StreamEvent::Logprobs { choice, tokens } => {
                self.chunk(*choice, "", tokens, None, out);
            }
            StreamEvent::Usage(usage) => self.usage = Some(*usage),
            StreamEvent::Sealed { .. } | StreamEvent::Cited { .. } | StreamEvent::Untold => {}
            StreamEvent::Finished { choice, reason } => {
                self.chunk(*choice, "", &[], Some(reason), out);
            }
        }
    }

    fn chunk(
        &mut self,
        choice: u32,
        text: &str,
        tokens: &[TokenLogprob],
        finish: Option<&FinishReason>,
        out: &mut BytesMut,
    ) {
        let mut offset = self.open(choice).offset;
        self.write(out, |chunk| {
            chunk.array("choices", |list| {
                list.object(|one| {
                    one.string("text", text);
                    one.plain("index", choice);
                    write_logprobs(tokens, &mut offset, one);
                    match finish {
                        Some(reason) => one.string("finish_reason", reason.as_str()),
                        None => one.null("finish_reason"),
                    }
                });
            });
            if self.include_usage {
                chunk.null("usage");
            }
        });
        self.open(choice).offset = offset;
    }

    fn write(&self, out: &mut BytesMut, rest: impl FnOnce(&mut ObjectWriter<'_>)) {
        out.extend_from_slice(b"data: ");
        append_object(out, |chunk| {
            chunk.string("id", &self.id);
            chunk.string("object", "text_completion");
            chunk.plain("created", self.created);
            let model = self.model.as_deref().unwrap_or(&self.upstream_model);
            chunk.string("model", model);
            rest(chunk);
        });
        out.extend_from_slice(b"\n\n");
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
                    frame.write(self.quoted.as_deref(), out);
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
            self.write(out, |chunk| {
                chunk.array("choices", |_| {});
                chunk.object("usage", |out| write_usage(out, &usage));
            });
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }
}

/// Tokens, their probabilities, and where in the answer each begins, in characters.
pub(super) fn write_logprobs(
    tokens: &[TokenLogprob],
    offset: &mut usize,
    out: &mut ObjectWriter<'_>,
) {
    if tokens.is_empty() {
        out.null("logprobs");
        return;
    }
    out.object("logprobs", |logprobs| {
        logprobs.array("tokens", |list| {
            tokens.iter().for_each(|one| list.string(&one.token));
        });
        logprobs.array("token_logprobs", |list| {
            tokens.iter().for_each(|one| list.json(&one.logprob));
        });
        if tokens.iter().all(|one| one.top.is_empty()) {
            logprobs.null("top_logprobs");
        } else {
            logprobs.array("top_logprobs", |list| {
                for one in tokens {
                    list.object(|top| {
                        for (token, logprob) in &one.top {
                            top.json(token, logprob);
                        }
                    });
                }
            });
        }
        logprobs.array("text_offset", |list| {
            for one in tokens {
                list.item().plain(*offset);
                *offset += one.token.chars().count();
            }
        });
    });
}

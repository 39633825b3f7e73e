//! A reply in chunks: server-sent events, or the items of one JSON array.

use bytes::BytesMut;

use super::open::{Held, Open, Shape};
use super::outer::Outer;
use super::response::write_content;
use crate::chat::{Block, ChatRequest, Protocol, Seal, Stamp, StreamEvent, Usage, Variant};
use crate::dialect::StreamEncoder;
use crate::error::ApiError;
use crate::framing::Frame;
use crate::json::{Json, ObjectWriter, append_object, quote};
use crate::text::Text;
use crate::wire::gemini::{PartWriter, write_error, write_usage};

/// The state of one reply stream on its way to the client.
///
/// Clients of this protocol get calls and pictures whole: from the first of them on, a choice's blocks are held
/// until it ends. Reasons and usage come in a last chunk.
#[derive(Debug)]
pub(super) struct Encoder {
    /// The client's name of the model.
    model: Option<Json>,
    stamp: Stamp,
    outer: Outer,
    /// An error was written, or the end.
    over: bool,
    made: Made,
}

/// What chunks made from events have to say again and again, and what is yet to be said.
#[derive(Debug, Default)]
struct Made {
    started: bool,
    id: Text,
    upstream_model: Text,
    choices: Vec<Open>,
    usage: Option<Usage>,
}

impl Encoder {
    pub(super) fn new(request: &ChatRequest) -> Self {
        Self {
            model: request.model.as_deref().map(|model| {
                let quoted = Text::from_utf8(quote(model)).expect("JSON is UTF-8");
                Json::of_valid(quoted)
            }),
            stamp: request.stamp,
            outer: match request.variant {
                Variant::Usual => Outer::Events,
                Variant::JsonArray => Outer::Array(false),
            },
            over: false,
            made: Made::default(),
        }
    }

    /// A frame in the client's protocol, with the client's name of the model.
    fn carry(&mut self, frame: &Frame, out: &mut BytesMut) {
        if self.outer == Outer::Events {
            let model = self.model.as_ref().map(|model| model.as_str().as_bytes());
            frame.write(model, out);
            return;
        }
        // Comments have no place in an array.
        if frame.data.trim_ascii().is_empty() || frame.data.trim_ascii() == b"[DONE]" {
            return;
        }
        self.outer.before(out);
        match (&frame.marks.model, &self.model) {
            (Some(span), Some(model)) => {
                out.extend_from_slice(&frame.data[..span.start]);
                out.extend_from_slice(model.as_str().as_bytes());
                out.extend_from_slice(&frame.data[span.end..]);
            }
            _ => out.extend_from_slice(&frame.data),
        }
        self.outer.after(out);
    }

    /// Writes the chunks that an event makes.
    fn make(&mut self, event: &StreamEvent, out: &mut BytesMut) {
        match event {
            StreamEvent::Started { id, model, .. } => {
                self.made.started = true;
                self.made.id = if id.is_empty() {
                    Text::from(self.stamp.id(""))
                } else {
                    id.clone()
                };
                self.made.upstream_model = model.clone();
            }
            StreamEvent::BlockStarted { choice, block, .. } => {
                self.made.open(*choice).start(block);
            }
            StreamEvent::BlockDelta {
                choice,
                index,
                text,
            } => {
                let open = self.made.open(*choice);
                let Some(shape) = open.blocks.get_mut(*index as usize) else {
                    return;
                };
                match shape {
                    Shape::Text => {
                        open.said(*index, text);
                        self.chunk(*choice, |parts| parts.text(text), out);
                    }
                    Shape::Thought(said) => {
                        *said = true;
                        self.chunk(*choice, |parts| parts.thought(text, None), out);
                    }
                    Shape::Held(at) => open.held[*at].text.push_str(text),
                }
            }
            StreamEvent::Sealed {
                choice,
                index,
                seal,
            } => self.seal(*choice, *index, seal, out),
            StreamEvent::Cited {
                choice,
                index,
                citation,
            } => {
                let sources = &mut self.made.open(*choice).sources;
                sources.push((*index, citation.clone()));
            }
            StreamEvent::Logprobs { choice, tokens } => {
                let logprobs = &mut self.made.open(*choice).logprobs;
                logprobs.extend_from_slice(tokens);
            }
            StreamEvent::Untold => {}
            StreamEvent::Usage(usage) => self.made.usage = Some(*usage),
            StreamEvent::Finished { choice, reason } => {
                let open = self.made.open(*choice);
                open.finish = Some(reason.clone());
                let held = std::mem::take(&mut open.held);
                if held.is_empty() {
                    return;
                }
                for (at, shape) in (0..).zip(&open.blocks) {
                    if let Shape::Held(held_at) = shape
                        && held[*held_at].block == Block::Text
                    {
                        open.texts.push((at, held[*held_at].text.clone()));
                    }
                }
                let held: Vec<_> = held.into_iter().map(Held::content).collect();
                let write = |parts: &mut PartWriter<'_, '_>| {
                    for content in &held {
                        write_content(content, parts);
                    }
                };
                self.chunk(*choice, write, out);
            }
        }
    }

    fn seal(&mut self, choice: u32, index: u32, seal: &Seal, out: &mut BytesMut) {
        let open = self.made.open(choice);
        match open.blocks.get(index as usize) {
            Some(Shape::Held(at)) => open.held[*at].seal = Some(seal.clone()),
            Some(Shape::Thought(true)) => {
                let signature = seal.for_client(Protocol::Gemini);
                self.chunk(choice, |parts| parts.thought("", Some(&signature)), out);
            }
            Some(Shape::Thought(false)) => {
                let signature = seal.for_client(Protocol::Gemini);
                if open.signature.is_some() {
                    self.chunk(choice, |parts| parts.end(), out);
                }
                self.made.open(choice).signature = Some(signature);
            }
            Some(Shape::Text) | None => {}
        }
    }

    /// A chunk with some parts of a choice's content.
    fn chunk(
        &mut self,
        choice: u32,
        write: impl FnOnce(&mut PartWriter<'_, '_>),
        out: &mut BytesMut,
    ) {
        let mut signature = self.made.open(choice).signature.take();
        self.reply(out, |reply| {
            reply.array("candidates", |candidates| {
                candidates.object(|candidate| {
                    candidate.object("content", |content| {
                        content.array("parts", |parts| {
                            let mut parts = PartWriter::new(parts, signature.take());
                            write(&mut parts);
                            signature = parts.into_signature();
                        });
                        content.string("role", "model");
                    });
                    candidate.plain("index", choice);
                });
            });
        });
        self.made.open(choice).signature = signature;
    }

    /// The chunk that says how each choice ended, and what all of it took.
    fn last(&mut self, out: &mut BytesMut) {
        let mut choices = std::mem::take(&mut self.made.choices);
        choices.sort_by_key(|open| open.index);
        let usage = self.made.usage;
        self.reply(out, |reply| {
            if !choices.is_empty() {
                reply.array("candidates", |candidates| {
                    for open in &mut choices {
                        candidates.object(|candidate| open.end(candidate));
                    }
                });
            }
            if let Some(usage) = &usage {
                reply.object("usageMetadata", |metadata| write_usage(metadata, usage));
            }
        });
    }

    fn reply(&mut self, out: &mut BytesMut, write: impl FnOnce(&mut ObjectWriter<'_>)) {
        self.outer.before(out);
        append_object(out, |reply| {
            write(reply);
            match &self.model {
                Some(model) => reply.json("modelVersion", model),
                None => reply.string("modelVersion", &self.made.upstream_model),
            }
            reply.string("responseId", &self.made.id);
        });
        self.outer.after(out);
    }
}

impl StreamEncoder for Encoder {
    fn encode(&mut self, frame: Option<&Frame>, events: &[StreamEvent], out: &mut BytesMut) {
        if self.over {
            return;
        }
        match frame {
            Some(frame) => self.carry(frame, out),
            None => {
                for event in events {
                    self.make(event, out);
                }
            }
        }
    }

    fn encode_error(&mut self, error: &ApiError, out: &mut BytesMut) {
        if !std::mem::replace(&mut self.over, true) {
            self.outer.before(out);
            out.extend_from_slice(&write_error(error));
            self.outer.after(out);
            self.outer.end(out);
        }
    }

    fn finish(&mut self, out: &mut BytesMut) {
        if std::mem::replace(&mut self.over, true) {
            return;
        }
        if self.made.started {
            self.last(out);
        }
        self.outer.end(out);
    }
}

impl Made {
    fn open(&mut self, index: u32) -> &mut Open {
        let known = self.choices.iter().position(|open| open.index == index);
        let at = known.unwrap_or_else(|| {
            self.choices.push(Open {
                index,
                ..Open::default()
            });
            self.choices.len() - 1
        });
        &mut self.choices[at]
    }
}

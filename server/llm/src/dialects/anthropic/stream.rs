//! A reply as events: <https://docs.anthropic.com/en/docs/build-with-claude/streaming>

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use super::arguments::Arguments;
use super::response::call_id;
use crate::chat::{
    Block, ChatRequest, Citation, FinishReason, Protocol, Seal, Stamp, StreamEvent, ToolKind, Usage,
};
use crate::dialect::StreamEncoder;
use crate::error::ApiError;
use crate::framing::Frame;
use crate::json::{Json, ObjectWriter, append_object, quote};
use crate::text::Text;
use crate::wire::anthropic::{
    FREE_TEXT, sayable, write_citation, write_error, write_stop, write_usage,
};

/// The protocol has one choice: of what others may have made, the first.
const ONLY: u32 = 0;

/// The state of one reply stream on its way to the client.
#[derive(Debug)]
pub(super) struct Encoder {
    /// The client's name of the model, as JSON.
    model: Option<Bytes>,
    /// `message_stop` or an error was written.
    over: bool,
    made: Made,
}

/// A reply made from events.
///
/// The protocol has one block open at a time, and none is opened twice. A block of text or thought can be
/// closed whenever another one has something to say: what it says later goes into a new block of its kind. A
/// call cannot be parted; while its arguments are not complete, what others say is held, and then written
/// block by block.
#[derive(Debug, Default)]
struct Made {
    stamp: Stamp,
    id: Text,
    model: Bytes,
    state: State,
    usage: Usage,
    finish: Option<FinishReason>,
    refusal: String,
    called: bool,
    blocks: Vec<Known>,
    open: Option<Open>,
    /// How many blocks were written.
    written: u32,
    held: VecDeque<Held>,
    /// How many were taken out of `held`.
    released: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Nothing,
    /// The reply began, `message_start` was not written yet.
    Started,
    Begun,
}

/// A block of the reply.
#[derive(Debug)]
struct Known {
    block: Block,
    /// A call that was written in full.
    closed: bool,
    /// Where it waits: its place in `held`, counted from the first that ever waited.
    held: Option<usize>,
}

/// The block that is being written.
#[derive(Debug)]
struct Open {
    index: usize,
    shape: Shape,
}

#[derive(Debug)]
enum Shape {
    Text,
    Thinking,
    Redacted,
    Call(Arguments),
    FreeText,
}

#[derive(Debug)]
struct Held {
    index: usize,
    pieces: Vec<Piece>,
}

#[derive(Debug)]
enum Piece {
    Start,
    Text(Text),
    Seal(Seal),
    Citation(Citation),
}

impl Encoder {
    pub(super) fn new(request: &ChatRequest) -> Self {
        Self {
            model: request.model.as_deref().map(quote),
            over: false,
            made: Made {
                stamp: request.stamp,
                ..Made::default()
            },
        }
    }
}

impl StreamEncoder for Encoder {
    fn encode(&mut self, frame: Option<&Frame>, events: &[StreamEvent], out: &mut BytesMut) {
        if self.over {
            return;
        }
        if let Some(frame) = frame {
            self.over = frame.marks.last;
            frame.write(self.model.as_deref(), out);
            return;
        }
        for event in events {
            if let StreamEvent::Started { id, model, .. } = event {
                self.made.id = id.clone();
                self.made.model = self.model.clone().unwrap_or_else(|| quote(model));
                self.made.state = State::Started;
            }
            self.made.take(event, out);
        }
        // The client hears at once that the reply began, with the usage if it came along. Most protocols tell it at the
        // end: nothing is guessed here, and `message_delta`, whose counts are cumulative and replace those of
        // `message_start`, has all of them, input included.
        self.made.begin(out);
    }

    fn encode_error(&mut self, error: &ApiError, out: &mut BytesMut) {
        if !std::mem::replace(&mut self.over, true) {
            out.extend_from_slice(b"event: error\ndata: ");
            out.extend_from_slice(&write_error(error));
            out.extend_from_slice(b"\n\n");
        }
    }

    fn finish(&mut self, out: &mut BytesMut) {
        if !std::mem::replace(&mut self.over, true) {
            self.made.finish(out);
        }
    }
}

impl Made {
    fn take(&mut self, event: &StreamEvent, out: &mut BytesMut) {
        let (choice, index, piece) = match event {
            StreamEvent::Started { .. } | StreamEvent::Logprobs { .. } | StreamEvent::Untold => {
                return;
            }
            StreamEvent::Usage(usage) => {
                self.usage = *usage;
                return;
            }
            StreamEvent::Finished { choice, reason } => {
                if *choice == ONLY {
                    self.finish = Some(reason.clone());
                }
                return;
            }
            StreamEvent::BlockStarted {
                choice,
                index,
                block,
            } => {
                if *choice != ONLY {
                    return;
                }
                self.blocks.push(Known {
                    block: block.clone(),
                    closed: false,
                    held: None,
                });
                (choice, index, Piece::Start)
            }
            StreamEvent::BlockDelta {
                choice,
                index,
                text,
            } => (choice, index, Piece::Text(text.clone())),
            StreamEvent::Sealed {
                choice,
                index,
                seal,
            } => (choice, index, Piece::Seal(seal.clone())),
            StreamEvent::Cited {
                choice,
                index,
                citation,
            } => (choice, index, Piece::Citation(citation.clone())),
        };
        let index = *index as usize;
        if *choice == ONLY && index < self.blocks.len() {
            self.say(index, piece, out);
        }
    }

    /// Writes a piece of a block, or holds it until its block's turn has come.
    fn say(&mut self, index: usize, piece: Piece, out: &mut BytesMut) {
        let known = &self.blocks[index];
        match (&known.block, &piece) {
            (Block::Refusal, Piece::Text(text)) => return self.refusal.push_str(text),
            (Block::Refusal | Block::Media { .. }, _) => return,
            // A block of these is opened when it has something to say.
            (Block::Text | Block::Reasoning, Piece::Start) => return,
            _ if known.closed => return,
            _ => {}
        }
        let another = self.open.as_ref().filter(|open| open.index != index);
        if another.is_some_and(Open::must_go_on) {
            self.hold(index, piece);
        } else {
            self.write(index, &piece, out);
            self.release(out);
        }
    }

    fn hold(&mut self, index: usize, piece: Piece) {
        let next = self.released + self.held.len();
        let place = *self.blocks[index].held.get_or_insert(next);
        match self.held.get_mut(place - self.released) {
            Some(held) => held.pieces.push(piece),
            None => self.held.push_back(Held {
                index,
                pieces: vec![piece],
            }),
        }
    }

    /// Writes what waits, up to a call that is not complete.
    fn release(&mut self, out: &mut BytesMut) {
        while !self.open.as_ref().is_some_and(Open::must_go_on) {
            let Some(held) = self.held.pop_front() else {
                return;
            };
            self.released += 1;
            self.blocks[held.index].held = None;
            for piece in &held.pieces {
                self.write(held.index, piece, out);
            }
        }
    }

    /// Writes a piece of a block, which is opened if it is not open.
    fn write(&mut self, index: usize, piece: &Piece, out: &mut BytesMut) {
        if self.blocks[index].closed {
            return;
        }
        if self.open.as_ref().is_none_or(|open| open.index != index) {
            self.open(index, piece, out);
        }
        let at = self.written - 1;
        let Some(open) = &mut self.open else { return };
        match (&mut open.shape, piece) {
            (Shape::Text, Piece::Text(text)) => delta(out, at, "text_delta", "text", text),
            (Shape::Text, Piece::Citation(citation)) if sayable(citation) => {
                cite(out, at, citation);
            }
            (Shape::Thinking, Piece::Text(text)) => {
                delta(out, at, "thinking_delta", "thinking", text);
            }
            (Shape::Thinking, Piece::Seal(seal)) => {
                let data = seal.for_client(Protocol::Anthropic);
                delta(out, at, "signature_delta", "signature", &data);
            }
            (Shape::Call(arguments), Piece::Text(text)) => {
                let part = arguments.take(text);
                if !part.is_empty() {
                    delta(out, at, "input_json_delta", "partial_json", &text[part]);
                }
                if arguments.complete() {
                    self.close(out);
                }
            }
            (Shape::FreeText, Piece::Text(text)) => {
                let quoted = quote(text);
                let inner = std::str::from_utf8(&quoted[1..quoted.len() - 1]).unwrap_or_default();
                delta(out, at, "input_json_delta", "partial_json", inner);
            }
            _ => {}
        }
    }

    fn open(&mut self, index: usize, first: &Piece, out: &mut BytesMut) {
        self.begin(out);
        self.close(out);
        let at = self.written;
        self.written += 1;
        let stamp = self.stamp;
        let shape = match &self.blocks[index].block {
            Block::ToolCall { id, name, kind } => {
                self.called = true;
                start(out, at, |block| {
                    block.string("type", "tool_use");
                    if id.is_empty() {
                        block.string("id", &call_id(stamp, index));
                    } else {
                        block.string("id", id);
                    }
                    block.string("name", name);
                    block.object("input", |_| {});
                });
                if *kind == ToolKind::Custom {
                    let opening = format!("{{\"{FREE_TEXT}\":\"");
                    delta(out, at, "input_json_delta", "partial_json", &opening);
                    Shape::FreeText
                } else {
                    Shape::Call(Arguments::default())
                }
            }
            Block::Reasoning => match first {
                Piece::Seal(seal) if seal.encrypted => {
                    let data = seal.for_client(Protocol::Anthropic);
                    start(out, at, |block| {
                        block.string("type", "redacted_thinking");
                        block.string("data", &data);
                    });
                    Shape::Redacted
                }
                _ => {
                    start(out, at, |block| {
                        block.string("type", "thinking");
                        block.string("thinking", "");
                        block.string("signature", "");
                    });
                    Shape::Thinking
                }
            },
            Block::Text | Block::Refusal | Block::Media { .. } => {
                start(out, at, |block| {
                    block.string("type", "text");
                    block.string("text", "");
                });
                Shape::Text
            }
        };
        self.open = Some(Open { index, shape });
    }

    fn close(&mut self, out: &mut BytesMut) {
        let Some(open) = self.open.take() else { return };
        let at = self.written - 1;
        match open.shape {
            Shape::FreeText => delta(out, at, "input_json_delta", "partial_json", "\"}"),
            Shape::Text | Shape::Thinking | Shape::Redacted | Shape::Call(_) => {}
        }
        self.blocks[open.index].closed = matches!(open.shape, Shape::FreeText | Shape::Call(_));
        event(out, "content_block_stop", |out| out.plain("index", at));
    }

    fn begin(&mut self, out: &mut BytesMut) {
        if self.state != State::Started {
            return;
        }
        self.state = State::Begun;
        event(out, "message_start", |out| {
            out.object("message", |message| {
                if self.id.is_empty() {
                    message.string("id", &self.stamp.id("msg_"));
                } else {
                    message.string("id", &self.id);
                }
                message.string("type", "message");
                message.string("role", "assistant");
                let model = Text::from_utf8(self.model.clone()).unwrap_or_default();
                message.json("model", &Json::of_valid(model));
                message.array("content", |_| {});
                message.null("stop_reason");
                message.null("stop_sequence");
                message.object("usage", |usage| write_usage(&self.usage, usage));
            });
        });
    }

    fn finish(&mut self, out: &mut BytesMut) {
        if self.state == State::Nothing {
            return;
        }
        self.begin(out);
        self.close(out);
        while !self.held.is_empty() {
            self.release(out);
            self.close(out);
        }
        event(out, "message_delta", |out| {
            out.object("delta", |delta| {
                write_stop(self.finish.as_ref(), self.called, &self.refusal, delta);
            });
            out.object("usage", |usage| write_usage(&self.usage, usage));
        });
        event(out, "message_stop", |_| {});
    }
}

impl Open {
    /// Whether it would be torn apart if another block came now.
    fn must_go_on(&self) -> bool {
        matches!(self.shape, Shape::Call(_) | Shape::FreeText)
    }
}

fn event(out: &mut BytesMut, name: &str, write: impl FnOnce(&mut ObjectWriter<'_>)) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    append_object(out, |data| {
        data.string("type", name);
        write(data);
    });
    out.extend_from_slice(b"\n\n");
}

fn start(out: &mut BytesMut, at: u32, write: impl FnOnce(&mut ObjectWriter<'_>)) {
    event(out, "content_block_start", |data| {
        data.plain("index", at);
        data.object("content_block", write);
    });
}

fn delta(out: &mut BytesMut, at: u32, kind: &str, key: &str, text: &str) {
    event(out, "content_block_delta", |data| {
        data.plain("index", at);
        data.object("delta", |delta| {
            delta.string("type", kind);
            delta.string(key, text);
        });
    });
}

fn cite(out: &mut BytesMut, at: u32, citation: &Citation) {
    event(out, "content_block_delta", |data| {
        data.plain("index", at);
        data.object("delta", |delta| {
            delta.string("type", "citations_delta");
            write_citation(citation, delta.member("citation"));
        });
    });
}

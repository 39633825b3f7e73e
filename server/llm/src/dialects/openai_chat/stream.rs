//! A reply in chunks.

use bytes::{Bytes, BytesMut};
use serde_json::{Value, json};

use crate::chat::{Block, ChatRequest, StreamEvent, ToolKind, Usage};
use crate::dialect::StreamEncoder;
use crate::error::ApiError;
use crate::framing::Frame;
use crate::json::quote;
use crate::text::Text;
use crate::wire::openai_chat::{usage_object, write_error};

/// The state of one reply stream on its way to the client.
#[derive(Debug)]
pub(super) struct Encoder {
    /// The client's name of the model, as JSON.
    model: Option<Bytes>,
    include_usage: bool,
    /// `[DONE]` or an error was written.
    over: bool,
    made: Made,
}

/// What chunks made from events have to say again and again.
#[derive(Debug, Default)]
struct Made {
    id: Text,
    created: i64,
    upstream_model: Text,
    choices: Vec<Open>,
    /// Told at the end, once.
    usage: Option<Usage>,
}

/// A choice, and what its blocks are.
#[derive(Debug)]
struct Open {
    index: u32,
    blocks: Vec<Shape>,
    calls: u32,
}

#[derive(Clone, Copy, Debug)]
enum Shape {
    Member(&'static str),
    /// Nothing of it can be said.
    Silent,
    Call {
        index: u32,
        kind: ToolKind,
    },
}

impl Encoder {
    pub(super) fn new(request: &ChatRequest) -> Self {
        Self {
            model: request.model.as_deref().map(quote),
            include_usage: request.include_usage,
            over: false,
            made: Made::default(),
        }
    }

    /// Writes a chunk made from an event.
    fn make(&mut self, event: &StreamEvent, out: &mut BytesMut) {
        match event {
            StreamEvent::Started { id, model, created } => {
                self.made.id = id.clone();
                self.made.created = created.unwrap_or(0);
                self.made.upstream_model = model.clone();
            }
            StreamEvent::BlockStarted {
                choice,
                index,
                block,
            } => {
                self.role(*choice, out);
                let open = self.made.open(*choice);
                let shape = open.add(*index, block);
                if let (Shape::Call { index, kind }, Block::ToolCall { id, name, .. }) =
                    (shape, block)
                {
                    let delta = call_start(index, kind, id, name);
                    self.chunk(*choice, &delta, None, out);
                }
            }
            StreamEvent::BlockDelta {
                choice,
                index,
                text,
            } => {
                let open = self.made.open(*choice);
                if let Some(shape) = open.blocks.get(*index as usize).copied() {
                    self.chunk(*choice, &shape.delta(text), None, out);
                }
            }
            StreamEvent::Usage(usage) => self.made.usage = Some(*usage),
            StreamEvent::Sealed { .. }
            | StreamEvent::Cited { .. }
            | StreamEvent::Logprobs { .. } => {}
            StreamEvent::Finished { choice, reason } => {
                self.role(*choice, out);
                self.chunk(*choice, &json!({}), Some(reason.as_str()), out);
            }
        }
    }

    /// The chunk that a choice begins with.
    fn role(&mut self, choice: u32, out: &mut BytesMut) {
        if self.made.choices.iter().all(|open| open.index != choice) {
            self.made.open(choice);
            let delta = json!({"role": "assistant", "content": ""});
            self.chunk(choice, &delta, None, out);
        }
    }

    fn chunk(&self, choice: u32, delta: &Value, finish: Option<&str>, out: &mut BytesMut) {
        let choices =
            json!([{"index": choice, "delta": delta, "logprobs": null, "finish_reason": finish}]);
        self.write(&choices, None, out);
    }

    fn write(&self, choices: &Value, usage: Option<&Usage>, out: &mut BytesMut) {
        let fallback = || quote(&self.made.upstream_model);
        let model = self.model.clone().unwrap_or_else(fallback);
        out.extend_from_slice(b"data: {\"id\":");
        out.extend_from_slice(&quote(&self.made.id));
        out.extend_from_slice(b",\"object\":\"chat.completion.chunk\",\"created\":");
        out.extend_from_slice(self.made.created.to_string().as_bytes());
        out.extend_from_slice(b",\"model\":");
        out.extend_from_slice(&model);
        out.extend_from_slice(b",\"choices\":");
        out.extend_from_slice(choices.to_string().as_bytes());
        if self.include_usage {
            let usage = usage.map_or(Value::Null, usage_object);
            out.extend_from_slice(b",\"usage\":");
            out.extend_from_slice(usage.to_string().as_bytes());
        }
        out.extend_from_slice(b"}\n\n");
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
        if let Some(usage) = self.made.usage.filter(|_| self.include_usage) {
            self.write(&json!([]), Some(&usage), out);
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }
}

impl Made {
    fn open(&mut self, index: u32) -> &mut Open {
        let known = self.choices.iter().position(|open| open.index == index);
        let at = known.unwrap_or_else(|| {
            self.choices.push(Open {
                index,
                blocks: Vec::new(),
                calls: 0,
            });
            self.choices.len() - 1
        });
        &mut self.choices[at]
    }
}

impl Open {
    fn add(&mut self, index: u32, block: &Block) -> Shape {
        debug_assert_eq!(index as usize, self.blocks.len());
        let shape = match block {
            Block::Text => Shape::Member("content"),
            Block::Reasoning => Shape::Member("reasoning_content"),
            Block::Refusal => Shape::Member("refusal"),
            Block::Media { .. } => Shape::Silent,
            Block::ToolCall { kind, .. } => {
                let index = self.calls;
                self.calls += 1;
                Shape::Call { index, kind: *kind }
            }
        };
        self.blocks.push(shape);
        shape
    }
}

impl Shape {
    fn delta(self, text: &Text) -> Value {
        let text = text.as_str();
        match self {
            Self::Member(name) => json!({ name: text }),
            Self::Silent => json!({}),
            Self::Call { index, kind } => match kind {
                ToolKind::Function => {
                    json!({"tool_calls": [{"index": index, "function": {"arguments": text}}]})
                }
                ToolKind::Custom => {
                    json!({"tool_calls": [{"index": index, "custom": {"input": text}}]})
                }
                ToolKind::LegacyFunction => json!({"function_call": {"arguments": text}}),
            },
        }
    }
}

fn call_start(index: u32, kind: ToolKind, id: &Text, name: &Text) -> Value {
    let (id, name) = (id.as_str(), name.as_str());
    match kind {
        ToolKind::Function => json!({"tool_calls": [{
            "index": index, "id": id, "type": "function", "function": {"name": name, "arguments": ""},
        }]}),
        ToolKind::Custom => json!({"tool_calls": [{
            "index": index, "id": id, "type": "custom", "custom": {"name": name, "input": ""},
        }]}),
        ToolKind::LegacyFunction => json!({"function_call": {"name": name, "arguments": ""}}),
    }
}

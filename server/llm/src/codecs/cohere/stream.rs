//! A reply in events: <https://docs.cohere.com/v2/docs/streaming>

use super::{citation, errors, parts};
use crate::chat::{Block, Citation, StreamEvent, ToolKind};
use crate::codec::StreamDecoder;
use crate::error::{ApiError, ErrorKind, ErrorSource};
use crate::framing::Frame;
use crate::json::{Node, ShapeError};
use crate::text::Text;

/// The state of one reply stream. It is whole once `message-end` came; what follows is ignored.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    started: bool,
    done: bool,
    blocks: u32,
    plan: Option<u32>,
    /// Content blocks and calls have numbers of their own; ours they have once they said something.
    contents: Vec<Open>,
    calls: Vec<Open>,
    /// The first text.
    text: Option<u32>,
}

#[derive(Debug)]
struct Open {
    /// The upstream's number.
    index: u64,
    block: u32,
    is_text: bool,
}

impl StreamDecoder for Decoder {
    fn decode(&mut self, frame: &mut Frame, out: &mut Vec<StreamEvent>) -> Result<(), ApiError> {
        if self.done || frame.data.is_empty() || frame.data.trim_ascii() == b"[DONE]" {
            return Ok(());
        }
        let root = Node::parse(&frame.data).map_err(|error| {
            bad_reply(format!(
                "the upstream sent a stream event that is not what it should be: {error}"
            ))
        })?;
        if let Some(error) = errors::of_body(&root) {
            return Err(error);
        }
        let bad = |error: ShapeError| error.bad_reply();
        let kind = root.require("type").and_then(Node::str).map_err(bad)?;
        if kind == "message-end" {
            self.end(&root, out)?;
            frame.marks.last = true;
            return Ok(());
        }
        self.event(&kind, &root, out).map_err(bad)
    }

    fn finish(&mut self, _: &mut Vec<StreamEvent>) -> Result<(), ApiError> {
        if self.done {
            return Ok(());
        }
        Err(bad_reply(
            "the upstream's stream ended before the reply did",
        ))
    }
}

impl Decoder {
    fn start(&mut self, id: Option<Text>, out: &mut Vec<StreamEvent>) {
        if !std::mem::replace(&mut self.started, true) {
            out.push(StreamEvent::Started {
                id: id.unwrap_or_default(),
                model: Text::default(),
                created: None,
            });
        }
    }

    fn event(
        &mut self,
        kind: &str,
        root: &Node<'_>,
        out: &mut Vec<StreamEvent>,
    ) -> Result<(), ShapeError> {
        if kind == "message-start" {
            let id = root.get("id").map(Node::text).transpose()?;
            self.start(id, out);
            return Ok(());
        }
        let message = root.get("delta").and_then(|delta| delta.get("message"));
        let Some(message) = message else {
            return Ok(());
        };
        self.start(None, out);
        let index = root.get("index").map_or(Ok(0), Node::u64)?;
        match kind {
            "content-start" | "content-delta" => {
                if let Some(content) = message.get("content") {
                    self.content(index, content, out)?;
                }
                let tokens = root.get("logprobs").map(parts::logprob).transpose()?;
                if let Some(token) = tokens.flatten() {
                    out.push(StreamEvent::Logprobs {
                        choice: 0,
                        tokens: vec![token],
                    });
                }
            }
            "tool-plan-delta" => {
                let plan = message.get("tool_plan").map(Node::text).transpose()?;
                if let Some(text) = plan.filter(|text| !text.is_empty()) {
                    let block = match self.plan {
                        Some(block) => block,
                        None => self.begin(Block::Reasoning, out),
                    };
                    self.plan = Some(block);
                    say(block, text, out);
                }
            }
            "tool-call-start" | "tool-call-delta" => {
                if let Some(call) = message.get("tool_calls") {
                    self.call(kind == "tool-call-start", index, call, out)?;
                }
            }
            "citation-start" => {
                if let Some(cited) = message.get("citations") {
                    self.cite(cited, out)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn begin(&mut self, block: Block, out: &mut Vec<StreamEvent>) -> u32 {
        let index = self.blocks;
        self.blocks += 1;
        out.push(StreamEvent::BlockStarted {
            choice: 0,
            index,
            block,
        });
        index
    }

    fn content(
        &mut self,
        index: u64,
        content: &Node<'_>,
        out: &mut Vec<StreamEvent>,
    ) -> Result<(), ShapeError> {
        for (key, block) in [("thinking", Block::Reasoning), ("text", Block::Text)] {
            let text = content.get(key).map(Node::text).transpose()?;
            let Some(text) = text.filter(|text| !text.is_empty()) else {
                continue;
            };
            let is_text = block == Block::Text;
            let same = |open: &&Open| open.index == index && open.is_text == is_text;
            let place = match self.contents.iter().find(same) {
                Some(open) => open.block,
                None => {
                    let place = self.begin(block, out);
                    self.contents.push(Open {
                        index,
                        block: place,
                        is_text,
                    });
                    if is_text {
                        self.text.get_or_insert(place);
                    }
                    place
                }
            };
            say(place, text, out);
        }
        Ok(())
    }

    fn call(
        &mut self,
        start: bool,
        index: u64,
        call: &Node<'_>,
        out: &mut Vec<StreamEvent>,
    ) -> Result<(), ShapeError> {
        let function = call.require("function")?;
        if start {
            let block = Block::ToolCall {
                id: call.require("id")?.text()?,
                name: function.require("name")?.text()?,
                kind: ToolKind::Function,
            };
            let block = self.begin(block, out);
            self.calls.push(Open {
                index,
                block,
                is_text: false,
            });
        }
        let arguments = function.get("arguments").map(Node::text).transpose()?;
        let open = self.calls.iter().rev().find(|open| open.index == index);
        if let Some(text) = arguments.filter(|text| !text.is_empty()) {
            let open = open.ok_or_else(|| call.not("a piece of a call that was begun"))?;
            say(open.block, text, out);
        }
        Ok(())
    }

    fn cite(&mut self, cited: &Node<'_>, out: &mut Vec<StreamEvent>) -> Result<(), ShapeError> {
        // One, or several at once.
        let several = cited.array().unwrap_or_default();
        let one = several.is_empty().then_some(cited);
        for cited in several.iter().chain(one) {
            let Some(cited) = citation::read(cited)? else {
                continue;
            };
            let place = match cited.content {
                Some(index) => {
                    let mut texts = self.contents.iter().filter(|open| open.is_text);
                    texts
                        .find(|open| open.index == index)
                        .map(|open| open.block)
                }
                None => self.text,
            };
            if let Some(index) = place {
                let event = |citation: Citation| StreamEvent::Cited {
                    choice: 0,
                    index,
                    citation,
                };
                out.extend(cited.citations.into_iter().map(event));
            }
        }
        Ok(())
    }

    fn end(&mut self, root: &Node<'_>, out: &mut Vec<StreamEvent>) -> Result<(), ApiError> {
        let bad = |error: ShapeError| error.bad_reply();
        self.start(None, out);
        let delta = root.require("delta").map_err(bad)?;
        let said = delta.get("error").and_then(|error| error.str().ok());
        let reason = delta.require("finish_reason").and_then(Node::str);
        let reason = parts::finish(&reason.map_err(bad)?, said.map(Into::into))?;
        let usage = delta.get("usage").map(parts::usage).transpose();
        self.done = true;
        out.push(StreamEvent::Finished { choice: 0, reason });
        out.extend(usage.map_err(bad)?.flatten().map(StreamEvent::Usage));
        Ok(())
    }
}

fn say(index: u32, text: Text, out: &mut Vec<StreamEvent>) {
    out.push(StreamEvent::BlockDelta {
        choice: 0,
        index,
        text,
    });
}

fn bad_reply(message: impl Into<String>) -> ApiError {
    ApiError::new(ErrorKind::BadReply, ErrorSource::Provider, message)
}

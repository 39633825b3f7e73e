//! A reply in events: <https://platform.openai.com/docs/api-reference/responses-streaming>

use super::failures::{bad_reply, of_status, read};
use super::reply::{At, Reply, Thought, finish_reason};
use crate::chat::{Block, FinishReason, StreamEvent};
use crate::codec::StreamDecoder;
use crate::error::ApiError;
use crate::framing::Frame;
use crate::json::Node;
use crate::wire::openai_responses::{read_logprobs, read_usage};

/// The state of one reply stream. It is whole once the response has ended, one way or the other; events of kinds
/// that mean nothing here are passed over.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    reply: Reply,
    done: bool,
}

impl StreamDecoder for Decoder {
    fn decode(&mut self, frame: &mut Frame, out: &mut Vec<StreamEvent>) -> Result<(), ApiError> {
        if self.done || frame.data.is_empty() || frame.data.trim_ascii() == b"[DONE]" {
            return Ok(());
        }
        let data = frame.data.clone();
        let root = Node::parse(&data).map_err(|error| {
            bad_reply(format!(
                "the upstream sent a stream event that is not what it should be: {error}"
            ))
        })?;
        if let Some(response) = root.get("response") {
            let model = response.get("model").filter(|model| model.str().is_ok());
            frame.marks.model = model.map(Node::span);
        }
        self.event(&root, out)?;
        frame.marks.last = self.done;
        Ok(())
    }

    fn finish(&mut self, _: &mut Vec<StreamEvent>) -> Result<(), ApiError> {
        if self.done {
            Ok(())
        } else if self.reply.has_begun() {
            Err(bad_reply(
                "the upstream's stream ended before the reply did",
            ))
        } else {
            Err(bad_reply(
                "the upstream's stream ended before the reply began",
            ))
        }
    }
}

impl Decoder {
    fn event(&mut self, event: &Node<'_>, out: &mut Vec<StreamEvent>) -> Result<(), ApiError> {
        let kind = event.get("type").and_then(|kind| kind.str().ok());
        let kind = kind.unwrap_or_default();
        if kind == "error" || event.get("error").is_some() {
            return Err(read(event));
        }
        if let Some(response) = event.get("response") {
            self.reply.begin(response, out);
            return self.response(&kind, response, out);
        }
        let Some(word) = kind.strip_prefix("response.") else {
            return Ok(());
        };
        if !self.reply.has_begun() {
            // It has no id.
            self.reply.begin(event, out);
        }
        let reply = &mut self.reply;
        let at = at(event);
        let text = |key: &str| {
            let text = event.get(key).and_then(|text| text.text().ok());
            text.unwrap_or_default()
        };
        match word {
            "output_text.delta" => {
                reply.say(&at, Block::Text, text("delta"), false, out);
                reply.logprobs(&at, read_logprobs(event.get("logprobs")), out);
            }
            "output_text.done" => {
                reply.say(&at, Block::Text, text("text"), true, out);
                reply.rest_of_logprobs(&at, event.get("logprobs"), out);
            }
            "refusal.delta" => reply.say(&at, Block::Refusal, text("delta"), false, out),
            "refusal.done" => reply.say(&at, Block::Refusal, text("refusal"), true, out),
            "function_call_arguments.delta" | "custom_tool_call_input.delta" => {
                reply.arguments(&at, text("delta"), false, out);
            }
            "function_call_arguments.done" => reply.arguments(&at, text("arguments"), true, out),
            "custom_tool_call_input.done" => reply.arguments(&at, text("input"), true, out),
            "reasoning_summary_text.delta" => {
                reply.think(&at, Thought::Summary, text("delta"), false, out);
            }
            "reasoning_summary_text.done" => {
                reply.think(&at, Thought::Summary, text("text"), true, out);
            }
            "reasoning_text.delta" => reply.think(&at, Thought::Content, text("delta"), false, out),
            "reasoning_text.done" => reply.think(&at, Thought::Content, text("text"), true, out),
            "output_text.annotation.added" => {
                if let Some(annotation) = event.get("annotation") {
                    reply.cite(&at, annotation, out);
                }
            }
            "content_part.done" => {
                if let Some(part) = event.get("part") {
                    reply.whole_part(&at, part, out);
                }
            }
            "output_item.added" => {
                if let Some(item) = event.get("item") {
                    reply.item_began(&at, item, out);
                }
            }
            "output_item.done" => {
                if let Some(item) = event.get("item") {
                    reply.whole_item(&at, item, out);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The response began, goes on, or ended.
    fn response(
        &mut self,
        kind: &str,
        response: &Node<'_>,
        out: &mut Vec<StreamEvent>,
    ) -> Result<(), ApiError> {
        if kind == "response.failed" {
            return Err(read(response));
        }
        if !matches!(kind, "response.completed" | "response.incomplete") {
            return of_status(response).map_or(Ok(()), Err);
        }
        if let Some(error) = of_status(response) {
            return Err(error);
        }
        if self.reply.is_empty() {
            // Some upstreams stream no items.
            let output = response.get("output").and_then(|items| items.array().ok());
            for (index, item) in (0..).zip(output.unwrap_or_default()) {
                self.reply
                    .whole_item(&item_at(Some(index), item), item, out);
            }
        }
        let usage = response.get("usage").map(read_usage);
        out.extend(usage.map(StreamEvent::Usage));
        let reason = finish_reason(response, self.reply.called);
        out.push(StreamEvent::Finished {
            choice: 0,
            reason: reason.unwrap_or(FinishReason::Stop),
        });
        self.done = true;
        Ok(())
    }
}

/// Where an event's piece belongs.
fn at(event: &Node<'_>) -> At {
    let number = |key: &str| event.get(key).and_then(|number| number.u64().ok());
    let output = number("output_index");
    match event.get("item") {
        Some(item) => item_at(output, item),
        None => At {
            output,
            item: event
                .get("item_id")
                .and_then(|id| id.text().ok())
                .unwrap_or_default(),
            piece: number("content_index")
                .or_else(|| number("summary_index"))
                .unwrap_or(0),
        },
    }
}

pub(super) fn item_at(output: Option<u64>, item: &Node<'_>) -> At {
    let id = item.get("id").and_then(|id| id.text().ok());
    At {
        output,
        item: id.unwrap_or_default(),
        piece: 0,
    }
}

//! A reply, whole or a line of it: the same shape.

use bytes::Bytes;

use super::errors;
use crate::chat::{
    Block, ChatResponse, FinishReason, Protocol, RawReply, Stamp, StreamEvent, TokenLogprob,
    ToolKind, Usage, collect,
};
use crate::codecs::time;
use crate::error::{ApiError, ErrorKind, ErrorSource};
use crate::json::{JsonError, Node, ShapeError, Span};
use crate::text::Text;

/// What was said so far.
#[derive(Debug)]
pub(super) struct Reply {
    stamp: Stamp,
    started: bool,
    blocks: u32,
    text: Option<u32>,
    reasoning: Option<u32>,
    calls: u32,
    pub(super) done: bool,
}

/// What one line left behind.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// The value of `model`.
    pub model: Option<Span>,
}

pub(super) fn decode(stamp: Stamp, body: &Bytes) -> Result<ChatResponse, ApiError> {
    let mut reply = Reply::new(stamp);
    let mut events = Vec::new();
    let line = reply.read(body, &mut events)?;
    if !reply.done {
        return Err(bad_reply("the upstream's reply is not done"));
    }
    let mut response = collect(&events);
    response.raw = Some(RawReply {
        protocol: Protocol::Ollama,
        body: body.clone(),
        model: line.model,
    });
    Ok(response)
}

impl Reply {
    pub(super) fn new(stamp: Stamp) -> Self {
        Self {
            stamp,
            started: false,
            blocks: 0,
            text: None,
            reasoning: None,
            calls: 0,
            done: false,
        }
    }

    /// Reads a line and appends its events.
    ///
    /// # Errors
    /// It is an error, or not what it should be.
    pub(super) fn read(
        &mut self,
        body: &Bytes,
        out: &mut Vec<StreamEvent>,
    ) -> Result<Line, ApiError> {
        let root = Node::parse(body).map_err(|error| not_json(&error))?;
        if let Some(error) = root.get("error") {
            return Err(errors::in_reply(error));
        }
        self.line(&root, out).map_err(|error| error.bad_reply())
    }

    fn line(&mut self, root: &Node<'_>, out: &mut Vec<StreamEvent>) -> Result<Line, ShapeError> {
        root.object()?;
        let model = root.get("model");
        if !self.started {
            // Everything has one of these; anything else is no reply.
            let message = root.get("message");
            if message.is_none() && root.get("done").is_none() {
                root.require("message")?;
            }
            self.started = true;
            let created = root.get("created_at").and_then(|at| at.str().ok());
            out.push(StreamEvent::Started {
                id: Text::default(),
                model: model.map(Node::text).transpose()?.unwrap_or_default(),
                created: created.and_then(|at| time::seconds(&at)),
            });
        }
        if let Some(message) = root.get("message") {
            self.message(message, out)?;
        }
        if let Some(tokens) = root.get("logprobs") {
            let tokens: Vec<_> = tokens
                .array()?
                .iter()
                .map(logprob)
                .collect::<Result<_, _>>()?;
            if !tokens.is_empty() {
                out.push(StreamEvent::Logprobs { choice: 0, tokens });
            }
        }
        if root.get("done").map(Node::bool).transpose()? == Some(true) {
            self.end(root, out)?;
        }
        Ok(Line {
            model: model.map(Node::span),
        })
    }

    fn message(
        &mut self,
        message: &Node<'_>,
        out: &mut Vec<StreamEvent>,
    ) -> Result<(), ShapeError> {
        if let Some(text) = message.get("thinking") {
            say(
                &mut self.reasoning,
                &mut self.blocks,
                Block::Reasoning,
                text.text()?,
                out,
            );
        }
        if let Some(text) = message.get("content") {
            say(
                &mut self.text,
                &mut self.blocks,
                Block::Text,
                text.text()?,
                out,
            );
        }
        if let Some(calls) = message.get("tool_calls") {
            for call in calls.array()? {
                self.call(call, out)?;
            }
        }
        Ok(())
    }

    /// A call comes whole.
    fn call(&mut self, call: &Node<'_>, out: &mut Vec<StreamEvent>) -> Result<(), ShapeError> {
        let function = call.require("function")?;
        let id = call.get("id").map(Node::text).transpose()?;
        let id = id.filter(|id| !id.is_empty()).unwrap_or_else(|| {
            let number = self.calls;
            Text::from(format!("{}{number}", self.stamp.id("call_")))
        });
        let arguments = match function.get("arguments") {
            None => Text::from_static("{}"),
            // Some models' templates leave them as text.
            Some(arguments) => match arguments.text() {
                Ok(text) => text,
                Err(_) => arguments.object()?.json().as_text().clone(),
            },
        };
        let index = self.blocks;
        self.blocks += 1;
        self.calls += 1;
        out.push(StreamEvent::BlockStarted {
            choice: 0,
            index,
            block: Block::ToolCall {
                id,
                name: function.require("name")?.text()?,
                kind: ToolKind::Function,
            },
        });
        if !arguments.is_empty() {
            out.push(StreamEvent::BlockDelta {
                choice: 0,
                index,
                text: arguments,
            });
        }
        Ok(())
    }

    fn end(&mut self, root: &Node<'_>, out: &mut Vec<StreamEvent>) -> Result<(), ShapeError> {
        self.done = true;
        let reason = root.get("done_reason").map(Node::text).transpose()?;
        out.push(StreamEvent::Finished {
            choice: 0,
            reason: match reason.as_deref() {
                Some("length") => FinishReason::Length,
                _ if self.calls > 0 => FinishReason::ToolCalls,
                None | Some("stop" | "") => FinishReason::Stop,
                Some(other) => FinishReason::Other(Text::from(other)),
            },
        });
        let count = |key: &str| root.get(key).map(Node::u64).transpose();
        let (input, output) = (count("prompt_eval_count")?, count("eval_count")?);
        if input.is_some() || output.is_some() {
            out.push(StreamEvent::Usage(Usage {
                input_tokens: input.unwrap_or(0),
                output_tokens: output.unwrap_or(0),
                ..Usage::default()
            }));
        }
        Ok(())
    }
}

/// More of a block, which is begun where it is not yet.
fn say(
    place: &mut Option<u32>,
    blocks: &mut u32,
    block: Block,
    text: Text,
    out: &mut Vec<StreamEvent>,
) {
    if text.is_empty() {
        return;
    }
    let index = *place.get_or_insert_with(|| {
        let index = *blocks;
        *blocks += 1;
        out.push(StreamEvent::BlockStarted {
            choice: 0,
            index,
            block,
        });
        index
    });
    out.push(StreamEvent::BlockDelta {
        choice: 0,
        index,
        text,
    });
}

fn logprob(token: &Node<'_>) -> Result<TokenLogprob, ShapeError> {
    let mut top = Vec::new();
    if let Some(others) = token.get("top_logprobs") {
        for other in others.array()? {
            top.push((
                other.require("token")?.text()?,
                other.require("logprob")?.number()?,
            ));
        }
    }
    Ok(TokenLogprob {
        token: token.require("token")?.text()?,
        logprob: token.require("logprob")?.number()?,
        top,
    })
}

fn not_json(error: &JsonError) -> ApiError {
    bad_reply(format!(
        "the upstream's reply is not what it should be: {error}"
    ))
}

pub(super) fn bad_reply(message: impl Into<String>) -> ApiError {
    ApiError::new(ErrorKind::BadReply, ErrorSource::Provider, message)
}

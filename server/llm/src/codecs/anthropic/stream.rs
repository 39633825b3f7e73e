//! A reply as events: <https://docs.anthropic.com/en/docs/build-with-claude/streaming>

use super::blocks::Blocks;
use super::errors::{self, bad_reply};
use super::response::started;
use crate::chat::{ChatRequest, FinishReason, StreamEvent};
use crate::codec::{ReplyForm, StreamDecoder};
use crate::error::ApiError;
use crate::framing::Frame;
use crate::json::{Kind, Node, ShapeError};
use crate::wire::anthropic::{Counts, read_stop};

/// The state of one reply stream. It is whole once `message_stop` came; what follows is ignored.
#[derive(Debug)]
pub(super) struct Decoder {
    blocks: Blocks,
    counts: Counts,
    started: bool,
    finished: bool,
    done: bool,
}

impl Decoder {
    pub(super) fn new(request: &ChatRequest, form: &ReplyForm) -> Self {
        Self {
            blocks: Blocks::new(request, form),
            counts: Counts::default(),
            started: false,
            finished: false,
            done: false,
        }
    }

    fn event(
        &mut self,
        root: &Node<'_>,
        frame: &mut Frame,
        out: &mut Vec<StreamEvent>,
    ) -> Result<(), ApiError> {
        let bad = |error: ShapeError| error.bad_reply();
        let kind = root.object().map_err(bad)?.require("type").map_err(bad)?;
        let at = || root.require("index").and_then(Node::u64).map_err(bad);
        match &*kind.str().map_err(bad)? {
            "message_start" => {
                let message = root.require("message").map_err(bad)?;
                let model = message.object().map_err(bad)?.get("model");
                frame.marks.model = model
                    .filter(|model| model.kind() == Kind::String)
                    .map(Node::span);
                if !std::mem::replace(&mut self.started, true) {
                    out.push(started(message).map_err(bad)?);
                    note_untold(message, out);
                }
                self.usage(message, out);
            }
            "content_block_start" => {
                self.begun()?;
                let block = root.require("content_block").map_err(bad)?;
                self.blocks.start(at()?, block, out).map_err(bad)?;
            }
            "content_block_delta" => {
                self.begun()?;
                let delta = root.require("delta").map_err(bad)?;
                self.blocks.delta(at()?, delta, out)?;
            }
            "content_block_stop" => self.blocks.stop(at()?, out),
            "message_delta" => {
                self.begun()?;
                self.usage(root, out);
                note_untold(root, out);
                let delta = root.require("delta").map_err(bad)?;
                if !self.finished && delta.get("stop_reason").is_some() {
                    self.finished = true;
                    self.blocks.stop_all(out);
                    note_untold(delta, out);
                    finish_events(delta, &mut self.blocks, out).map_err(bad)?;
                }
            }
            "message_stop" => {
                self.begun()?;
                self.blocks.stop_all(out);
                self.done = true;
                frame.marks.last = true;
            }
            "error" => return Err(errors::from_body(&frame.data)),
            // `ping`, and what may come one day.
            _ => {}
        }
        Ok(())
    }

    fn usage(&mut self, holder: &Node<'_>, out: &mut Vec<StreamEvent>) {
        if let Some(usage) = holder.get("usage") {
            self.counts.read(usage);
            out.push(StreamEvent::Usage(self.counts.usage()));
        }
    }

    fn begun(&self) -> Result<(), ApiError> {
        if self.started {
            return Ok(());
        }
        Err(bad_reply(
            "the upstream's stream does not begin with the beginning of a message",
        ))
    }
}

impl StreamDecoder for Decoder {
    fn decode(&mut self, frame: &mut Frame, out: &mut Vec<StreamEvent>) -> Result<(), ApiError> {
        if self.done || frame.data.is_empty() {
            return Ok(());
        }
        let data = frame.data.clone();
        if frame.event.as_ref().is_some_and(|event| *event == "error") {
            return Err(errors::from_body(&data));
        }
        match Node::parse(&data) {
            Ok(root) => self.event(&root, frame, out),
            Err(error) => Err(bad_reply(format!(
                "the upstream sent a stream event that is not what it should be: {error}"
            ))),
        }
    }

    fn finish(&mut self, _: &mut Vec<StreamEvent>) -> Result<(), ApiError> {
        match (self.started, self.done) {
            (false, _) => Err(bad_reply(
                "the upstream's stream ended before the reply began",
            )),
            (true, false) => Err(bad_reply(
                "the upstream's stream ended before the reply did",
            )),
            (true, true) => Ok(()),
        }
    }
}

/// Notes what stands in a message, in its end or beside that, and has no place elsewhere: the container of the
/// provider's tools, what it did to the context, why the model declined.
pub(super) fn note_untold(holder: &Node<'_>, out: &mut Vec<StreamEvent>) {
    const TOLD: [&str; 10] = [
        "type",
        "id",
        "role",
        "model",
        "content",
        "stop_reason",
        "stop_sequence",
        "usage",
        "delta",
        "context_management",
    ];
    let context = holder.get("context_management");
    if holder.has_beside(&TOLD) || context.is_some_and(|context| context.has_beside(&[])) {
        out.push(StreamEvent::Untold);
    }
}

/// What `stop_reason` and what stands beside it say.
pub(super) fn finish_events(
    holder: &Node<'_>,
    blocks: &mut Blocks,
    out: &mut Vec<StreamEvent>,
) -> Result<(), ShapeError> {
    let Some(reason) = holder.get("stop_reason") else {
        return Ok(());
    };
    let sequence = holder.get("stop_sequence").map(Node::text).transpose()?;
    let mut reason = read_stop(reason.text()?, sequence);
    if reason == FinishReason::ToolCalls && blocks.answers_by_tool() && !blocks.called {
        reason = FinishReason::Stop;
    }
    if reason == FinishReason::ContentFilter {
        let details = holder
            .get("stop_details")
            .filter(|details| details.kind() == Kind::Object);
        if let Some(explanation) = details.and_then(|details| details.get("explanation")) {
            blocks.refuse(explanation.text()?, out);
        }
    }
    out.push(StreamEvent::Finished { choice: 0, reason });
    Ok(())
}

//! A reply in chunks.

use super::errors;
use super::reply::{Reply, bad_reply};
use crate::chat::{ChatRequest, StreamEvent};
use crate::codec::StreamDecoder;
use crate::error::ApiError;
use crate::framing::Frame;
use crate::json::Node;
use crate::wire::gemini::read_error;

/// The state of one reply stream. Nothing says that it is over: it is whole once every candidate has its finish
/// reason.
#[derive(Debug)]
pub(super) struct Decoder {
    reply: Reply,
    /// How many candidates were asked for.
    choices: u32,
}

impl Decoder {
    pub(super) fn new(request: &ChatRequest) -> Self {
        Self {
            reply: Reply::new(request),
            choices: request.choices,
        }
    }
}

impl StreamDecoder for Decoder {
    fn decode(&mut self, frame: &mut Frame, out: &mut Vec<StreamEvent>) -> Result<(), ApiError> {
        if frame.data.is_empty() {
            // An error may come as bare JSON, line by line.
            let raw = frame.raw.trim_ascii_start();
            if raw.starts_with(b"{") || raw.starts_with(b"[") {
                let node = Node::parse(&frame.raw).ok();
                if let Some(error) = node.as_ref().and_then(read_error) {
                    return Err(errors::from_body(error));
                }
            }
            return Ok(());
        }
        if frame.data.trim_ascii() == b"[DONE]" {
            return Ok(());
        }
        frame.marks.model = self.reply.read(&frame.data, out)?;
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<StreamEvent>) -> Result<(), ApiError> {
        if !self.reply.has_begun() {
            return Err(bad_reply(
                "the upstream's stream ended before the reply began",
            ));
        }
        if self.reply.is_whole(self.choices) {
            self.reply.finish(out);
            return Ok(());
        }
        Err(bad_reply(
            "the upstream's stream ended before the reply did",
        ))
    }
}

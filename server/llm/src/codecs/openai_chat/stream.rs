//! A reply in chunks.

use super::errors;
use crate::chat::StreamEvent;
use crate::codec::StreamDecoder;
use crate::error::{ApiError, ErrorKind, ErrorSource};
use crate::framing::Frame;
use crate::wire::openai_chat::{ReplyScan, ReplyState, Started, scan_reply};

/// The state of one reply stream.
///
/// A stream is whole once `[DONE]` came, or, because not every upstream sends that, once every choice has
/// its finish reason. What follows `[DONE]` is ignored.
#[derive(Debug)]
pub(super) struct Decoder {
    reply: ReplyState,
    /// How many choices were asked for.
    choices: u32,
    /// That something was passed over has been told.
    untold: bool,
    done: bool,
}

impl Decoder {
    pub(super) fn new(choices: u32) -> Self {
        Self {
            reply: ReplyState::default(),
            choices,
            untold: false,
            done: false,
        }
    }
}

impl StreamDecoder for Decoder {
    fn decode(&mut self, frame: &mut Frame, out: &mut Vec<StreamEvent>) -> Result<(), ApiError> {
        if self.done || frame.data.is_empty() {
            return Ok(());
        }
        if frame.data.trim_ascii() == b"[DONE]" {
            self.done = true;
            frame.marks.last = true;
            return Ok(());
        }
        if frame.event.as_ref().is_some_and(|event| *event == "error") {
            return Err(errors::from_body(&frame.data));
        }
        let first = out.len();
        match scan_reply(&frame.data, &mut self.reply, out) {
            Ok(ReplyScan::Reply(head)) => {
                if let Some(Started { id, model, created }) = head.started {
                    out.insert(first, StreamEvent::Started { id, model, created });
                }
                if !self.untold && self.reply.started && self.reply.is_untold() {
                    self.untold = true;
                    out.push(StreamEvent::Untold);
                }
                out.extend(head.usage.map(StreamEvent::Usage));
                frame.marks.model = head.model;
                frame.marks.usage_only = head.usage_only;
                Ok(())
            }
            Ok(ReplyScan::Error) => Err(errors::from_body(&frame.data)),
            Err(error) => Err(bad_reply(format!(
                "the upstream sent a stream event that is not what it should be: {error}"
            ))),
        }
    }

    fn finish(&mut self, _: &mut Vec<StreamEvent>) -> Result<(), ApiError> {
        let choices = &self.reply.choices;
        // Sources alone are no reply.
        if choices.is_empty() || !self.reply.started {
            return Err(bad_reply(
                "the upstream's stream ended before the reply began",
            ));
        }
        let all_there = u32::try_from(choices.len()).is_ok_and(|count| count >= self.choices);
        if self.done || all_there && choices.iter().all(|choice| choice.finished) {
            return Ok(());
        }
        Err(bad_reply(
            "the upstream's stream ended before the reply did",
        ))
    }
}

fn bad_reply(message: impl Into<String>) -> ApiError {
    ApiError::new(ErrorKind::BadReply, ErrorSource::Provider, message)
}

//! A reply in lines.

use super::reply::{Reply, bad_reply};
use crate::chat::{Stamp, StreamEvent};
use crate::codec::StreamDecoder;
use crate::error::ApiError;
use crate::framing::Frame;

/// The state of one reply stream. It is whole once a line said `done`; what follows is ignored.
#[derive(Debug)]
pub(super) struct Decoder {
    reply: Reply,
}

impl Decoder {
    pub(super) fn new(stamp: Stamp) -> Self {
        Self {
            reply: Reply::new(stamp),
        }
    }
}

impl StreamDecoder for Decoder {
    fn decode(&mut self, frame: &mut Frame, out: &mut Vec<StreamEvent>) -> Result<(), ApiError> {
        if self.reply.done || frame.data.is_empty() {
            return Ok(());
        }
        let line = self.reply.read(&frame.data, out)?;
        frame.marks.model = line.model;
        frame.marks.last = self.reply.done;
        Ok(())
    }

    fn finish(&mut self, _: &mut Vec<StreamEvent>) -> Result<(), ApiError> {
        if self.reply.done {
            return Ok(());
        }
        Err(bad_reply(
            "the upstream's stream ended before the reply did",
        ))
    }
}

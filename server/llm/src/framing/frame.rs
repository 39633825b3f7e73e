//! One frame of a stream.

use std::ops::Range;

use bytes::{Bytes, BytesMut};

use crate::text::Text;

/// A frame with its original bytes beside what they carry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// Everything up to and including the terminator. All frames' `raw` in a row are the stream.
    pub raw: Bytes,
    /// The payload: a slice of `raw`, unless it was spread over several lines. Empty for a comment.
    pub data: Bytes,
    /// The event's name, where it has one.
    pub event: Option<Text>,
    /// What a decoder noticed.
    pub marks: Marks,
}

/// What a decoder leaves for an encoder of the same protocol.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Where in `data` the model's name stands, quotes included.
    pub model: Option<Range<usize>>,
    /// The frame tells usage and nothing else.
    pub usage_only: bool,
    /// The frame says that the stream is over.
    pub last: bool,
}

impl Frame {
    /// Where `data` stands in `raw`, if it is a slice of it.
    pub fn data_offset(&self) -> Option<usize> {
        if self.data.is_empty() {
            return None;
        }
        let raw = self.raw.as_ptr() as usize;
        let data = self.data.as_ptr() as usize;
        let offset = data.checked_sub(raw)?;
        (offset + self.data.len() <= self.raw.len()).then_some(offset)
    }

    /// Appends the frame as it came, but for the model's name, where a decoder marked it: `model` is JSON.
    pub fn write(&self, model: Option<&[u8]>, out: &mut BytesMut) {
        let (Some(span), Some(model)) = (&self.marks.model, model) else {
            out.extend_from_slice(&self.raw);
            return;
        };
        if self.data[span.clone()] == *model {
            out.extend_from_slice(&self.raw);
        } else if let Some(offset) = self.data_offset() {
            out.extend_from_slice(&self.raw[..offset + span.start]);
            out.extend_from_slice(model);
            out.extend_from_slice(&self.raw[offset + span.end..]);
        } else {
            // The data was spread over lines: it is again, each line end lying between JSON's tokens.
            if let Some(event) = &self.event {
                out.extend_from_slice(b"event: ");
                out.extend_from_slice(event.as_bytes());
                out.extend_from_slice(b"\n");
            }
            let data = [&self.data[..span.start], model, &self.data[span.end..]].concat();
            for line in data.split(|&byte| byte == b'\n') {
                out.extend_from_slice(b"data: ");
                out.extend_from_slice(line);
                out.extend_from_slice(b"\n");
            }
            out.extend_from_slice(b"\n");
        }
    }
}

//! Server-sent events: <https://html.spec.whatwg.org/multipage/server-sent-events.html>

use bytes::{Bytes, BytesMut};

use super::{Frame, Marks};
use crate::error::{ApiError, ErrorKind, ErrorSource};
use crate::text::Text;

/// The largest frame unless said otherwise: 16 MiB, room for an image in base64.
pub const DEFAULT_MAX_FRAME: usize = 16 << 20;

/// A frame that grew over the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the upstream sent a stream event of more than {limit} bytes")]
pub struct FrameTooLarge {
    /// In bytes.
    pub limit: usize,
}

impl From<FrameTooLarge> for ApiError {
    fn from(error: FrameTooLarge) -> Self {
        Self::new(
            ErrorKind::BadReply,
            ErrorSource::Provider,
            error.to_string(),
        )
    }
}

/// Cuts a stream into events. A frame that lies within one pushed chunk is a slice of it.
///
/// Lines end in LF, CRLF or CR. Comments and blank lines are frames without data, so that they can be
/// passed on. Not in the standard: an event whose blank line is missing at the end of the body is still
/// handed out, by [`finish`](Self::finish), because some servers leave it out; whether it is whole is
/// for its decoder to tell.
#[derive(Debug)]
pub struct SseFramer {
    /// The part of the current frame that came in earlier chunks.
    partial: BytesMut,
    /// What was pushed and not yet handed out.
    chunk: Bytes,
    line_is_empty: bool,
    /// The last byte was a CR: an LF now belongs to it.
    after_cr: bool,
    at_start: bool,
    limit: usize,
}

impl Default for SseFramer {
    fn default() -> Self {
        Self::new()
    }
}

impl SseFramer {
    pub fn new() -> Self {
        Self::with_limit(DEFAULT_MAX_FRAME)
    }

    /// `limit`: the largest frame in bytes.
    pub fn with_limit(limit: usize) -> Self {
        Self {
            partial: BytesMut::new(),
            chunk: Bytes::new(),
            line_is_empty: true,
            after_cr: false,
            at_start: true,
            limit,
        }
    }

    /// Adds what came. Call [`next`](Self::next) until it has nothing more before the next push: what is
    /// left over is copied otherwise.
    pub fn push(&mut self, chunk: Bytes) {
        if self.chunk.is_empty() {
            self.chunk = chunk;
        } else {
            let mut both = BytesMut::with_capacity(self.chunk.len() + chunk.len());
            both.extend_from_slice(&self.chunk);
            both.extend_from_slice(&chunk);
            self.chunk = both.freeze();
        }
    }

    /// The next whole frame, if there is one.
    ///
    /// # Errors
    /// A frame is over the limit. The stream is of no use after that.
    #[expect(
        clippy::should_implement_trait,
        reason = "fallible, and None is not the end"
    )]
    pub fn next(&mut self) -> Result<Option<Frame>, FrameTooLarge> {
        let end = self.scan();
        let upto = end.unwrap_or(self.chunk.len());
        if self.partial.len() + upto > self.limit {
            return Err(FrameTooLarge { limit: self.limit });
        }
        let Some(end) = end else {
            self.partial.extend_from_slice(&self.chunk);
            self.chunk = Bytes::new();
            return Ok(None);
        };
        let head = self.chunk.split_to(end);
        let raw = if self.partial.is_empty() {
            head
        } else {
            self.partial.extend_from_slice(&head);
            self.partial.split().freeze()
        };
        Ok(Some(self.frame(raw)))
    }

    /// The body ended: what is left, with its missing terminator added.
    pub fn finish(&mut self) -> Option<Frame> {
        let mut rest = self.partial.split();
        rest.extend_from_slice(&std::mem::take(&mut self.chunk));
        if rest.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
            return None;
        }
        rest.extend_from_slice(if self.line_is_empty { b"\n" } else { b"\n\n" });
        let raw = rest.freeze();
        Some(self.frame(raw))
    }

    /// Looks on for the blank line; where the frame ends in `chunk`.
    fn scan(&mut self) -> Option<usize> {
        let bytes = &self.chunk[..];
        let mut at = 0;
        loop {
            if self.after_cr {
                if at == bytes.len() {
                    break;
                }
                self.after_cr = false;
                if bytes[at] == b'\n' {
                    at += 1;
                }
            }
            let Some(found) = memchr::memchr2(b'\n', b'\r', &bytes[at..]) else {
                self.line_is_empty &= at == bytes.len();
                break;
            };
            let blank = self.line_is_empty && found == 0;
            at += found;
            self.after_cr = bytes[at] == b'\r';
            at += 1;
            self.line_is_empty = true;
            if blank {
                if self.after_cr && bytes.get(at) == Some(&b'\n') {
                    self.after_cr = false;
                    at += 1;
                }
                return Some(at);
            }
        }
        None
    }

    fn frame(&mut self, raw: Bytes) -> Frame {
        let mut lines = &raw[..];
        if std::mem::take(&mut self.at_start) {
            lines = lines.strip_prefix(b"\xef\xbb\xbf").unwrap_or(lines);
        }
        let mut data: Option<Bytes> = None;
        let mut joined: Option<BytesMut> = None;
        let mut event = None;
        while !lines.is_empty() {
            let end = memchr::memchr2(b'\n', b'\r', lines).unwrap_or(lines.len());
            let (line, rest) = lines.split_at(end);
            lines = rest.get(1..).unwrap_or_default();
            let (field, value) = match memchr::memchr(b':', line) {
                Some(colon) => (&line[..colon], &line[colon + 1..]),
                None => (line, &line[line.len()..]),
            };
            let value = value.strip_prefix(b" ").unwrap_or(value);
            match field {
                b"data" => match (&mut joined, &data) {
                    (Some(all), _) => {
                        all.extend_from_slice(b"\n");
                        all.extend_from_slice(value);
                    }
                    (None, Some(first)) => {
                        let mut all = BytesMut::from(&first[..]);
                        all.extend_from_slice(b"\n");
                        all.extend_from_slice(value);
                        joined = Some(all);
                    }
                    (None, None) => data = Some(raw.slice_ref(value)),
                },
                b"event" => event = Text::from_utf8(raw.slice_ref(value)).ok(),
                _ => {}
            }
        }
        let data = joined.map(BytesMut::freeze).or(data).unwrap_or_default();
        Frame {
            raw,
            data,
            event: event.filter(|name| !name.is_empty()),
            marks: Marks::default(),
        }
    }
}

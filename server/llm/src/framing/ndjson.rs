//! One JSON document a line: <https://github.com/ndjson/ndjson-spec>

use bytes::{Bytes, BytesMut};

use super::{DEFAULT_MAX_FRAME, Frame, FrameTooLarge, Marks};

/// Cuts a stream into lines. Lines end in LF or CRLF; an empty line is a frame without data. A last line
/// without an end is handed out by [`finish`](Self::finish).
#[derive(Debug)]
pub struct NdjsonFramer {
    /// The part of the current line that came in earlier chunks.
    partial: BytesMut,
    chunk: Bytes,
    limit: usize,
}

impl Default for NdjsonFramer {
    fn default() -> Self {
        Self::new()
    }
}

impl NdjsonFramer {
    pub fn new() -> Self {
        Self::with_limit(DEFAULT_MAX_FRAME)
    }

    /// `limit`: the longest line in bytes.
    pub fn with_limit(limit: usize) -> Self {
        Self {
            partial: BytesMut::new(),
            chunk: Bytes::new(),
            limit,
        }
    }

    /// Adds what came. Call [`next`](Self::next) until it has nothing more before the next push.
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

    /// The next whole line, if there is one.
    ///
    /// # Errors
    /// A line is over the limit. The stream is of no use after that.
    #[expect(
        clippy::should_implement_trait,
        reason = "fallible, and None is not the end"
    )]
    pub fn next(&mut self) -> Result<Option<Frame>, FrameTooLarge> {
        let end = memchr::memchr(b'\n', &self.chunk).map(|at| at + 1);
        if self.partial.len() + end.unwrap_or(self.chunk.len()) > self.limit {
            return Err(FrameTooLarge { limit: self.limit });
        }
        let Some(end) = end else {
            self.partial.extend_from_slice(&self.chunk);
            self.chunk = Bytes::new();
            return Ok(None);
        };
        let head = self.chunk.split_to(end);
        if self.partial.is_empty() {
            return Ok(Some(frame(head)));
        }
        self.partial.extend_from_slice(&head);
        Ok(Some(frame(self.partial.split().freeze())))
    }

    /// The body ended: what is left, if it is more than white space.
    pub fn finish(&mut self) -> Option<Frame> {
        let mut rest = self.partial.split();
        rest.extend_from_slice(&std::mem::take(&mut self.chunk));
        if rest.trim_ascii().is_empty() {
            return None;
        }
        rest.extend_from_slice(b"\n");
        Some(frame(rest.freeze()))
    }
}

fn frame(raw: Bytes) -> Frame {
    let length = raw.trim_ascii_end().len();
    Frame {
        data: raw.slice(..length),
        raw,
        event: None,
        marks: Marks::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(chunks: &[&'static str]) -> Vec<String> {
        let mut framer = NdjsonFramer::new();
        let mut found = Vec::new();
        for chunk in chunks {
            framer.push(Bytes::from_static(chunk.as_bytes()));
            while let Some(frame) = framer.next().unwrap() {
                found.push(String::from_utf8(frame.data.to_vec()).unwrap());
            }
        }
        let rest = framer.finish();
        found.extend(rest.map(|frame| String::from_utf8(frame.data.to_vec()).unwrap()));
        found
    }

    #[test]
    fn lines_are_cut_wherever_the_chunks_end() {
        let expected = ["{\"a\":1}", "{}", "", "{\"b\":2}"];
        assert_eq!(lines(&["{\"a\":1}\n{}\r\n\n{\"b\":2}"]), expected);
        assert_eq!(
            lines(&["{\"a\"", ":1}\n{", "}\r", "\n\n{\"b\":2}"]),
            expected
        );
    }

    #[test]
    fn a_line_over_the_limit_is_refused() {
        let mut framer = NdjsonFramer::with_limit(8);
        framer.push(Bytes::from_static(b"0123456"));
        assert_eq!(framer.next(), Ok(None));
        framer.push(Bytes::from_static(b"89"));
        assert_eq!(framer.next(), Err(FrameTooLarge { limit: 8 }));
    }
}

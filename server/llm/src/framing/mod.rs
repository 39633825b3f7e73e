//! A body's bytes cut into frames, whatever the borders of the chunks they come in.
//!
//! One framing a file. Not here: Amazon's event stream (`application/vnd.amazon.eventstream`), whose messages carry
//! lengths and checksums; see ARCHITECTURE.md for what it takes.

mod frame;
mod ndjson;
mod sse;

use bytes::Bytes;

pub use frame::{Frame, Marks};
pub use ndjson::NdjsonFramer;
pub use sse::{DEFAULT_MAX_FRAME, FrameTooLarge, SseFramer};

/// The framing that a reply's content type calls for.
#[derive(Debug)]
pub enum Framer {
    Sse(SseFramer),
    Ndjson(NdjsonFramer),
}

impl Framer {
    /// `None`: the reply is no stream.
    pub fn for_content_type(content_type: &str) -> Option<Self> {
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        if essence.eq_ignore_ascii_case("text/event-stream") {
            return Some(Self::Sse(SseFramer::new()));
        }
        [
            "application/x-ndjson",
            "application/ndjson",
            "application/jsonl",
        ]
        .iter()
        .any(|name| essence.eq_ignore_ascii_case(name))
        .then(|| Self::Ndjson(NdjsonFramer::new()))
    }

    /// Adds what came; call [`next`](Self::next) until it has nothing more before the next push.
    pub fn push(&mut self, chunk: Bytes) {
        match self {
            Self::Sse(framer) => framer.push(chunk),
            Self::Ndjson(framer) => framer.push(chunk),
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
        match self {
            Self::Sse(framer) => framer.next(),
            Self::Ndjson(framer) => framer.next(),
        }
    }

    /// The body ended: what is left.
    pub fn finish(&mut self) -> Option<Frame> {
        match self {
            Self::Sse(framer) => framer.finish(),
            Self::Ndjson(framer) => framer.finish(),
        }
    }
}

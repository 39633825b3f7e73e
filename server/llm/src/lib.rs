//! Language-model protocols as pure functions: bytes in, values out.
//!
//! No I/O, no clock, no randomness. A *dialect* is what a client speaks, a *codec* what an upstream
//! speaks; both meet in the canonical model of [`chat`]. A *provider* is data.
//!
//! Where dialect and codec are the same protocol the bytes travel as they came: only what the gateway
//! must change is spliced in.

pub mod audio;
pub mod carried;
pub mod ceiling;
pub mod chat;
pub mod codec;
pub mod codecs;
pub mod dialect;
pub mod dialects;
pub mod embeddings;
pub mod error;
pub mod framing;
pub mod images;
pub mod json;
pub mod moderations;
pub mod pricing;
pub mod providers;
mod reply;
pub mod rerank;
pub mod segments;
pub mod simulated;
pub mod text;
mod wire;

pub use codec::{ChatCodec, ReplyForm, StreamDecoder, Target, WireRequest};
pub use dialect::{ChatDialect, Incoming, StreamEncoder};
pub use error::{ApiError, ErrorKind, ErrorSource};
pub use framing::{Frame, Framer, NdjsonFramer, SseFramer};
pub use segments::Segments;
pub use text::Text;

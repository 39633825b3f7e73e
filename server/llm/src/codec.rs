//! What an upstream speaks.

use std::fmt;

use bytes::Bytes;

use crate::chat::{ChatRequest, ChatResponse, Protocol, StreamEvent};
use crate::error::ApiError;
use crate::framing::Frame;
use crate::segments::Segments;

/// What the upstream is asked for, apart from what the client wrote.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The upstream's name of the model.
    pub model: &'a str,
    /// An operator's system prompt, put after the client's own.
    pub system_prompt: Option<&'a str>,
}

/// A request ready to be sent, apart from host and key.
#[derive(Clone, Debug)]
pub struct WireRequest {
    pub method: http::Method,
    /// Relative to the provider's base URL: `/chat/completions`.
    pub path: String,
    pub headers: http::HeaderMap,
    pub body: Segments,
}

/// One upstream chat protocol. Pure: no clock, no randomness, no network.
pub trait ChatCodec: Send + Sync + fmt::Debug {
    fn protocol(&self) -> Protocol;

    /// The upstream's request. Of a body in the same protocol only what `target` asks for is changed.
    ///
    /// # Errors
    /// What the upstream's protocol cannot say.
    fn encode_request(
        &self,
        request: &ChatRequest,
        target: &Target<'_>,
    ) -> Result<WireRequest, ApiError>;

    /// Reads a reply that came with a 2xx status.
    ///
    /// # Errors
    /// Not what the protocol says, or an error object under a good status.
    fn decode_response(&self, request: &ChatRequest, body: Bytes)
    -> Result<ChatResponse, ApiError>;

    /// A decoder for one reply stream.
    fn stream_decoder(&self, request: &ChatRequest) -> Box<dyn StreamDecoder>;

    /// Reads a reply that came with an error status. Never fails: what cannot be read is told by the status.
    fn decode_error(&self, status: u16, headers: &http::HeaderMap, body: &[u8]) -> ApiError;
}

/// The state of one reply stream: frames in, events out.
pub trait StreamDecoder: Send + fmt::Debug {
    /// Appends the frame's events to `out`, and leaves in the frame's marks what an encoder of the same
    /// protocol needs, so that nobody parses it twice. Events that were appended before an error stand.
    ///
    /// # Errors
    /// The upstream reported an error, or the frame is not what the protocol says.
    fn decode(&mut self, frame: &mut Frame, out: &mut Vec<StreamEvent>) -> Result<(), ApiError>;

    /// The body ended.
    ///
    /// # Errors
    /// Unless the protocol had said that this was all.
    fn finish(&mut self, out: &mut Vec<StreamEvent>) -> Result<(), ApiError>;
}

//! What a client speaks.

use std::fmt;

use bytes::{Bytes, BytesMut};

use crate::chat::{ChatRequest, ChatResponse, StreamEvent};
use crate::error::ApiError;
use crate::framing::Frame;
use crate::segments::Segments;

/// One client protocol. Pure: no clock, no randomness, no network.
pub trait ChatDialect: Send + Sync + fmt::Debug {
    /// The name in records, metrics and logs: `openai_chat`.
    fn name(&self) -> &'static str;

    /// Reads a client's body; all of it is checked to be JSON.
    ///
    /// # Errors
    /// What is wrong, naming the parameter.
    fn decode_request(&self, body: Bytes) -> Result<ChatRequest, ApiError>;

    /// The body of a reply. An upstream's bytes in this protocol are carried, with the client's name of
    /// the model; else the reply is written anew.
    fn encode_response(&self, request: &ChatRequest, response: &ChatResponse) -> Segments;

    /// An encoder for one reply stream.
    fn stream_encoder(&self, request: &ChatRequest) -> Box<dyn StreamEncoder>;

    /// The body of an error.
    fn encode_error(&self, error: &ApiError) -> Bytes;
}

/// The state of one reply stream on its way to the client.
pub trait StreamEncoder: Send + fmt::Debug {
    /// Appends what the client gets. With a frame of the same protocol, which the decoder has seen: its
    /// original bytes with the client's name of the model. Without: frames made from the events.
    fn encode(&mut self, frame: Option<&Frame>, events: &[StreamEvent], out: &mut BytesMut);

    /// Appends an error, after which nothing follows: no further call appends anything.
    fn encode_error(&mut self, error: &ApiError, out: &mut BytesMut);

    /// Appends what the protocol still owes a reply that ended well.
    fn finish(&mut self, out: &mut BytesMut);
}

//! What a client speaks.

use std::fmt;
use std::sync::LazyLock;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;

use crate::chat::{ChatRequest, ChatResponse, Protocol, Stamp, StreamEvent, Variant};
use crate::error::ApiError;
use crate::framing::Frame;
use crate::segments::Segments;

/// A request as it arrives.
#[derive(Clone, Debug)]
pub struct Incoming<'a> {
    pub body: Bytes,
    pub headers: &'a HeaderMap,
    pub stamp: Stamp,
    /// The model's name where the path says it.
    pub model: Option<&'a str>,
    /// Whether to stream, where the path says it.
    pub stream: Option<bool>,
    pub variant: Variant,
}

static NO_HEADERS: LazyLock<HeaderMap> = LazyLock::new(HeaderMap::new);

impl Incoming<'static> {
    /// A body alone: for tests and tools.
    pub fn of(body: impl Into<Bytes>) -> Self {
        Incoming::new(body.into(), &NO_HEADERS, Stamp::default())
    }
}

impl<'a> Incoming<'a> {
    /// A body, and nothing else known.
    pub fn new(body: Bytes, headers: &'a HeaderMap, stamp: Stamp) -> Self {
        Self {
            body,
            headers,
            stamp,
            model: None,
            stream: None,
            variant: Variant::Usual,
        }
    }
}

/// One client protocol. Pure: no clock, no randomness, no network.
pub trait ChatDialect: Send + Sync + fmt::Debug {
    fn protocol(&self) -> Protocol;

    /// Reads a client's request; all of its body is checked to be JSON.
    ///
    /// # Errors
    /// What is wrong, naming the parameter.
    fn decode_request(&self, incoming: Incoming<'_>) -> Result<ChatRequest, ApiError>;

    /// The body of a reply. An upstream's bytes in this protocol are carried, with the client's name of
    /// the model; else the reply is written anew.
    fn encode_response(&self, request: &ChatRequest, response: &ChatResponse) -> Segments;

    /// An encoder for one reply stream.
    fn stream_encoder(&self, request: &ChatRequest) -> Box<dyn StreamEncoder>;

    /// What a stream of this request's replies is called.
    fn stream_content_type(&self, _request: &ChatRequest) -> &'static str {
        "text/event-stream; charset=utf-8"
    }

    /// The HTTP status of an error, where the protocol has one of its own.
    fn status(&self, error: &ApiError) -> u16 {
        error.status()
    }

    /// The body of an error.
    fn encode_error(&self, error: &ApiError) -> Bytes;
}

/// The state of one reply stream on its way to the client.
pub trait StreamEncoder: Send + fmt::Debug {
    /// Appends what the client gets. With a frame, which is in the client's protocol and was seen by its
    /// decoder: the original bytes with the client's name of the model. Without: frames made from the events.
    fn encode(&mut self, frame: Option<&Frame>, events: &[StreamEvent], out: &mut BytesMut);

    /// Appends an error, after which nothing follows: no further call appends anything.
    fn encode_error(&mut self, error: &ApiError, out: &mut BytesMut);

    /// Appends what the protocol still owes a reply that ended well.
    fn finish(&mut self, out: &mut BytesMut);
}

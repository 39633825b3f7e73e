//! Gemini's `generateContent` as clients speak it: <https://ai.google.dev/api/generate-content>
//!
//! Model and streaming come from the path: `/models/{model}:streamGenerateContent?alt=sse`. Without `alt=sse` a
//! stream is one JSON array ([`Variant::JsonArray`]).

mod config;
mod conversation;
pub mod count_tokens;
mod metadata;
mod open;
mod outer;
mod request;
mod response;
mod schema;
mod stream;
mod tools;

use bytes::Bytes;

use crate::chat::{ChatRequest, ChatResponse, Protocol, Variant};
use crate::dialect::{ChatDialect, Incoming, StreamEncoder};
use crate::error::ApiError;
use crate::segments::Segments;
use crate::wire::gemini::write_error;

/// The dialect.
#[derive(Clone, Copy, Debug)]
pub struct Gemini;

impl ChatDialect for Gemini {
    fn protocol(&self) -> Protocol {
        Protocol::Gemini
    }

    fn decode_request(&self, incoming: Incoming<'_>) -> Result<ChatRequest, ApiError> {
        request::decode(incoming)
    }

    fn encode_response(&self, request: &ChatRequest, response: &ChatResponse) -> Segments {
        response::encode(request, response)
    }

    fn stream_encoder(&self, request: &ChatRequest) -> Box<dyn StreamEncoder> {
        Box::new(stream::Encoder::new(request))
    }

    fn stream_content_type(&self, request: &ChatRequest) -> &'static str {
        match request.variant {
            Variant::Usual => "text/event-stream",
            Variant::JsonArray => "application/json; charset=UTF-8",
        }
    }

    fn encode_error(&self, error: &ApiError) -> Bytes {
        write_error(error)
    }
}

//! Anthropic Messages as clients speak it: <https://docs.anthropic.com/en/api/messages>

mod arguments;
mod content;
pub mod count_tokens;
mod prompt;
mod response;
mod stream;
mod thinking;
mod tools;

use bytes::Bytes;

use crate::chat::{ChatRequest, ChatResponse, Protocol};
use crate::dialect::{ChatDialect, Incoming, StreamEncoder};
use crate::error::ApiError;
use crate::segments::Segments;
use crate::wire::anthropic::{scan_request, status_of, write_error};

/// The dialect.
#[derive(Clone, Copy, Debug)]
pub struct Anthropic;

impl ChatDialect for Anthropic {
    fn protocol(&self) -> Protocol {
        Protocol::Anthropic
    }

    fn decode_request(&self, incoming: Incoming<'_>) -> Result<ChatRequest, ApiError> {
        scan_request(incoming, prompt::read)
    }

    fn encode_response(&self, request: &ChatRequest, response: &ChatResponse) -> Segments {
        response::encode(request, response)
    }

    fn stream_encoder(&self, request: &ChatRequest) -> Box<dyn StreamEncoder> {
        Box::new(stream::Encoder::new(request))
    }

    fn status(&self, error: &ApiError) -> u16 {
        status_of(error)
    }

    fn encode_error(&self, error: &ApiError) -> Bytes {
        write_error(error)
    }
}

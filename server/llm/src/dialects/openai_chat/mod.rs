//! OpenAI Chat Completions as clients speak it: <https://platform.openai.com/docs/api-reference/chat>

mod chunk;
mod delta;
mod message;
mod prompt;
mod response;
mod stream;

use bytes::Bytes;

use crate::chat::{ChatRequest, ChatResponse, Protocol};
use crate::dialect::{ChatDialect, Incoming, StreamEncoder};
use crate::error::ApiError;
use crate::segments::Segments;
use crate::wire::openai_chat::{scan_request, write_error};

/// The dialect.
#[derive(Clone, Copy, Debug)]
pub struct OpenAiChat;

impl ChatDialect for OpenAiChat {
    fn protocol(&self) -> Protocol {
        Protocol::OpenAiChat
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

    fn encode_error(&self, error: &ApiError) -> Bytes {
        Bytes::from(write_error(error))
    }
}

//! OpenAI Chat Completions as clients speak it: <https://platform.openai.com/docs/api-reference/chat>

mod response;
mod stream;

use bytes::Bytes;

use crate::chat::{ChatRequest, ChatResponse};
use crate::dialect::{ChatDialect, StreamEncoder};
use crate::error::ApiError;
use crate::segments::Segments;
use crate::wire::openai_chat::{scan_request, write_error};

/// The dialect.
#[derive(Clone, Copy, Debug)]
pub struct OpenAiChat;

impl ChatDialect for OpenAiChat {
    fn name(&self) -> &'static str {
        "openai_chat"
    }

    fn decode_request(&self, body: Bytes) -> Result<ChatRequest, ApiError> {
        scan_request(body)
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

//! OpenAI's legacy Completions as clients speak it: <https://platform.openai.com/docs/api-reference/completions>
//!
//! An upstream that has it is carried to; any other is asked in a chat with one message of the user.

mod request;
mod response;
mod stream;

use bytes::Bytes;

use crate::chat::{ChatRequest, ChatResponse, Protocol};
use crate::dialect::{ChatDialect, Incoming, StreamEncoder};
use crate::error::ApiError;
use crate::segments::Segments;
use crate::wire::openai_chat::write_error;

/// The dialect.
#[derive(Clone, Copy, Debug)]
pub struct OpenAiCompletions;

impl ChatDialect for OpenAiCompletions {
    fn protocol(&self) -> Protocol {
        Protocol::OpenAiCompletions
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

    fn encode_error(&self, error: &ApiError) -> Bytes {
        Bytes::from(write_error(error))
    }
}

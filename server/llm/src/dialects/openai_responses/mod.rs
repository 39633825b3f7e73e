//! OpenAI Responses as clients speak it: <https://platform.openai.com/docs/api-reference/responses>
//!
//! The gateway keeps no responses: what refers to one (`previous_response_id`, `conversation`) works where the
//! upstream speaks the protocol too and keeps them.

mod events;
mod object;
mod output;
mod prompt;
mod request;
mod response;
mod stream;

use bytes::Bytes;

use crate::chat::{ChatRequest, ChatResponse, FinishReason, Protocol};
use crate::dialect::{ChatDialect, Incoming, StreamEncoder};
use crate::error::ApiError;
use crate::segments::Segments;
use crate::wire::openai_chat::write_error;

/// The dialect.
#[derive(Clone, Copy, Debug)]
pub struct OpenAiResponses;

impl ChatDialect for OpenAiResponses {
    fn protocol(&self) -> Protocol {
        Protocol::OpenAiResponses
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

/// Whether a reply that ended so is `incomplete`.
fn is_cut_short(reason: &FinishReason) -> bool {
    matches!(reason, FinishReason::Length | FinishReason::ContentFilter)
}

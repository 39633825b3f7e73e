//! Ollama's own chat protocol: <https://github.com/ollama/ollama/blob/main/docs/api.md#generate-a-chat-completion>
//!
//! A reply is one JSON object a line, the last of them with `done`. Calls have no ids of their own in older versions:
//! they are given some.

mod errors;
mod messages;
mod reply;
mod request;
mod stream;

use bytes::Bytes;

use crate::chat::{ChatRequest, ChatResponse, Protocol};
use crate::codec::{ChatCodec, ReplyForm, StreamDecoder, Target, WireRequest};
use crate::error::ApiError;

/// The codec.
#[derive(Clone, Copy, Debug)]
pub struct Ollama;

impl ChatCodec for Ollama {
    fn protocol(&self) -> Protocol {
        Protocol::Ollama
    }

    fn encode_request(
        &self,
        request: &ChatRequest,
        target: &Target<'_>,
    ) -> Result<WireRequest, ApiError> {
        request::encode(request, target)
    }

    fn decode_response(
        &self,
        request: &ChatRequest,
        _: &ReplyForm,
        body: Bytes,
    ) -> Result<ChatResponse, ApiError> {
        reply::decode(request.stamp, &body)
    }

    fn stream_decoder(&self, request: &ChatRequest, _: &ReplyForm) -> Box<dyn StreamDecoder> {
        Box::new(stream::Decoder::new(request.stamp))
    }

    fn decode_error(&self, status: u16, headers: &http::HeaderMap, body: &[u8]) -> ApiError {
        errors::from_status(status, headers, body)
    }
}

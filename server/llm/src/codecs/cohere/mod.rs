//! Cohere's Chat, version 2: <https://docs.cohere.com/reference/chat>
//!
//! A `tool_plan`, what the model says to itself before it calls tools, is read as thoughts, and goes back as what it was.
//! Replies do not name their model.

mod citation;
mod errors;
mod messages;
mod parts;
mod request;
mod response;
mod stream;

use bytes::Bytes;

use crate::chat::{ChatRequest, ChatResponse, Protocol};
use crate::codec::{ChatCodec, ReplyForm, StreamDecoder, Target, WireRequest};
use crate::error::ApiError;

/// The codec.
#[derive(Clone, Copy, Debug)]
pub struct Cohere;

impl ChatCodec for Cohere {
    fn protocol(&self) -> Protocol {
        Protocol::Cohere
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
        _: &ChatRequest,
        _: &ReplyForm,
        body: Bytes,
    ) -> Result<ChatResponse, ApiError> {
        response::decode(&body)
    }

    fn stream_decoder(&self, _: &ChatRequest, _: &ReplyForm) -> Box<dyn StreamDecoder> {
        Box::new(stream::Decoder::default())
    }

    fn decode_error(&self, status: u16, headers: &http::HeaderMap, body: &[u8]) -> ApiError {
        errors::from_status(status, headers, body)
    }
}

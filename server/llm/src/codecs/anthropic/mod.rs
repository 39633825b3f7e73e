//! Anthropic Messages as upstreams speak it: <https://docs.anthropic.com/en/api/messages>

mod blocks;
mod cache;
mod carry;
pub mod count_tokens;
mod errors;
mod media;
mod messages;
mod models;
mod output;
mod request;
mod response;
mod schema;
mod stream;
mod thinking;
mod tools;

use bytes::Bytes;

use crate::chat::{ChatRequest, ChatResponse, Protocol};
use crate::codec::{ChatCodec, ReplyForm, StreamDecoder, Target, WireRequest};
use crate::error::ApiError;

/// The codec.
#[derive(Clone, Copy, Debug)]
pub struct Anthropic;

impl ChatCodec for Anthropic {
    fn protocol(&self) -> Protocol {
        Protocol::Anthropic
    }

    fn encode_request(
        &self,
        request: &ChatRequest,
        target: &Target<'_>,
    ) -> Result<WireRequest, ApiError> {
        if request.protocol == Protocol::Anthropic {
            carry::encode(request, target, "/messages")
        } else {
            request::encode(request, target)
        }
    }

    fn decode_response(
        &self,
        request: &ChatRequest,
        form: &ReplyForm,
        body: Bytes,
    ) -> Result<ChatResponse, ApiError> {
        response::decode(request, form, body)
    }

    fn stream_decoder(&self, request: &ChatRequest, form: &ReplyForm) -> Box<dyn StreamDecoder> {
        Box::new(stream::Decoder::new(request, form))
    }

    fn decode_error(&self, status: u16, headers: &http::HeaderMap, body: &[u8]) -> ApiError {
        errors::from_status(status, headers, body)
    }
}

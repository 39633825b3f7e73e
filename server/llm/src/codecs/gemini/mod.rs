//! Gemini's `generateContent` as upstreams speak it: <https://ai.google.dev/api/generate-content>

mod candidate;
mod carry;
mod citations;
mod contents;
pub mod count_tokens;
mod errors;
mod family;
mod logprobs;
mod media_type;
mod reply;
mod request;
mod stream;

use bytes::Bytes;

use crate::chat::{ChatRequest, ChatResponse, Protocol, RawReply, collect};
use crate::codec::{ChatCodec, ReplyForm, StreamDecoder, Target, WireRequest};
use crate::error::ApiError;

/// The codec. A model is asked at `/models/{model}:generateContent`, or at `:streamGenerateContent?alt=sse`.
#[derive(Clone, Copy, Debug)]
pub struct Gemini;

impl ChatCodec for Gemini {
    fn protocol(&self) -> Protocol {
        Protocol::Gemini
    }

    fn encode_request(
        &self,
        request: &ChatRequest,
        target: &Target<'_>,
    ) -> Result<WireRequest, ApiError> {
        if request.protocol == Protocol::Gemini {
            carry::encode(request, target)
        } else {
            request::encode(request, target)
        }
    }

    fn decode_response(
        &self,
        request: &ChatRequest,
        _: &ReplyForm,
        body: Bytes,
    ) -> Result<ChatResponse, ApiError> {
        let mut events = Vec::new();
        let model = reply::Reply::new(request).read_whole(&body, &mut events)?;
        let mut response = collect(&events);
        response.raw = Some(RawReply {
            protocol: Protocol::Gemini,
            body,
            model,
        });
        Ok(response)
    }

    fn stream_decoder(&self, request: &ChatRequest, _: &ReplyForm) -> Box<dyn StreamDecoder> {
        Box::new(stream::Decoder::new(request))
    }

    fn decode_error(&self, status: u16, headers: &http::HeaderMap, body: &[u8]) -> ApiError {
        errors::from_status(status, headers, body)
    }
}

//! OpenAI Responses as upstreams speak it: <https://platform.openai.com/docs/api-reference/responses>

mod build;
mod carry;
mod failures;
mod reply;
mod request;
mod response;
mod stream;

use bytes::Bytes;

use crate::chat::{ChatRequest, ChatResponse, Protocol};
use crate::codec::{ChatCodec, ReplyForm, StreamDecoder, Target, WireRequest};
use crate::codecs::openai_chat::errors;
use crate::error::ApiError;

/// The codec, for one kind of upstream.
#[derive(Clone, Copy, Debug)]
pub struct OpenAiResponses {
    /// The version asked for where the operator chose none, of an API with dated versions.
    api_version: Option<&'static str>,
}

impl OpenAiResponses {
    /// For upstreams whose API has one version.
    pub const USUAL: Self = Self { api_version: None };

    /// For an upstream whose API has dated versions, said in the query.
    pub const fn dated(api_version: &'static str) -> Self {
        Self {
            api_version: Some(api_version),
        }
    }
}

impl ChatCodec for OpenAiResponses {
    fn protocol(&self) -> Protocol {
        Protocol::OpenAiResponses
    }

    fn encode_request(
        &self,
        request: &ChatRequest,
        target: &Target<'_>,
    ) -> Result<WireRequest, ApiError> {
        request::encode(self.api_version, request, target)
    }

    fn decode_response(
        &self,
        _: &ChatRequest,
        _: &ReplyForm,
        body: Bytes,
    ) -> Result<ChatResponse, ApiError> {
        response::decode(body)
    }

    fn stream_decoder(&self, _: &ChatRequest, _: &ReplyForm) -> Box<dyn StreamDecoder> {
        Box::new(stream::Decoder::default())
    }

    fn decode_error(&self, status: u16, headers: &http::HeaderMap, body: &[u8]) -> ApiError {
        errors::from_status(status, headers, body)
    }
}

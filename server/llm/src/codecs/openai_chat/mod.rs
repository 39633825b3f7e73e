//! OpenAI Chat Completions as upstreams speak it: <https://platform.openai.com/docs/api-reference/chat>

mod build;
mod carry;
pub(super) mod errors;
mod quirks;
mod request;
mod response;
mod stream;

use bytes::Bytes;

use crate::chat::{ChatRequest, ChatResponse, Protocol};
use crate::codec::{ChatCodec, ReplyForm, StreamDecoder, Target, WireRequest};
use crate::error::ApiError;

pub(super) use request::in_words;

pub use quirks::{EffortField, OutputFormat, Path, Quirks, Thoughts, TokenLimit};

/// The codec, for one kind of upstream.
#[derive(Clone, Copy, Debug)]
pub struct OpenAiChat {
    quirks: Quirks,
}

impl OpenAiChat {
    /// For OpenAI itself.
    pub const OPENAI: Self = Self::new(Quirks::OPENAI);
    /// For servers of which no more is known than that they speak the protocol.
    pub const COMPATIBLE: Self = Self::new(Quirks::COMPATIBLE);

    pub const fn new(quirks: Quirks) -> Self {
        Self { quirks }
    }
}

impl ChatCodec for OpenAiChat {
    fn protocol(&self) -> Protocol {
        Protocol::OpenAiChat
    }

    fn output_limit(&self) -> &'static str {
        self.quirks.token_limit_name()
    }

    fn encode_request(
        &self,
        request: &ChatRequest,
        target: &Target<'_>,
    ) -> Result<WireRequest, ApiError> {
        request::encode(&self.quirks, request, target)
    }

    fn decode_response(
        &self,
        _: &ChatRequest,
        _: &ReplyForm,
        body: Bytes,
    ) -> Result<ChatResponse, ApiError> {
        response::decode(body)
    }

    fn stream_decoder(&self, request: &ChatRequest, _: &ReplyForm) -> Box<dyn StreamDecoder> {
        let choices = if self.quirks.refuses.contains(&"n") {
            1
        } else {
            request.choices
        };
        Box::new(stream::Decoder::new(choices))
    }

    fn decode_error(&self, status: u16, headers: &http::HeaderMap, body: &[u8]) -> ApiError {
        errors::from_status(status, headers, body)
    }
}

//! OpenAI's legacy Completions, for upstreams that still have it:
//! <https://platform.openai.com/docs/api-reference/completions>
//!
//! Only carried: a chat cannot be told as a text to continue. Replies have the envelope of chat completions, with `text`
//! in place of a message, and are read by the same code.

mod request;

use bytes::Bytes;

use crate::carried::Paths;
use crate::chat::{ChatRequest, ChatResponse, Protocol};
use crate::codec::{ChatCodec, ReplyForm, StreamDecoder, Target, WireRequest};
use crate::codecs::openai_chat::OpenAiChat;
use crate::error::ApiError;

/// The codec, for one kind of upstream.
#[derive(Clone, Copy, Debug)]
pub struct OpenAiCompletions {
    paths: Paths,
    /// Whether `stream_options` is known.
    stream_options: bool,
}

impl OpenAiCompletions {
    /// For OpenAI itself, and servers that do as it does.
    pub const USUAL: Self = Self {
        paths: Paths::Plain,
        stream_options: true,
    };

    /// At another place.
    pub const fn at(paths: Paths) -> Self {
        Self {
            paths,
            ..Self::USUAL
        }
    }
}

/// What reads the replies.
const READER: OpenAiChat = OpenAiChat::COMPATIBLE;

impl ChatCodec for OpenAiCompletions {
    fn protocol(&self) -> Protocol {
        Protocol::OpenAiCompletions
    }

    fn encode_request(
        &self,
        request: &ChatRequest,
        target: &Target<'_>,
    ) -> Result<WireRequest, ApiError> {
        request::encode(self, request, target)
    }

    fn decode_response(
        &self,
        request: &ChatRequest,
        form: &ReplyForm,
        body: Bytes,
    ) -> Result<ChatResponse, ApiError> {
        let mut response = READER.decode_response(request, form, body)?;
        if let Some(raw) = &mut response.raw {
            raw.protocol = Protocol::OpenAiCompletions;
        }
        Ok(response)
    }

    fn stream_decoder(&self, request: &ChatRequest, form: &ReplyForm) -> Box<dyn StreamDecoder> {
        READER.stream_decoder(request, form)
    }

    fn decode_error(&self, status: u16, headers: &http::HeaderMap, body: &[u8]) -> ApiError {
        READER.decode_error(status, headers, body)
    }
}

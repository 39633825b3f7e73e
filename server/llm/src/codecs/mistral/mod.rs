//! Mistral's Chat Completions: <https://docs.mistral.ai/api/endpoint/chat>
//!
//! Close to OpenAI Chat, and still a protocol of its own: parameters that it does not know are refused with 422, tool
//! calls' ids have nine letters or digits, turns have to follow an order, and content comes in chunks. So requests
//! are always written anew; replies are read as OpenAI's, of which they are a dialect.
//! Shapes are those of the published SDK: <https://github.com/mistralai/client-python>

mod call_ids;
mod content;
mod conversation;
mod finish;
mod request;

use bytes::Bytes;

use crate::chat::{ChatRequest, ChatResponse, Protocol};
use crate::codec::{ChatCodec, ReplyForm, StreamDecoder, Target, WireRequest};
use crate::codecs::openai_chat::OpenAiChat;
use crate::error::ApiError;

/// The codec.
#[derive(Clone, Copy, Debug)]
pub struct Mistral;

/// What reads the replies.
const READER: OpenAiChat = OpenAiChat::COMPATIBLE;

impl ChatCodec for Mistral {
    fn protocol(&self) -> Protocol {
        Protocol::Mistral
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
        form: &ReplyForm,
        body: Bytes,
    ) -> Result<ChatResponse, ApiError> {
        let mut response = READER.decode_response(request, form, body)?;
        finish::settle_choices(&mut response)?;
        // It is not OpenAI's, close as it is: no client is given these bytes.
        response.raw = None;
        Ok(response)
    }

    fn stream_decoder(&self, request: &ChatRequest, form: &ReplyForm) -> Box<dyn StreamDecoder> {
        Box::new(finish::Decoder::new(READER.stream_decoder(request, form)))
    }

    fn decode_error(&self, status: u16, headers: &http::HeaderMap, body: &[u8]) -> ApiError {
        READER.decode_error(status, headers, body)
    }
}

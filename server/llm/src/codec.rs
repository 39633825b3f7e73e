//! What an upstream speaks.

use std::fmt;

use bytes::Bytes;

use crate::chat::{ChatRequest, ChatResponse, Losses, Protocol, StreamEvent};
use crate::error::ApiError;
use crate::framing::Frame;
use crate::segments::Segments;

/// What the upstream is asked for, apart from what the client wrote.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The upstream's name of the model.
    pub model: &'a str,
    /// An operator's system prompt, put after the client's own.
    pub system_prompt: Option<&'a str>,
    /// The version of the upstream's API, where the operator chose one.
    pub api_version: Option<&'a str>,
}

impl<'a> Target<'a> {
    /// A model, and nothing else.
    pub fn new(model: &'a str) -> Self {
        Self {
            model,
            system_prompt: None,
            api_version: None,
        }
    }
}

/// A request ready to be sent, apart from host and key.
#[derive(Clone, Debug)]
pub struct WireRequest {
    pub method: http::Method,
    /// Relative to the provider's base URL, with its query: `/chat/completions`.
    pub path: String,
    pub headers: http::HeaderMap,
    pub body: Segments,
    /// What of the client's request the body does not say.
    pub losses: Losses,
    pub form: ReplyForm,
}

impl WireRequest {
    /// A JSON body to be posted.
    pub(crate) fn post_json(path: String, body: Segments, losses: Losses, form: ReplyForm) -> Self {
        let json = http::HeaderValue::from_static("application/json");
        Self {
            method: http::Method::POST,
            path,
            headers: http::HeaderMap::from_iter([(http::header::CONTENT_TYPE, json)]),
            body,
            losses,
            form,
        }
    }
}

/// What the sent request says of the reply to come; its decoder is given it back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReplyForm {
    /// The reply comes in the client's own protocol: its bytes are carried.
    pub carried: bool,
    /// Structured output was emulated: what the model calls this tool with is the answer's text.
    pub answer_tool: Option<&'static str>,
}

/// One upstream chat protocol. Pure: no clock, no randomness, no network.
pub trait ChatCodec: Send + Sync + fmt::Debug {
    fn protocol(&self) -> Protocol;

    /// Where a request's body says how long an answer may be, with dots into objects.
    fn output_limit(&self) -> &'static str {
        match self.protocol() {
            Protocol::OpenAiChat => "max_completion_tokens",
            Protocol::OpenAiResponses => "max_output_tokens",
            Protocol::Gemini => "generationConfig.maxOutputTokens",
            Protocol::Ollama => "options.num_predict",
            Protocol::OpenAiCompletions
            | Protocol::Anthropic
            | Protocol::Cohere
            | Protocol::Mistral => "max_tokens",
        }
    }

    /// The upstream's request. Of a body in the same protocol only what `target` asks for is changed;
    /// another one is written anew from its [`prompt`](ChatRequest::prompt). What this protocol cannot say is
    /// left out and noted in [`WireRequest::losses`].
    ///
    /// # Errors
    /// What of the body makes no sense, or what cannot be left out without changing what is asked for.
    fn encode_request(
        &self,
        request: &ChatRequest,
        target: &Target<'_>,
    ) -> Result<WireRequest, ApiError>;

    /// Reads a reply that came with a 2xx status.
    ///
    /// # Errors
    /// Not what the protocol says, or an error object under a good status.
    fn decode_response(
        &self,
        request: &ChatRequest,
        form: &ReplyForm,
        body: Bytes,
    ) -> Result<ChatResponse, ApiError>;

    /// A decoder for one reply stream.
    fn stream_decoder(&self, request: &ChatRequest, form: &ReplyForm) -> Box<dyn StreamDecoder>;

    /// Reads a reply that came with an error status. Never fails: what cannot be read is told by the status.
    fn decode_error(&self, status: u16, headers: &http::HeaderMap, body: &[u8]) -> ApiError;
}

/// The state of one reply stream: frames in, events out.
pub trait StreamDecoder: Send + fmt::Debug {
    /// Appends the frame's events to `out`, and leaves in the frame's marks what an encoder of the same
    /// protocol needs, so that nobody parses it twice. Events that were appended before an error stand.
    ///
    /// # Errors
    /// The upstream reported an error, or the frame is not what the protocol says.
    fn decode(&mut self, frame: &mut Frame, out: &mut Vec<StreamEvent>) -> Result<(), ApiError>;

    /// The body ended.
    ///
    /// # Errors
    /// Unless the protocol had said that this was all.
    fn finish(&mut self, out: &mut Vec<StreamEvent>) -> Result<(), ApiError>;
}

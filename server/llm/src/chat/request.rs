//! What a client asks for.

use std::sync::OnceLock;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

use super::Prompt;
use crate::error::ApiError;
use crate::wire::{anthropic, openai_chat};

/// A chat protocol, as a client or an upstream speaks it.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// OpenAI Chat Completions.
    OpenAiChat,
    /// OpenAI's legacy Completions: a text is continued.
    OpenAiCompletions,
    /// OpenAI Responses.
    OpenAiResponses,
    /// Anthropic Messages.
    Anthropic,
    /// Gemini's `generateContent`.
    Gemini,
    /// Ollama's `/api/chat`.
    Ollama,
    /// Cohere's Chat, version 2.
    Cohere,
    /// Mistral's Chat Completions.
    Mistral,
}

impl Protocol {
    pub const ALL: [Self; 8] = [
        Self::OpenAiChat,
        Self::OpenAiCompletions,
        Self::OpenAiResponses,
        Self::Anthropic,
        Self::Gemini,
        Self::Ollama,
        Self::Cohere,
        Self::Mistral,
    ];

    /// The name in records, metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OpenAiChat => "openai_chat",
            Self::OpenAiCompletions => "openai_completions",
            Self::OpenAiResponses => "openai_responses",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::Ollama => "ollama",
            Self::Cohere => "cohere",
            Self::Mistral => "mistral",
        }
    }

    /// The protocol of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }
}

/// What makes a reply this reply and no other, where an upstream's protocol does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// The request's id, a UUID.
    pub id: u128,
    /// Seconds since 1970.
    pub at: i64,
}

impl Stamp {
    /// An id as protocols have them: a prefix and 32 hexadecimal digits.
    pub fn id(&self, prefix: &str) -> String {
        format!("{prefix}{:032x}", self.id)
    }
}

/// A chat request: the client's own bytes, and what had to be read of them.
#[derive(Clone, Debug)]
pub struct ChatRequest {
    /// What `body` is written in.
    pub protocol: Protocol,
    /// As it came.
    pub body: Bytes,
    /// The client's name of the model.
    pub model: Option<String>,
    pub stream: bool,
    /// The client asked for usage in the stream.
    pub include_usage: bool,
    /// How many alternatives the client asked for.
    pub choices: u32,
    /// Headers of the client's protocol that an upstream of the same protocol gets too.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The query's parameters that shape the reply (Gemini's `alt`), as the dialect keeps them.
    pub variant: Variant,
    pub stamp: Stamp,
    /// Where in `body` the values stand that a codec may have to change.
    pub(crate) layout: Layout,
    /// How the dialect reads all of `body`.
    pub(crate) read: fn(&ChatRequest) -> Result<Prompt, ApiError>,
    pub(crate) prompt: OnceLock<Result<Box<Prompt>, ApiError>>,
}

/// The form that a reply takes, where a protocol has several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Variant {
    #[default]
    Usual,
    /// A stream as one JSON array (Gemini without `alt=sse`).
    JsonArray,
}

/// What the scan of a body leaves behind.
#[derive(Clone, Debug)]
pub(crate) enum Layout {
    OpenAiChat(openai_chat::RequestLayout),
    Anthropic(anthropic::RequestLayout),
    /// Nothing: a codec of the same protocol scans the body itself.
    Unknown,
}

impl ChatRequest {
    /// A request of which no more is known than that it is `body`; set what the body says.
    pub(crate) fn new(
        protocol: Protocol,
        body: Bytes,
        stamp: Stamp,
        read: fn(&ChatRequest) -> Result<Prompt, ApiError>,
    ) -> Self {
        Self {
            protocol,
            body,
            model: None,
            stream: false,
            include_usage: false,
            choices: 1,
            headers: Vec::new(),
            variant: Variant::Usual,
            stamp,
            layout: Layout::Unknown,
            read,
            prompt: OnceLock::new(),
        }
    }

    /// All that the request says, in no protocol. Read once, at the first call.
    ///
    /// # Errors
    /// What in the body makes no sense, naming the parameter.
    pub fn prompt(&self) -> Result<&Prompt, ApiError> {
        let read = || (self.read)(self).map(Box::new);
        match self.prompt.get_or_init(read) {
            Ok(prompt) => Ok(prompt),
            Err(error) => Err(error.clone()),
        }
    }
}

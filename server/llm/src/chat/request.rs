//! What a client asks for.

use bytes::Bytes;

use crate::wire::openai_chat;

/// A chat protocol, as a client or an upstream speaks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// OpenAI Chat Completions.
    OpenAiChat,
}

impl Protocol {
    /// The name in records, metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OpenAiChat => "openai_chat",
        }
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
    /// Where in `body` the values stand that a codec may have to change.
    pub(crate) layout: Layout,
}

/// What the scan of a body leaves behind, a variant a protocol.
#[derive(Clone, Debug)]
pub(crate) enum Layout {
    OpenAiChat(openai_chat::RequestLayout),
}

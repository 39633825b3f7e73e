//! What upstreams speak: one folder a protocol.

pub mod anthropic;
pub mod cohere;
mod failed_tool;
pub(crate) mod failure;
pub mod gemini;
#[cfg(test)]
mod loss_honest;
pub mod mistral;
pub mod ollama;
pub mod openai_chat;
pub mod openai_completions;
pub mod openai_responses;
mod own;
mod schema_label;
mod spellings;
mod time;
mod wait;

use crate::chat::Protocol;
use crate::codec::ChatCodec;

/// One codec a protocol, for upstreams of which no more is known.
static ALL: &[&dyn ChatCodec] = &[
    &anthropic::Anthropic,
    &cohere::Cohere,
    &gemini::Gemini,
    &mistral::Mistral,
    &ollama::Ollama,
    &openai_chat::OpenAiChat::COMPATIBLE,
    &openai_completions::OpenAiCompletions::USUAL,
    &openai_responses::OpenAiResponses::USUAL,
];

/// Every protocol's codec.
pub fn all() -> &'static [&'static dyn ChatCodec] {
    ALL
}

/// The codec of this protocol, unless no upstream is asked in it.
pub fn find(protocol: Protocol) -> Option<&'static dyn ChatCodec> {
    ALL.iter()
        .copied()
        .find(|codec| codec.protocol() == protocol)
}

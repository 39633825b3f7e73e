//! Any server that speaks OpenAI's protocol and has no file of its own.

use super::{Modalities, Provider};
use crate::codecs::openai_chat::OpenAiChat;
use crate::codecs::openai_completions::OpenAiCompletions;

pub(super) static PROVIDER: Provider = Provider {
    id: "openai-compatible",
    title: "OpenAI-compatible",
    key_needed: false,
    codecs: &[&OpenAiChat::COMPATIBLE, &OpenAiCompletions::USUAL],
    modalities: Modalities::ANY,
    ..Provider::COMPATIBLE
};

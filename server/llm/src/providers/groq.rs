//! Groq: <https://console.groq.com/docs/api-reference#chat-create>
//!
//! What it refuses: <https://console.groq.com/docs/openai#currently-unsupported-openai-features>

use super::{Modalities, Provider};
use crate::chat::MediaKind;
use crate::codecs::openai_chat::{OpenAiChat, Quirks, Thoughts, TokenLimit};

pub(super) static PROVIDER: Provider = Provider {
    id: "groq",
    title: "Groq",
    base_url: Some("https://api.groq.com/openai/v1"),
    key_variables: &["GROQ_API_KEY"],
    codecs: &[&OpenAiChat::new(Quirks {
        token_limit: TokenLimit::MaxCompletionTokens,
        refuses: &[
            "logit_bias",
            "logprobs",
            "messages.name",
            "metadata",
            "n",
            "store",
            "top_logprobs",
        ],
        takes: &[],
        thoughts: Thoughts::Reasoning,
        media: &[MediaKind::Image],
        ..Quirks::COMPATIBLE
    })],
    modalities: Modalities {
        speech: true,
        transcription: true,
        ..Modalities::CHAT
    },
    docs_url: "https://console.groq.com/docs/openai",
    ..Provider::COMPATIBLE
};

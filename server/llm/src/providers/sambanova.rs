//! SambaNova: <https://docs.sambanova.ai/docs/api-reference/chat-completions/create-chat-based-completion>
//!
//! What it ignores is left out, so that it is told:
//! <https://docs.sambanova.ai/docs/en/features/openai-compatibility#currently-unsupported-openai-features>

use super::{Modalities, Provider};
use crate::codecs::openai_chat::{OpenAiChat, Quirks};
use crate::codecs::openai_completions::OpenAiCompletions;

pub(super) static PROVIDER: Provider = Provider {
    id: "sambanova",
    title: "SambaNova",
    base_url: Some("https://api.sambanova.ai/v1"),
    key_variables: &["SAMBANOVA_API_KEY"],
    codecs: &[
        &OpenAiChat::new(Quirks {
            developer_role: false,
            refuses: &["frequency_penalty", "logit_bias", "presence_penalty"],
            takes: &["top_k"],
            ..Quirks::COMPATIBLE
        }),
        &OpenAiCompletions::USUAL,
    ],
    modalities: Modalities {
        embeddings: true,
        transcription: true,
        ..Modalities::CHAT
    },
    docs_url: "https://docs.sambanova.ai/docs/en/features/openai-compatibility",
    ..Provider::COMPATIBLE
};

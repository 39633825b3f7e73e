//! vLLM: <https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html>
//!
//! Roles are the model's template's own, so `system` is the sure one.

use super::{Modalities, Provider};
use crate::chat::MediaKind;
use crate::codecs::openai_chat::{OpenAiChat, Quirks};
use crate::codecs::openai_completions::OpenAiCompletions;

pub(super) static PROVIDER: Provider = Provider {
    id: "vllm",
    title: "vLLM",
    base_url: Some("http://127.0.0.1:8000/v1"),
    key_variables: &["VLLM_API_KEY"],
    key_needed: false,
    codecs: &[
        &OpenAiChat::new(Quirks {
            developer_role: false,
            media: &[MediaKind::Image, MediaKind::Audio, MediaKind::Video],
            ..Quirks::COMPATIBLE
        }),
        &OpenAiCompletions::USUAL,
    ],
    modalities: Modalities {
        embeddings: true,
        rerank: true,
        transcription: true,
        ..Modalities::CHAT
    },
    docs_url: "https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html",
    ..Provider::COMPATIBLE
};

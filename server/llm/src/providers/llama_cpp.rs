//! llama.cpp's server: <https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md>
//!
//! Roles are the model's template's own, so `system` is the sure one.

use super::{Modalities, Provider};
use crate::codecs::openai_chat::{OpenAiChat, Quirks};
use crate::codecs::openai_completions::OpenAiCompletions;

pub(super) static PROVIDER: Provider = Provider {
    id: "llama-cpp",
    title: "llama.cpp",
    base_url: Some("http://127.0.0.1:8080/v1"),
    key_variables: &["LLAMA_API_KEY"],
    key_needed: false,
    codecs: &[
        &OpenAiChat::new(Quirks {
            developer_role: false,
            ..Quirks::COMPATIBLE
        }),
        &OpenAiCompletions::USUAL,
    ],
    modalities: Modalities {
        embeddings: true,
        rerank: true,
        ..Modalities::CHAT
    },
    docs_url: "https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md",
    ..Provider::COMPATIBLE
};

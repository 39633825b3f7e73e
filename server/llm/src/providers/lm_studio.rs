//! LM Studio: <https://lmstudio.ai/docs/developer/openai-compat>
//!
//! `response_format` is `text` or `json_schema`: <https://lmstudio.ai/docs/developer/openai-compat/structured-output>

use super::{Modalities, Provider};
use crate::chat::MediaKind;
use crate::codecs::openai_chat::{OpenAiChat, OutputFormat, Quirks, TokenLimit};
use crate::codecs::openai_completions::OpenAiCompletions;

pub(super) static PROVIDER: Provider = Provider {
    id: "lm-studio",
    title: "LM Studio",
    base_url: Some("http://127.0.0.1:1234/v1"),
    key_variables: &["LM_API_TOKEN"],
    key_needed: false,
    codecs: &[
        &OpenAiChat::new(Quirks {
            token_limit: TokenLimit::OnlyMaxTokens,
            developer_role: false,
            takes: &["top_k"],
            output: OutputFormat::SchemaOnly,
            media: &[MediaKind::Image],
            ..Quirks::COMPATIBLE
        }),
        &OpenAiCompletions::USUAL,
    ],
    modalities: Modalities {
        embeddings: true,
        ..Modalities::CHAT
    },
    docs_url: "https://lmstudio.ai/docs/developer/openai-compat",
    ..Provider::COMPATIBLE
};

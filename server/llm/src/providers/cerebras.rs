//! Cerebras: <https://inference-docs.cerebras.ai/api-reference/chat-completions>
//!
//! Parameters, roles and efforts are those of its SDK, `cerebras-cloud-sdk` 1.91.

use super::Provider;
use crate::chat::{Effort, MediaKind};
use crate::codecs::openai_chat::{OpenAiChat, Quirks, Thoughts, TokenLimit};
use crate::codecs::openai_completions::OpenAiCompletions;

pub(super) static PROVIDER: Provider = Provider {
    id: "cerebras",
    title: "Cerebras",
    base_url: Some("https://api.cerebras.ai/v1"),
    key_variables: &["CEREBRAS_API_KEY"],
    codecs: &[
        &OpenAiChat::new(Quirks {
            token_limit: TokenLimit::MaxCompletionTokens,
            takes: &[],
            thoughts: Thoughts::Reasoning,
            efforts: &[Effort::None, Effort::Low, Effort::Medium, Effort::High],
            media: &[MediaKind::Image],
            ..Quirks::COMPATIBLE
        }),
        &OpenAiCompletions::USUAL,
    ],
    docs_url: "https://inference-docs.cerebras.ai/api-reference/chat-completions",
    ..Provider::COMPATIBLE
};

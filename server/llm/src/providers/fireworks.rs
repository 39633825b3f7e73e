//! Fireworks AI: <https://docs.fireworks.ai/api-reference/post-chatcompletions>
//!
//! Parameters and efforts are those of its SDK, `fireworks-ai` 1.2. Roles are the model's own, so `system` is the sure one.

use super::{Modalities, Provider};
use crate::chat::{Effort, MediaKind};
use crate::codecs::openai_chat::{OpenAiChat, Quirks};
use crate::codecs::openai_completions::OpenAiCompletions;

pub(super) static PROVIDER: Provider = Provider {
    id: "fireworks",
    title: "Fireworks AI",
    base_url: Some("https://api.fireworks.ai/inference/v1"),
    key_variables: &["FIREWORKS_API_KEY"],
    codecs: &[
        &OpenAiChat::new(Quirks {
            developer_role: false,
            efforts: &[Effort::None, Effort::Low, Effort::Medium, Effort::High],
            media: &[MediaKind::Image, MediaKind::Video],
            ..Quirks::COMPATIBLE
        }),
        &OpenAiCompletions::USUAL,
    ],
    modalities: Modalities {
        embeddings: true,
        rerank: true,
        ..Modalities::CHAT
    },
    docs_url: "https://docs.fireworks.ai/api-reference/post-chatcompletions",
    ..Provider::COMPATIBLE
};

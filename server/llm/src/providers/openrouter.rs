//! OpenRouter: <https://openrouter.ai/docs/api-reference/chat-completion>
//!
//! Thoughts and their signatures go back in `reasoning_details`, effort and budget in `reasoning`
//! (<https://openrouter.ai/docs/use-cases/reasoning-tokens>), PDFs by URL too
//! (<https://openrouter.ai/docs/features/multimodal/pdfs>), and `cache_control` reaches those who want it
//! (<https://openrouter.ai/docs/features/prompt-caching>).

use super::{Modalities, Provider};
use crate::chat::{Effort, MediaKind};
use crate::codecs::openai_chat::{EffortField, OpenAiChat, Quirks, Thoughts};
use crate::codecs::openai_completions::OpenAiCompletions;

pub(super) static PROVIDER: Provider = Provider {
    id: "openrouter",
    title: "OpenRouter",
    base_url: Some("https://openrouter.ai/api/v1"),
    key_variables: &["OPENROUTER_API_KEY"],
    codecs: &[
        &OpenAiChat::new(Quirks {
            takes: &["top_k", "min_p", "cache_control", "document_url"],
            thoughts: Thoughts::ReasoningDetails,
            effort: EffortField::Reasoning,
            efforts: &[
                Effort::None,
                Effort::Minimal,
                Effort::Low,
                Effort::Medium,
                Effort::High,
                Effort::Max,
            ],
            media: &[
                MediaKind::Image,
                MediaKind::Document,
                MediaKind::Audio,
                MediaKind::Video,
            ],
            ..Quirks::COMPATIBLE
        }),
        &OpenAiCompletions::USUAL,
    ],
    modalities: Modalities {
        embeddings: true,
        ..Modalities::CHAT
    },
    docs_url: "https://openrouter.ai/docs/api-reference/chat-completion",
    ..Provider::COMPATIBLE
};

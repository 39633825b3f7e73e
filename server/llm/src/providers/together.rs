//! Together AI: <https://docs.together.ai/reference/chat-completions>
//!
//! Parameters, roles and efforts are those of its SDK, `together` 3.1.

use super::{Modalities, Provider};
use crate::chat::MediaKind;
use crate::codecs::openai_chat::{OpenAiChat, Quirks, Thoughts, TokenLimit};
use crate::codecs::openai_completions::OpenAiCompletions;

pub(super) static PROVIDER: Provider = Provider {
    id: "together",
    title: "Together AI",
    base_url: Some("https://api.together.xyz/v1"),
    key_variables: &["TOGETHER_API_KEY"],
    codecs: &[
        &OpenAiChat::new(Quirks {
            token_limit: TokenLimit::OnlyMaxTokens,
            developer_role: false,
            thoughts: Thoughts::Reasoning,
            media: &[MediaKind::Image, MediaKind::Audio, MediaKind::Video],
            ..Quirks::COMPATIBLE
        }),
        &OpenAiCompletions::USUAL,
    ],
    modalities: Modalities {
        moderation: false,
        ..Modalities::ANY
    },
    docs_url: "https://docs.together.ai/reference/chat-completions",
    ..Provider::COMPATIBLE
};

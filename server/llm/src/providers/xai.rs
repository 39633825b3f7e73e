//! xAI: <https://docs.x.ai/docs/api-reference#chat-completions>
//!
//! `logit_bias` is marked as unsupported. Reasoning models refuse `stop` and penalties, others do not: what to leave out
//! depends on the model, and is not done here.

use super::{Modalities, Provider};
use crate::chat::MediaKind;
use crate::codecs::openai_chat::{OpenAiChat, Quirks, TokenLimit};

pub(super) static PROVIDER: Provider = Provider {
    id: "xai",
    title: "xAI",
    base_url: Some("https://api.x.ai/v1"),
    key_variables: &["XAI_API_KEY"],
    codecs: &[&OpenAiChat::new(Quirks {
        token_limit: TokenLimit::MaxCompletionTokens,
        developer_role: false,
        refuses: &["logit_bias"],
        takes: &[],
        media: &[MediaKind::Image],
        ..Quirks::COMPATIBLE
    })],
    modalities: Modalities {
        images: true,
        ..Modalities::CHAT
    },
    docs_url: "https://docs.x.ai/docs/api-reference",
    ..Provider::COMPATIBLE
};

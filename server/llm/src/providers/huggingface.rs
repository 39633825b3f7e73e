//! Hugging Face's router to inference providers: <https://huggingface.co/docs/inference-providers/tasks/chat-completion>
//!
//! A model may name who serves it: `openai/gpt-oss-120b:groq`.

use super::Provider;
use crate::chat::MediaKind;
use crate::codecs::openai_chat::{OpenAiChat, Quirks, TokenLimit};

pub(super) static PROVIDER: Provider = Provider {
    id: "huggingface",
    title: "Hugging Face",
    base_url: Some("https://router.huggingface.co/v1"),
    key_variables: &["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"],
    codecs: &[&OpenAiChat::new(Quirks {
        token_limit: TokenLimit::OnlyMaxTokens,
        developer_role: false,
        takes: &[],
        media: &[MediaKind::Image],
        ..Quirks::COMPATIBLE
    })],
    docs_url: "https://huggingface.co/docs/inference-providers/tasks/chat-completion",
    ..Provider::COMPATIBLE
};

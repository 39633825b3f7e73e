//! NVIDIA NIM, as hosted: <https://docs.api.nvidia.com/nim/reference/llm-apis>
//!
//! What a container of one's own serves is the same under another `base_url`. Parameters differ by model, and unknown ones
//! are refused: only what all of them document is sent.

use super::{Modalities, Provider};
use crate::chat::MediaKind;
use crate::codecs::openai_chat::{OpenAiChat, Quirks, Thoughts, TokenLimit};

pub(super) static PROVIDER: Provider = Provider {
    id: "nvidia",
    title: "NVIDIA NIM",
    base_url: Some("https://integrate.api.nvidia.com/v1"),
    key_variables: &["NVIDIA_API_KEY"],
    codecs: &[&OpenAiChat::new(Quirks {
        token_limit: TokenLimit::OnlyMaxTokens,
        developer_role: false,
        takes: &[],
        thoughts: Thoughts::None,
        media: &[MediaKind::Image],
        ..Quirks::COMPATIBLE
    })],
    modalities: Modalities {
        embeddings: true,
        ..Modalities::CHAT
    },
    docs_url: "https://docs.api.nvidia.com/nim/reference/llm-apis",
    ..Provider::COMPATIBLE
};

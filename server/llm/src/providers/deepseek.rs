//! DeepSeek: <https://api-docs.deepseek.com/api/create-chat-completion>
//!
//! Roles are `system`, `user`, `assistant` and `tool`, content is text, an answer has one choice, and JSON comes without
//! a schema. Thoughts have to come back with the calls that followed them, in `reasoning_content`:
//! <https://api-docs.deepseek.com/guides/thinking_mode>

use super::Provider;
use crate::chat::Effort;
use crate::codecs::openai_chat::{OpenAiChat, OutputFormat, Quirks, TokenLimit};

pub(super) static PROVIDER: Provider = Provider {
    id: "deepseek",
    title: "DeepSeek",
    base_url: Some("https://api.deepseek.com"),
    key_variables: &["DEEPSEEK_API_KEY"],
    codecs: &[&OpenAiChat::new(Quirks {
        token_limit: TokenLimit::OnlyMaxTokens,
        developer_role: false,
        refuses: &["n"],
        takes: &[],
        output: OutputFormat::Json,
        efforts: &[Effort::Low, Effort::High, Effort::Max],
        media: &[],
        content_parts: false,
        ..Quirks::COMPATIBLE
    })],
    docs_url: "https://api-docs.deepseek.com/api/create-chat-completion",
    ..Provider::COMPATIBLE
};

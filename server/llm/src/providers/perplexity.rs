//! Perplexity's Sonar: <https://docs.perplexity.ai/api-reference/sonar-post>
//!
//! JSON comes by schema only; parameters and efforts are those of its SDK, `perplexityai`. The sources that it found
//! are told beside the choices.

use super::Provider;
use crate::chat::{Effort, MediaKind};
use crate::codecs::openai_chat::{OpenAiChat, OutputFormat, Quirks, Thoughts, TokenLimit};

pub(super) static PROVIDER: Provider = Provider {
    id: "perplexity",
    title: "Perplexity",
    base_url: Some("https://api.perplexity.ai"),
    key_variables: &["PERPLEXITY_API_KEY", "PPLX_API_KEY"],
    codecs: &[&OpenAiChat::new(Quirks {
        token_limit: TokenLimit::OnlyMaxTokens,
        developer_role: false,
        takes: &["top_k"],
        output: OutputFormat::SchemaOnly,
        thoughts: Thoughts::None,
        efforts: &[Effort::Minimal, Effort::Low, Effort::Medium, Effort::High],
        media: &[MediaKind::Image],
        ..Quirks::COMPATIBLE
    })],
    probe: None,
    docs_url: "https://docs.perplexity.ai/docs/sonar/openai-compatibility",
    ..Provider::COMPATIBLE
};

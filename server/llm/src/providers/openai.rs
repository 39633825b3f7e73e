//! OpenAI: <https://platform.openai.com/docs/api-reference>

use super::{Modalities, Provider};
use crate::codecs::openai_chat::OpenAiChat;
use crate::codecs::openai_completions::OpenAiCompletions;
use crate::codecs::openai_responses::OpenAiResponses;

pub(super) static PROVIDER: Provider = Provider {
    id: "openai",
    title: "OpenAI",
    base_url: Some("https://api.openai.com/v1"),
    key_variables: &["OPENAI_API_KEY"],
    modalities: Modalities {
        rerank: false,
        ..Modalities::ANY
    },
    codecs: &[
        &OpenAiChat::OPENAI,
        &OpenAiResponses::USUAL,
        &OpenAiCompletions::USUAL,
    ],
    docs_url: "https://platform.openai.com/docs/api-reference",
    ..Provider::COMPATIBLE
};

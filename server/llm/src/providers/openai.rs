//! OpenAI: <https://platform.openai.com/docs/api-reference>

use super::{Auth, Provider};
use crate::codecs::openai_chat::OpenAiChat;

pub(super) static PROVIDER: Provider = Provider {
    id: "openai",
    title: "OpenAI",
    base_url: Some("https://api.openai.com/v1"),
    auth: Auth::Bearer,
    key_variable: Some("OPENAI_API_KEY"),
    codec: &OpenAiChat,
    simulated: false,
    docs_url: "https://platform.openai.com/docs/api-reference",
};

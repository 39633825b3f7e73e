//! Any server that speaks OpenAI's protocol: vLLM, llama.cpp, SGLang, LM Studio and many more.

use super::{Auth, Provider};
use crate::codecs::openai_chat::OpenAiChat;

pub(super) static PROVIDER: Provider = Provider {
    id: "openai-compatible",
    title: "OpenAI-compatible",
    base_url: None,
    auth: Auth::Bearer,
    key_variable: None,
    codec: &OpenAiChat,
    simulated: false,
    docs_url: "https://platform.openai.com/docs/api-reference/chat",
};

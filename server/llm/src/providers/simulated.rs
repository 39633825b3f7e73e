//! The built-in provider, which needs no key and no network: see [`crate::simulated`].

use super::{Auth, Provider};
use crate::codecs::openai_chat::OpenAiChat;

pub(super) static PROVIDER: Provider = Provider {
    id: "simulated",
    title: "Simulated",
    base_url: None,
    auth: Auth::None,
    key_variable: None,
    codec: &OpenAiChat,
    simulated: true,
    docs_url: "https://platform.openai.com/docs/api-reference/chat",
};

//! Any server that speaks Anthropic's protocol: llama.cpp, vLLM and many more.

use super::{Auth, Provider};
use crate::codecs::anthropic::Anthropic;

pub(super) static PROVIDER: Provider = Provider {
    id: "anthropic-compatible",
    title: "Anthropic-compatible",
    auth: Auth::Header("x-api-key"),
    key_needed: false,
    codecs: &[&Anthropic],
    docs_url: "https://docs.anthropic.com/en/api/messages",
    ..Provider::COMPATIBLE
};

//! Any server that speaks Anthropic's protocol: llama.cpp, vLLM and many more.

use super::{Auth, Probe, Provider};
use crate::codecs::anthropic::Anthropic;

pub(super) static PROVIDER: Provider = Provider {
    id: "anthropic-compatible",
    title: "Anthropic-compatible",
    auth: Auth::Header("x-api-key"),
    key_needed: false,
    codecs: &[&Anthropic],
    probe: Some(Probe {
        headers: &[("anthropic-version", "2023-06-01")],
        ..Probe::MODELS
    }),
    docs_url: "https://docs.anthropic.com/en/api/messages",
    ..Provider::COMPATIBLE
};

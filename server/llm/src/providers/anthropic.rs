//! Anthropic: <https://docs.anthropic.com/en/api/overview>

use super::{Auth, Modalities, Probe, Provider};
use crate::codecs::anthropic::Anthropic;

pub(super) static PROVIDER: Provider = Provider {
    id: "anthropic",
    title: "Anthropic",
    base_url: Some("https://api.anthropic.com/v1"),
    // Tokens of people who logged in, not of programs, go where OAuth says.
    auth: Auth::HeaderOrBearer {
        header: "x-api-key",
        bearer_prefix: "sk-ant-oat",
    },
    key_variables: &["ANTHROPIC_API_KEY"],
    codecs: &[&Anthropic],
    modalities: Modalities::CHAT,
    probe: Some(Probe {
        headers: &[("anthropic-version", "2023-06-01")],
        ..Probe::MODELS
    }),
    docs_url: "https://docs.anthropic.com/en/api/messages",
    ..Provider::COMPATIBLE
};

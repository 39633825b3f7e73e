//! Mistral: <https://docs.mistral.ai/api>

use super::{Modalities, Provider};
use crate::codecs::mistral::Mistral;

pub(super) static PROVIDER: Provider = Provider {
    id: "mistral",
    title: "Mistral",
    base_url: Some("https://api.mistral.ai/v1"),
    key_variables: &["MISTRAL_API_KEY"],
    codecs: &[&Mistral],
    modalities: Modalities {
        embeddings: true,
        moderation: true,
        transcription: true,
        ..Modalities::CHAT
    },
    docs_url: "https://docs.mistral.ai/api",
    ..Provider::COMPATIBLE
};

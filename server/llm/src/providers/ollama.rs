//! Ollama: <https://docs.ollama.com/api>

use super::{Modalities, Probe, Provider};
use crate::codecs::ollama::Ollama;
use crate::embeddings::OllamaEmbeddings;

pub(super) static PROVIDER: Provider = Provider {
    id: "ollama",
    title: "Ollama",
    base_url: Some("http://127.0.0.1:11434/api"),
    key_variables: &["OLLAMA_API_KEY"],
    key_needed: false,
    codecs: &[&Ollama],
    modalities: Modalities {
        embeddings: true,
        ..Modalities::CHAT
    },
    embeddings_codec: &OllamaEmbeddings,
    probe: Some(Probe::at("/tags")),
    docs_url: "https://docs.ollama.com/api",
    ..Provider::COMPATIBLE
};

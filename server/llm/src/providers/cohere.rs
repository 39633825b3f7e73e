//! Cohere: <https://docs.cohere.com/reference/about>

use super::{Modalities, Probe, Provider};
use crate::codecs::cohere::Cohere;
use crate::embeddings::CohereEmbeddings;
use crate::rerank::CohereRerank;

pub(super) static PROVIDER: Provider = Provider {
    id: "cohere",
    title: "Cohere",
    base_url: Some("https://api.cohere.com"),
    key_variables: &["CO_API_KEY", "COHERE_API_KEY"],
    codecs: &[&Cohere],
    modalities: Modalities {
        embeddings: true,
        rerank: true,
        ..Modalities::CHAT
    },
    embeddings_codec: &CohereEmbeddings,
    rerank_codec: &CohereRerank,
    probe: Some(Probe::at("/v1/models")),
    docs_url: "https://docs.cohere.com/reference/about",
    ..Provider::COMPATIBLE
};

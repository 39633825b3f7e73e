//! Hugging Face's Text Embeddings Inference: <https://huggingface.github.io/text-embeddings-inference/>
//!
//! A server has one model, which makes vectors or ranks texts. `base_url` ends before `/v1`.

use super::{Modalities, Probe, Provider};
use crate::carried::Paths;
use crate::embeddings::OpenAiEmbeddings;
use crate::rerank::TeiRerank;

pub(super) static PROVIDER: Provider = Provider {
    id: "tei",
    title: "Text Embeddings Inference",
    key_needed: false,
    modalities: Modalities {
        chat: false,
        embeddings: true,
        rerank: true,
        ..Modalities::CHAT
    },
    embeddings_codec: &OpenAiEmbeddings {
        paths: Paths::Under("/v1"),
    },
    rerank_codec: &TeiRerank,
    probe: Some(Probe::at("/health")),
    docs_url: "https://huggingface.github.io/text-embeddings-inference/",
    ..Provider::COMPATIBLE
};

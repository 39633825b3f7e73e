//! What a request asks for, whatever its dialect.

use super::reading::Words;

/// The families of endpoints that routing can tell apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// Conversations, in any dialect; counting their tokens too.
    #[default]
    Chat,
    /// Text completions of before.
    Completions,
    Embeddings,
    Rerank,
    Images,
    /// Text read aloud.
    Speech,
    /// Speech written down.
    Transcription,
    /// Speech written down in English.
    Translation,
    Moderations,
    /// Endpoints of a provider's own.
    Other,
}

impl Words for Endpoint {
    const NOUN: &'static str = "endpoint";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("chat", Self::Chat),
        ("completions", Self::Completions),
        ("embeddings", Self::Embeddings),
        ("rerank", Self::Rerank),
        ("images", Self::Images),
        ("speech", Self::Speech),
        ("transcription", Self::Transcription),
        ("translation", Self::Translation),
        ("moderations", Self::Moderations),
        ("other", Self::Other),
    ];
}

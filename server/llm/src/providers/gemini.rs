//! Google's Gemini API: <https://ai.google.dev/api>

use super::{Auth, Modalities, Provider};
use crate::codecs::gemini::Gemini;
use crate::embeddings::GeminiEmbeddings;

pub(super) static PROVIDER: Provider = Provider {
    id: "gemini",
    title: "Google Gemini",
    base_url: Some("https://generativelanguage.googleapis.com/v1beta"),
    auth: Auth::Header("x-goog-api-key"),
    key_variables: &["GEMINI_API_KEY", "GOOGLE_API_KEY"],
    codecs: &[&Gemini],
    modalities: Modalities {
        embeddings: true,
        ..Modalities::CHAT
    },
    embeddings_codec: &GeminiEmbeddings,
    docs_url: "https://ai.google.dev/api",
    ..Provider::COMPATIBLE
};

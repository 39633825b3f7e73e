//! Gemini on Google Cloud (Vertex AI): <https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest>
//!
//! What works is a key of Google Cloud, which does not expire: by default with the global endpoint of
//! [express mode](https://cloud.google.com/vertex-ai/generative-ai/docs/start/express-mode/overview), or with a
//! `base_url` of `https://{region}-aiplatform.googleapis.com/v1/projects/{project}/locations/{region}/publishers/google`.
//! What does not work is a service account: its access tokens last an hour, and nothing here renews them.

use super::{Auth, Modalities, Provider};
use crate::codecs::gemini::Gemini;

pub(super) static PROVIDER: Provider = Provider {
    id: "vertex",
    title: "Google Vertex AI (by API key)",
    base_url: Some("https://aiplatform.googleapis.com/v1/publishers/google"),
    auth: Auth::Header("x-goog-api-key"),
    key_variables: &["GOOGLE_API_KEY"],
    codecs: &[&Gemini],
    modalities: Modalities::CHAT,
    probe: None,
    docs_url: "https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest",
    ..Provider::COMPATIBLE
};

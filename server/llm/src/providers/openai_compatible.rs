//! Any server that speaks OpenAI's protocol and has no file of its own.

use super::{Modalities, Provider};

pub(super) static PROVIDER: Provider = Provider {
    id: "openai-compatible",
    title: "OpenAI-compatible",
    key_needed: false,
    modalities: Modalities::ANY,
    ..Provider::COMPATIBLE
};

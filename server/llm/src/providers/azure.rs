//! Azure OpenAI: <https://learn.microsoft.com/azure/ai-foundry/openai/reference>
//!
//! `base_url` is the resource's, `https://RESOURCE.openai.azure.com/openai`; a model is the name of a deployment. Of the
//! API's dated versions the default is the last one, which knows all that newer models want (`max_completion_tokens`,
//! `stream_options`: <https://learn.microsoft.com/azure/ai-services/openai/api-version-deprecation>).

use super::{Auth, Modalities, Probe, Provider};
use crate::carried::Paths;
use crate::codecs::openai_chat::{OpenAiChat, Path, Quirks};
use crate::codecs::openai_completions::OpenAiCompletions;
use crate::codecs::openai_responses::OpenAiResponses;
use crate::embeddings::OpenAiEmbeddings;

const VERSION: &str = "2025-04-01-preview";
const PATHS: Paths = Paths::Deployments {
    api_version: VERSION,
};

pub(super) static PROVIDER: Provider = Provider {
    id: "azure",
    title: "Azure OpenAI",
    auth: Auth::Header("api-key"),
    key_variables: &["AZURE_OPENAI_API_KEY"],
    codecs: &[
        &OpenAiChat::new(Quirks {
            path: Path::Deployment {
                api_version: VERSION,
            },
            ..Quirks::OPENAI
        }),
        &OpenAiResponses::dated(VERSION),
        &OpenAiCompletions::at(PATHS),
    ],
    modalities: Modalities {
        moderation: false,
        rerank: false,
        ..Modalities::ANY
    },
    embeddings_codec: &OpenAiEmbeddings { paths: PATHS },
    paths: PATHS,
    probe: Some(Probe::at("/models?api-version=2025-04-01-preview")),
    docs_url: "https://learn.microsoft.com/azure/ai-foundry/openai/reference",
    ..Provider::COMPATIBLE
};

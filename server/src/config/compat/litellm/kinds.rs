//! LiteLLM's names of providers. <https://docs.litellm.ai/docs/providers>

use llm::pricing::PriceTable;
use llm::providers::{self, Provider};

use super::super::kind::OPENAI_LIKE;

/// Those that are called otherwise here.
const OTHER_NAMES: [(&str, &str); 16] = [
    ("azure_text", "azure"),
    ("cohere_chat", "cohere"),
    ("custom_openai", OPENAI_LIKE),
    ("fireworks_ai", "fireworks"),
    ("hosted_vllm", "vllm"),
    ("litellm_proxy", OPENAI_LIKE),
    ("llamafile", OPENAI_LIKE),
    ("lm_studio", "lm-studio"),
    ("nvidia_nim", "nvidia"),
    ("ollama_chat", "ollama"),
    ("openai_like", OPENAI_LIKE),
    ("text-completion-openai", "openai"),
    ("text-completion-codestral", "mistral"),
    ("together_ai", "together"),
    ("vertex_ai", "vertex"),
    ("xinference", OPENAI_LIKE),
];

/// Those that no kind of provider here stands for.
const UNSPOKEN: [&str; 32] = [
    "ai21",
    "aiml",
    "aleph_alpha",
    "assemblyai",
    "azure_ai",
    "baseten",
    "bedrock",
    "bedrock_converse",
    "clarifai",
    "cloudflare",
    "databricks",
    "deepgram",
    "deepinfra",
    "elevenlabs",
    "friendliai",
    "github",
    "github_copilot",
    "infinity",
    "jina_ai",
    "maritalk",
    "nlp_cloud",
    "oobabooga",
    "petals",
    "predibase",
    "recraft",
    "replicate",
    "sagemaker",
    "sagemaker_chat",
    "snowflake",
    "triton",
    "voyage",
    "watsonx",
];

/// How names of models begin that have no price by the token, or are too new for one.
const FAMILIES: [(&str, &str); 8] = [
    ("claude-", "anthropic"),
    ("dall-e-", "openai"),
    ("ft:", "openai"),
    ("gpt-", "openai"),
    ("omni-moderation-", "openai"),
    ("text-moderation-", "openai"),
    ("tts-", "openai"),
    ("whisper-", "openai"),
];

/// What a prefix of a model's name stands for.
pub(super) enum Named {
    Kind(&'static Provider),
    /// A provider that cannot be asked.
    Unspoken,
    /// No provider.
    Nobody,
}

pub(super) fn named(prefix: &str) -> Named {
    let other = OTHER_NAMES.iter().find(|(name, _)| *name == prefix);
    let id = other.map_or(prefix, |(_, id)| id);
    match providers::find(id) {
        Some(kind) => Named::Kind(kind),
        None if UNSPOKEN.contains(&prefix) => Named::Unspoken,
        None => Named::Nobody,
    }
}

/// Every prefix that is understood.
pub(super) fn names() -> Vec<&'static str> {
    let ids = providers::all().iter().map(|kind| kind.id);
    ids.chain(OTHER_NAMES.iter().map(|(name, _)| *name))
        .collect()
}

/// Whose model this is known to be; its first name is the likelier one.
pub(super) fn owner(model: &str) -> Option<&'static Provider> {
    let prices = PriceTable::builtin();
    let first = providers::find("openai").into_iter();
    let mut all = first.chain(providers::all().iter().copied());
    let priced = all.find(|kind| prices.find(kind.id, model).is_some());
    let family = || FAMILIES.iter().find(|(start, _)| model.starts_with(start));
    priced.or_else(|| providers::find(family()?.1))
}

//! Configuration files of other gateways. Reading them (one file a format, giving the native tree) is still to
//! come; until then they are recognised, so that the error is one line and not forty unknown keys.

use super::document::{Table, Value};

/// What the format is called, if the document is of one that is not the gateway's own.
pub(super) fn recognised(document: &Table) -> Option<&'static str> {
    if document.get("providers").is_some() {
        return None;
    }
    let has = |key: &str| document.get(key).is_some();
    let provider_config = |key: &str| key.ends_with("Config") && !key.starts_with("default");
    if has("model_list") {
        Some("LiteLLM's, with model_list")
    } else if has("daemon") && has("backends") {
        Some("the one with [daemon] and [backends]")
    } else if has("upstreams") {
        Some("the one with [[upstreams]] and [[routes]]")
    } else if document
        .entries
        .iter()
        .any(|entry| provider_config(&entry.key))
    {
        Some("the one with [openAIConfig], [anthropicConfig] and so on")
    } else if let Some(Value::Table(models)) = document.get("models").map(|node| &node.value) {
        let with_providers = models.entries.iter().any(|entry| {
            matches!(&entry.node.value, Value::Table(model) if model.get("providers").is_some())
        });
        with_providers.then_some("the one with providers inside its models")
    } else {
        None
    }
}

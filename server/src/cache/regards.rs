//! What an answer depends on beside the request itself.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use llm::json::Node;
use sha2::{Digest, Sha256};

use super::key::{Parts, Question};
use crate::config::Config;

/// What an operator has decided that makes another answer of the same request.
#[derive(Debug)]
pub(super) struct Regards {
    /// Of models, providers and guardrails.
    pub fingerprint: [u8; 32],
    /// Names of headers that rules of routing look at.
    headers: Vec<String>,
    /// The same of a body's `metadata`.
    metadata: Vec<String>,
    /// Some rule looks at the key.
    keys: bool,
}

impl Regards {
    pub fn of(config: &Config) -> Self {
        let rules = || config.models.iter().flat_map(|model| &model.rules);
        let names = |named: fn(&crate::config::When) -> &Option<String>| -> Vec<String> {
            let names: BTreeSet<_> = rules()
                .filter_map(|rule| named(&rule.when).clone())
                .collect();
            names.into_iter().collect()
        };
        Self {
            fingerprint: fingerprint(config),
            headers: names(|when| &when.header.name),
            metadata: names(|when| &when.metadata.name),
            keys: rules().any(|rule| rule.when.key.is_some()),
        }
    }

    /// Appends what decides where a request goes; `several`: clients of several keys get each other's answers.
    pub fn write(&self, question: &Question<'_>, several: bool, parts: &mut Parts<'_>) {
        for name in &self.headers {
            let value = question.headers.and_then(|headers| headers.get(name));
            parts.bytes(value.map(|value| value.as_bytes()));
        }
        if !self.metadata.is_empty() {
            let document = Node::parse(question.request.body()).ok();
            let member = |name: &str| {
                let document = document.as_ref()?;
                ["metadata", "labels"]
                    .into_iter()
                    .find_map(|key| document.get(key)?.get(name))
            };
            for name in &self.metadata {
                let value = member(name).map(Node::json);
                parts.text(value.as_ref().map(|json| json.as_str()));
            }
        }
        if self.keys && several {
            parts.text(question.caller.key_name().map(|name| &**name));
        }
    }
}

fn fingerprint(config: &Config) -> [u8; 32] {
    let mut said = String::new();
    for model in &config.models {
        let fallbacks = (
            &model.fallbacks,
            &model.context_length_fallbacks,
            &model.content_filter_fallbacks,
        );
        let of = (&model.name, &model.aliases, &model.rules, model.strict);
        write!(said, "{of:?}{fallbacks:?}").expect("memory takes everything");
        for target in &model.targets {
            let of = (&target.provider, &target.model, &target.parameters);
            write!(said, "{of:?}").expect("memory takes everything");
        }
    }
    for provider in &config.providers {
        let of = (&provider.name, &provider.kind, &provider.base_url);
        let more = (&provider.model, &provider.protocol, provider.default);
        write!(said, "{}", provider.enabled).expect("memory takes everything");
        let version = &provider.api_version;
        write!(said, "{of:?}{more:?}{version:?}").expect("memory takes everything");
        for (name, value) in &provider.headers {
            let sent = (name, value.expose());
            write!(said, "{sent:?}").expect("memory takes everything");
        }
    }
    let rules = serde_json::to_string(&config.guardrails);
    write!(said, "{:?}{:?}", config.server.strict, rules.ok()).expect("memory takes everything");
    Sha256::digest(said).into()
}

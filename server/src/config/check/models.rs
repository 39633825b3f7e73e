//! Models and their targets.

use super::names;
use crate::config::reading::{Reader, did_you_mean};
use crate::config::{Config, Model, Strategy};

pub(super) fn check(config: &Config, reader: &mut Reader<'_>) {
    let all: Vec<&str> = config
        .models
        .iter()
        .map(|model| model.name.as_str())
        .collect();
    names::check("models", &all, reader);
    for (i, model) in config.models.iter().enumerate() {
        check_targets(config, model, &format!("models[{i}].targets"), reader);
    }
}

fn check_targets(config: &Config, model: &Model, path: &str, reader: &mut Reader<'_>) {
    if model.targets.is_empty() {
        let message = "a model needs at least one target, such as { provider = \"…\" }";
        reader.problem(path, message);
        return;
    }
    let mut served = false;
    for (i, target) in model.targets.iter().enumerate() {
        if target.provider.is_empty() {
            served = true;
            continue;
        }
        let mut providers = config.providers.iter();
        match providers.find(|provider| provider.name == target.provider) {
            Some(provider) => served |= provider.enabled,
            None => {
                served = true;
                let names: Vec<&str> = config
                    .providers
                    .iter()
                    .map(|provider| provider.name.as_str())
                    .collect();
                let hint = did_you_mean(&target.provider, &names);
                let message = format!("unknown provider \"{}\"; {hint}", target.provider);
                reader.problem(&format!("{path}[{i}].provider"), message);
            }
        }
    }
    if !served {
        reader.warning(
            path,
            "no target's provider is enabled: requests for it will fail",
        );
    }
    if model.strategy == Strategy::RoundRobin
        && model.targets.iter().all(|target| target.weight == 0)
    {
        reader.problem(
            path,
            "every weight is 0, so no target would be chosen; give one more",
        );
    }
}

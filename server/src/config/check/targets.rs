//! Where a model's requests go.

use crate::config::reading::{Reader, did_you_mean};
use crate::config::{Config, Model, Strategy, Target};
use crate::routing::MOST_TARGETS;

pub(super) fn check(config: &Config, model: &Model, path: &str, reader: &mut Reader<'_>) {
    if model.targets.is_empty() {
        let message = "a model needs at least one target, such as { provider = \"…\" }";
        reader.problem(path, message);
        return;
    }
    check_list(config, &model.targets, model.strategy, path, reader);
}

/// The targets of a model or of a rule; not none.
pub(super) fn check_list(
    config: &Config,
    targets: &[Target],
    strategy: Strategy,
    path: &str,
    reader: &mut Reader<'_>,
) {
    if targets.len() > MOST_TARGETS {
        reader.problem(path, format!("must be at most {MOST_TARGETS}"));
    }
    let mut served = false;
    for (i, target) in targets.iter().enumerate() {
        let at = format!("{path}[{i}].provider");
        let provider_enabled = check_provider(config, &target.provider, &at, reader);
        served |= target.enabled && provider_enabled;
    }
    if !served {
        reader.warning(
            path,
            "no target's provider is enabled: requests for it will fail",
        );
    }
    let by_weight = matches!(strategy, Strategy::RoundRobin | Strategy::Random);
    if by_weight && targets.iter().all(|target| target.weight == 0) {
        reader.problem(
            path,
            "every weight is 0, so no target would be chosen; give one more",
        );
    }
}

/// Whether requests may go there; of what is missing or unknown nothing more is said.
pub(super) fn check_provider(
    config: &Config,
    name: &str,
    path: &str,
    reader: &mut Reader<'_>,
) -> bool {
    if name.is_empty() {
        return true;
    }
    let mut providers = config.providers.iter();
    if let Some(provider) = providers.find(|provider| provider.name == name) {
        return provider.enabled;
    }
    let names: Vec<&str> = config
        .providers
        .iter()
        .map(|provider| provider.name.as_str())
        .collect();
    let hint = did_you_mean(name, &names);
    reader.problem(path, format!("unknown provider \"{name}\"; {hint}"));
    true
}

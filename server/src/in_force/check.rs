//! Whether a policy makes sense, in itself and among the others.

use shared::policies::{FieldError, Policy, PolicyKind, Selector};

use super::EditError;
use crate::config::Config;
use crate::selection::is_addresses;

/// What is wrong with a policy that is about to be put in force.
pub(super) fn check(_name: &str, policy: &Policy, config: &Config) -> Vec<FieldError> {
    let mut errors = Vec::new();
    match policy {
        Policy::Key(_) | Policy::Project(_) => {}
        Policy::Limit(limit) => {
            errors.extend(crate::limits::check(limit));
            selector("applies_to", &limit.applies_to, config, &mut errors);
        }
        Policy::Budget(budget) => selector("applies_to", &budget.applies_to, config, &mut errors),
        Policy::Guardrail(rule) => {
            errors.extend(crate::guardrails::check(rule));
            selector("applies_to", &rule.applies_to, config, &mut errors);
        }
        Policy::SystemPrompt(prompt) => {
            errors.extend(crate::system_prompt::check(prompt));
            selector("applies_to", &prompt.applies_to, config, &mut errors);
        }
        Policy::Cache(cache) => {
            errors.extend(crate::cache::check(cache));
            for (i, other) in cache.overrides.iter().enumerate() {
                let field = format!("overrides[{i}].applies_to");
                selector(&field, &other.applies_to, config, &mut errors);
            }
        }
    }
    errors
}

/// Whether nothing else needs it.
///
/// # Errors
/// Something does: the message names it.
pub(super) fn is_free(_kind: PolicyKind, _name: &str, _config: &Config) -> Result<(), EditError> {
    Ok(())
}

/// Keys and projects that are not there are most likely misspelt.
fn selector(field: &str, selector: &Selector, config: &Config, errors: &mut Vec<FieldError>) {
    let mut report = |list: &str, i: usize, message: String| {
        errors.push(FieldError {
            field: format!("{field}.{list}[{i}]"),
            message,
        });
    };
    for (i, name) in selector.keys.iter().enumerate() {
        if !config.keys.iter().any(|key| key.name == *name) {
            report("keys", i, format!("there is no key `{name}`"));
        }
    }
    for (i, name) in selector.projects.iter().enumerate() {
        if !config.projects.contains_key(name) {
            report("projects", i, format!("there is no project `{name}`"));
        }
    }
    for (i, model) in selector.models.iter().enumerate() {
        if model.trim().is_empty() {
            report("models", i, "it needs a name".to_owned());
        }
    }
    for (list, addresses) in [
        ("addresses", &selector.addresses),
        ("except_addresses", &selector.except_addresses),
    ] {
        for (i, address) in addresses.iter().enumerate() {
            if !is_addresses(address) {
                let message = format!(
                    "`{address}` is not an address, a network such as 10.0.0.0/8, or *.*.*.*"
                );
                report(list, i, message);
            }
        }
    }
}

//! Whether a policy makes sense, in itself and among the others.

use shared::policies::{Allowance, FieldError, Policy, PolicyKind, Rate, Selector};

use super::EditError;
use crate::auth::{check_key, check_project};
use crate::budgets::check_allowance;
use crate::config::Config;
use crate::limits::check_rate;
use crate::selection::is_addresses;

/// Of many names.
const SHOWN: usize = 10;

/// What is wrong with a policy that is about to be put in force.
pub(super) fn check(_name: &str, policy: &Policy, config: &Config) -> Vec<FieldError> {
    let mut errors = Vec::new();
    match policy {
        Policy::Key(key) => {
            errors.extend(check_key(key, config));
            rates(&key.rates, &mut errors);
            allowances(&key.allowances, &mut errors);
        }
        Policy::Project(project) => {
            errors.extend(check_project(project, config));
            rates(&project.rates, &mut errors);
            allowances(&project.allowances, &mut errors);
        }
        Policy::Limit(limit) => {
            errors.extend(crate::limits::check(limit));
            selector("applies_to", &limit.applies_to, config, &mut errors);
        }
        Policy::Budget(budget) => {
            errors.extend(crate::budgets::check(budget));
            selector("applies_to", &budget.applies_to, config, &mut errors);
        }
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

fn allowances(allowances: &[Allowance], errors: &mut Vec<FieldError>) {
    for (i, allowance) in allowances.iter().enumerate() {
        errors.extend(
            check_allowance(allowance)
                .into_iter()
                .map(|error| FieldError {
                    field: format!("allowances[{i}].{}", error.field),
                    ..error
                }),
        );
    }
}

/// Whether nothing else needs it.
///
/// # Errors
/// Something does: the message names it.
pub(super) fn is_free(kind: PolicyKind, name: &str, config: &Config) -> Result<(), EditError> {
    if kind != PolicyKind::Project {
        return Ok(());
    }
    let keys = config.keys.iter();
    let mut keys: Vec<&str> = keys
        .filter(|key| key.settings.project.as_deref() == Some(name))
        .map(|key| key.name.as_str())
        .collect();
    if keys.is_empty() {
        return Ok(());
    }
    keys.sort_unstable();
    let more = match keys.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    keys.truncate(SHOWN);
    Err(EditError::InUse(format!(
        "The project `{name}` has keys: {}{more}. Give them another one, or none, first.",
        keys.join(", ")
    )))
}

/// What a key or a project has of its own.
fn rates(rates: &[Rate], errors: &mut Vec<FieldError>) {
    for (i, rate) in rates.iter().enumerate() {
        errors.extend(check_rate(rate).into_iter().map(|error| FieldError {
            field: format!("rates[{i}].{}", error.field),
            ..error
        }));
    }
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

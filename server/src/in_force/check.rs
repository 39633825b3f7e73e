//! Whether a policy makes sense, in itself and among the others.

use shared::policies::{Allowance, Check, FieldError, Policy, PolicyKind, Rate, Selector};

use super::EditError;
use crate::auth::{check_key, check_project};
use crate::budgets::check_allowance;
use crate::config::{self, Config, Destinations};
use crate::limits::check_rate;
use crate::selection::is_addresses;

/// Of many names.
const SHOWN: usize = 10;

/// What is wrong with a policy that is about to be put in force.
pub(super) fn check(name: &str, policy: &Policy, config: &Config) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let before = selectors(name, policy.kind(), config);
    let selector = |field: &str, wanted: &Selector, errors: &mut Vec<FieldError>| {
        selector(field, wanted, &before, config, errors);
    };
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
            selector("applies_to", &limit.applies_to, &mut errors);
        }
        Policy::Budget(budget) => {
            errors.extend(crate::budgets::check(budget));
            selector("applies_to", &budget.applies_to, &mut errors);
        }
        Policy::Guardrail(rule) => {
            errors.extend(crate::guardrails::check(rule));
            if let Check::Webhook { url, .. } = &rule.check {
                errors.extend(destination("check.url", url, config));
            }
            selector("applies_to", &rule.applies_to, &mut errors);
        }
        Policy::SystemPrompt(prompt) => {
            errors.extend(crate::system_prompt::check(prompt));
            selector("applies_to", &prompt.applies_to, &mut errors);
        }
        Policy::Route(route) => {
            errors.extend(crate::egress::check(route));
            errors.extend(destination("endpoint", &route.endpoint, config));
        }
        Policy::Payloads(payloads) => {
            errors.extend(crate::payloads::check(payloads));
            for (i, other) in payloads.overrides.iter().enumerate() {
                let field = format!("overrides[{i}].applies_to");
                selector(&field, &other.applies_to, &mut errors);
            }
        }
        // They were read as the configuration is, and are checked with all of it.
        Policy::Provider(_)
        | Policy::Logging(_)
        | Policy::Model(_)
        | Policy::Price(_)
        | Policy::Settings(_) => {}
        Policy::Cache(cache) => {
            errors.extend(crate::cache::check(cache));
            for (i, other) in cache.overrides.iter().enumerate() {
                let field = format!("overrides[{i}].applies_to");
                selector(&field, &other.applies_to, &mut errors);
            }
        }
    }
    errors
}

/// Whom a policy is about as it stands.
fn selectors<'c>(name: &str, kind: PolicyKind, config: &'c Config) -> Vec<&'c Selector> {
    let one = match kind {
        PolicyKind::Limit => config.limits.get(name).map(|it| &it.applies_to),
        PolicyKind::Budget => config.budgets.get(name).map(|it| &it.applies_to),
        PolicyKind::Guardrail => config.guardrails.get(name).map(|it| &it.applies_to),
        PolicyKind::SystemPrompt => config.system_prompts.get(name).map(|it| &it.applies_to),
        _ => None,
    };
    let cache = config.cache.overrides.iter().map(|it| &it.applies_to);
    let payloads = config.payloads.overrides.iter().map(|it| &it.applies_to);
    match kind {
        PolicyKind::Cache => cache.collect(),
        PolicyKind::Payloads => payloads.collect(),
        _ => one.into_iter().collect(),
    }
}

/// What is wrong with where a URL leads to.
fn destination(field: &str, url: &str, config: &Config) -> Option<FieldError> {
    let destinations = Destinations::allowing(&config.server.allow_addresses);
    let message = destinations.check_url(url).err()?;
    let field = field.to_owned();
    Some(FieldError { field, message })
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

/// Whether a policy of this kind can make sense only with all others.
pub(super) fn concerns_all(kind: PolicyKind) -> bool {
    matches!(
        kind,
        PolicyKind::Provider
            | PolicyKind::Logging
            | PolicyKind::Model
            | PolicyKind::Price
            | PolicyKind::Settings
    )
}

/// What would be wrong with the whole configuration that is not wrong now. Of the policy itself it is told by its
/// fields.
pub(super) fn check_all(
    kind: PolicyKind,
    name: &str,
    now: &Config,
    then: &Config,
) -> Vec<FieldError> {
    let mut known: Vec<String> = config::problems(now)
        .into_iter()
        .map(|one| one.message)
        .collect();
    let place = match kind {
        PolicyKind::Provider => {
            let place = then.providers.iter().position(|one| one.name == name);
            place.map(|place| format!("providers[{place}]."))
        }
        PolicyKind::Model => {
            let place = then.models.iter().position(|one| one.name == name);
            place.map(|place| format!("models[{place}]."))
        }
        PolicyKind::Logging => Some("logging.".to_owned()),
        _ => None,
    };
    let mut errors = Vec::new();
    for problem in config::problems(then) {
        let own = place
            .as_deref()
            .and_then(|own| problem.path.strip_prefix(own));
        match own {
            Some(field) => errors.push(FieldError {
                field: field.to_owned(),
                message: problem.message,
            }),
            // It was there before, and is not this edit's business.
            None => match known.iter().position(|known| *known == problem.message) {
                Some(place) => drop(known.swap_remove(place)),
                None => errors.push(FieldError {
                    field: match kind {
                        PolicyKind::Price => field_of_price(problem.path),
                        _ => problem.path,
                    },
                    message: problem.message,
                }),
            },
        }
    }
    errors
}

/// `provider` of `prices[3].provider`.
fn field_of_price(path: String) -> String {
    match path.split_once("].") {
        Some((list, field)) if list.starts_with("prices[") || list.starts_with("unit_prices[") => {
            field.to_owned()
        }
        _ => path,
    }
}

/// Whether nothing else needs it.
///
/// # Errors
/// Something does: the message names it.
pub(super) fn is_free(kind: PolicyKind, name: &str, config: &Config) -> Result<(), EditError> {
    let (mut users, then) = match kind {
        PolicyKind::Project => {
            let keys = config.keys.iter();
            let keys = keys.filter(|key| key.settings.project.as_deref() == Some(name));
            let keys: Vec<String> = keys.map(|key| format!("the key `{}`", key.name)).collect();
            (keys, "Give them another one, or none, first.")
        }
        PolicyKind::Provider => (
            users_of_provider(name, config),
            "Lead them elsewhere first.",
        ),
        PolicyKind::Model => (users_of_model(name, config), "Lead them elsewhere first."),
        _ => return Ok(()),
    };
    if users.is_empty() {
        return Ok(());
    }
    users.sort_unstable();
    let more = match users.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    users.truncate(SHOWN);
    Err(EditError::InUse(format!(
        "The {} `{name}` is needed by {}{more}. {then}",
        kind.label(),
        users.join(", ")
    )))
}

/// Whatever would lead nowhere without it.
fn users_of_provider(name: &str, config: &Config) -> Vec<String> {
    let mut users = Vec::new();
    for model in &config.models {
        let rules = model.rules.iter().flat_map(|rule| &rule.targets);
        let mut targets = model.targets.iter().chain(rules);
        let shadow = model.shadow.as_ref();
        if targets.any(|target| target.provider == name)
            || shadow.is_some_and(|shadow| shadow.provider == name)
        {
            users.push(format!("the model `{}`", model.name));
        }
    }
    let others = config.providers.iter();
    let others = others.filter(|other| other.fallbacks.iter().any(|fallback| fallback == name));
    users.extend(others.map(|other| format!("the provider `{}`", other.name)));
    let routes = config.routes.iter().filter(|route| route.provider == name);
    users.extend(routes.map(|route| format!("the route `{}`", route.path)));
    let prices = config
        .prices
        .iter()
        .map(|price| (&price.provider, &price.model));
    let units = config.unit_prices.iter();
    let prices = prices.chain(units.map(|price| (&price.provider, &price.model)));
    let prices = prices.filter(|(provider, _)| provider.as_deref() == Some(name));
    users.extend(prices.map(|(_, model)| format!("the price of `{model}`")));
    let keys = config
        .keys
        .iter()
        .filter(|key| names(&key.settings.providers, name));
    users.extend(keys.map(|key| format!("the key `{}`", key.name)));
    let projects = config.projects.iter();
    let projects = projects.filter(|(_, project)| names(&project.providers, name));
    users.extend(projects.map(|(project, _)| format!("the project `{project}`")));
    users
}

/// The same without a model, by any of its names.
fn users_of_model(name: &str, config: &Config) -> Vec<String> {
    let Some(model) = config.models.iter().find(|model| model.name == name) else {
        return Vec::new();
    };
    let is_it = |other: &String| *other == model.name || model.aliases.contains(other);
    let others = config.models.iter().filter(|other| other.name != name);
    let users = others.filter(|other| {
        let rules = other.rules.iter().filter_map(|rule| rule.model.as_ref());
        let lists = [
            &other.fallbacks,
            &other.context_length_fallbacks,
            &other.content_filter_fallbacks,
        ];
        lists.into_iter().flatten().chain(rules).any(is_it)
    });
    users
        .map(|other| format!("the model `{}`", other.name))
        .collect()
}

fn names(list: &[String], name: &str) -> bool {
    list.iter().any(|one| one == name)
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

/// Keys and projects that are not there are most likely misspelt, unless they stand there already: then they have been
/// deleted since.
fn selector(
    field: &str,
    selector: &Selector,
    before: &[&Selector],
    config: &Config,
    errors: &mut Vec<FieldError>,
) {
    let mut report = |list: &str, i: usize, message: String| {
        errors.push(FieldError {
            field: format!("{field}.{list}[{i}]"),
            message,
        });
    };
    for (i, name) in selector.keys.iter().enumerate() {
        let stands = before.iter().any(|before| names(&before.keys, name));
        if !stands && !config.keys.iter().any(|key| key.name == *name) {
            report("keys", i, format!("there is no key `{name}`"));
        }
    }
    for (i, name) in selector.projects.iter().enumerate() {
        let stands = before.iter().any(|before| names(&before.projects, name));
        if !stands && !config.projects.contains_key(name) {
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

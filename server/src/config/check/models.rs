//! Models, and all the names in them.

use std::collections::HashMap;

use super::{names, targets};
use crate::config::reading::{Reader, did_you_mean};
use crate::config::{Config, Endpoint, Model, Named, Rule, StickyBy, Strategy};

pub(super) fn check(config: &Config, reader: &mut Reader<'_>) {
    let all: Vec<&str> = config
        .models
        .iter()
        .map(|model| model.name.as_str())
        .collect();
    names::check("models", &all, reader);
    check_aliases(config, &all, reader);
    check_defaults(config, reader);
    for (i, model) in config.models.iter().enumerate() {
        let path = format!("models[{i}]");
        targets::check(config, model, &format!("{path}.targets"), reader);
        for (key, list) in [
            ("fallbacks", &model.fallbacks),
            ("context_length_fallbacks", &model.context_length_fallbacks),
            ("content_filter_fallbacks", &model.content_filter_fallbacks),
        ] {
            for (n, name) in list.iter().enumerate() {
                let at = format!("{path}.{key}[{n}]");
                if *name == model.name {
                    reader.problem(&at, "a model cannot be its own fallback");
                } else {
                    check_model(config, name, &at, reader);
                }
            }
        }
        for (n, rule) in model.rules.iter().enumerate() {
            check_rule(config, model, rule, &format!("{path}.rules[{n}]"), reader);
        }
        if let Some(shadow) = &model.shadow {
            let at = format!("{path}.shadow.provider");
            targets::check_provider(config, &shadow.provider, &at, reader);
        }
        let header = &model.sticky.header;
        if model.sticky.by == StickyBy::Header && header.is_none() {
            reader.problem(
                &format!("{path}.sticky.header"),
                "missing; by = \"header\" needs the name of one, such as \"x-session\"",
            );
        }
        if let Some(name) = header {
            check_header(name, &format!("{path}.sticky.header"), reader);
            if model.strategy != Strategy::Sticky {
                reader.warning(
                    &format!("{path}.sticky"),
                    "of no effect: the strategy is another than \"sticky\"",
                );
            }
        }
    }
}

/// One name, one model.
fn check_aliases(config: &Config, names: &[&str], reader: &mut Reader<'_>) {
    let mut taken: HashMap<&str, String> = HashMap::new();
    for (i, name) in names.iter().enumerate() {
        taken.insert(name, format!("the name of models[{i}]"));
    }
    for (i, model) in config.models.iter().enumerate() {
        for (n, alias) in model.aliases.iter().enumerate() {
            let at = format!("models[{i}].aliases[{n}]");
            if alias.contains('*') {
                reader.problem(&at, "an alias has no wildcards; make it a model of its own");
            } else if let Some(what) = taken.get(alias.as_str()) {
                reader.problem(
                    &at,
                    format!("\"{alias}\" is already {what}; names must differ"),
                );
            } else {
                taken.insert(alias, format!("an alias of models[{i}]"));
            }
        }
    }
}

/// One default an endpoint, and one that is served there.
fn check_defaults(config: &Config, reader: &mut Reader<'_>) {
    let mut taken: Vec<(Endpoint, usize)> = Vec::new();
    for (i, model) in config.models.iter().enumerate() {
        for (n, endpoint) in model.default_for.iter().enumerate() {
            let at = format!("models[{i}].default_for[{n}]");
            if let Some((_, first)) = taken.iter().find(|(other, _)| other == endpoint) {
                let message =
                    format!("models[{first}] is already the default there; there can be one only");
                reader.problem(&at, message);
            } else {
                taken.push((*endpoint, i));
            }
            if !model.endpoints.is_empty() && !model.endpoints.contains(endpoint) {
                reader.problem(&at, "the model's endpoints do not hold this one");
            }
        }
    }
}

fn check_rule(config: &Config, model: &Model, rule: &Rule, path: &str, reader: &mut Reader<'_>) {
    match (&rule.model, rule.targets.is_empty()) {
        (None, true) => reader.problem(path, "a rule needs targets, or the name of a model"),
        (Some(_), false) => reader.problem(path, "a rule has either targets or a model, not both"),
        (Some(name), true) => {
            let at = format!("{path}.model");
            if *name == model.name {
                reader.problem(&at, "a rule cannot lead to its own model");
            } else {
                check_model(config, name, &at, reader);
            }
        }
        (None, false) => {
            let at = format!("{path}.targets");
            targets::check_list(config, &rule.targets, model.strategy, &at, reader);
        }
    }
    let when = &rule.when;
    if let Some(key) = &when.key
        && !config.keys.iter().any(|known| known.name == *key)
    {
        let names: Vec<&str> = config.keys.iter().map(|key| key.name.as_str()).collect();
        let hint = did_you_mean(key, &names);
        reader.problem(
            &format!("{path}.when.key"),
            format!("unknown key \"{key}\"; {hint}"),
        );
    }
    for (key, named) in [("header", &when.header), ("metadata", &when.metadata)] {
        if let Named {
            name: None,
            value: Some(_),
        } = named
        {
            reader.problem(&format!("{path}.when.{key}.name"), "missing; expected text");
        }
    }
    if let Some(name) = &when.header.name {
        check_header(name, &format!("{path}.when.header.name"), reader);
    }
    if let (Some(min), Some(max)) = (when.min_input_tokens, when.max_input_tokens)
        && min > max
    {
        reader.problem(
            &format!("{path}.when.max_input_tokens"),
            format!("is below min_input_tokens ({min}): the rule would never hold"),
        );
    }
    if when.from.is_some() && when.from == when.until {
        reader.problem(
            &format!("{path}.when.until"),
            "the same as from: the rule would never hold",
        );
    }
}

fn check_header(name: &str, path: &str, reader: &mut Reader<'_>) {
    if name.parse::<http::HeaderName>().is_err() {
        reader.problem(path, format!("\"{name}\" is no header's name"));
    }
}

/// By its name or an alias.
fn check_model(config: &Config, name: &str, path: &str, reader: &mut Reader<'_>) {
    let models = config.models.iter();
    let names = models.flat_map(|model| std::iter::once(&model.name).chain(&model.aliases));
    let names: Vec<&str> = names.map(String::as_str).collect();
    if !names.contains(&name) {
        let hint = did_you_mean(name, &names);
        reader.problem(path, format!("unknown model \"{name}\"; {hint}"));
    } else if name.contains('*') {
        reader.problem(
            path,
            "a wildcard names no model; expected one without \"*\"",
        );
    }
}

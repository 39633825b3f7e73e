//! Client keys, and the projects that they share.

use std::collections::HashMap;

use chrono::Utc;
use shared::policies::FieldError;

use super::names;
use crate::auth::{check_key, check_project};
use crate::config::Config;
use crate::config::reading::{Reader, did_you_mean, quoted};
use crate::routing::pattern::Pattern;

pub(super) fn check(config: &Config, reader: &mut Reader<'_>) {
    let names: Vec<&str> = config.keys.iter().map(|key| key.name.as_str()).collect();
    names::check("keys", &names, reader);
    keys_differ(config, reader);
    let projects: Vec<&str> = config.projects.keys().map(String::as_str).collect();
    for (i, key) in config.keys.iter().enumerate() {
        let path = format!("keys[{i}]");
        let settings = &key.settings;
        if let Some(project) = &settings.project
            && !config.projects.contains_key(project)
        {
            let hint = did_you_mean(project, &projects);
            let message = format!("unknown project \"{project}\"; {hint}");
            reader.problem(&format!("{path}.project"), message);
        }
        if let Some(at) = settings.expires_at
            && settings.enabled
            && at <= Utc::now()
        {
            let path = format!("{path}.expires_at");
            reader.warning(&path, "the key has expired: it is refused");
        }
        access(&settings.models, &settings.providers, &path, config, reader);
        rest(check_key(settings, config), &path, reader);
    }
    let places = places_of_projects(reader);
    for (name, project) in &config.projects {
        let Some(path) = places.get(&quoted(name)) else {
            continue;
        };
        access(&project.models, &project.providers, path, config, reader);
        rest(check_project(project, config), path, reader);
    }
}

/// Where each project stands, by its name as TOML has it.
fn places_of_projects(reader: &Reader<'_>) -> HashMap<String, String> {
    let settings = reader.effective.settings();
    let names = settings.filter_map(|setting| {
        let path = setting.path.strip_suffix(".name")?;
        path.starts_with("projects[").then_some(())?;
        Some((setting.literal.clone()?, path.to_owned()))
    });
    names.collect()
}

/// One secret is one caller.
fn keys_differ(config: &Config, reader: &mut Reader<'_>) {
    let mut known: HashMap<&str, &str> = HashMap::new();
    for (i, key) in config.keys.iter().enumerate() {
        let Some(secret) = key.key.as_ref().filter(|key| !key.expose().is_empty()) else {
            continue;
        };
        if let Some(other) = known.get(secret.expose()) {
            let message = format!("the same key as \"{other}\"; one of the two is of no use");
            reader.problem(&format!("keys[{i}].key"), message);
        } else {
            known.insert(secret.expose(), &key.name);
        }
    }
}

fn access(
    models: &[String],
    providers: &[String],
    path: &str,
    config: &Config,
    reader: &mut Reader<'_>,
) {
    for (i, name) in providers.iter().enumerate() {
        let names = config.providers.iter().map(|known| known.name.as_str());
        let names: Vec<&str> = names.collect();
        if !names.contains(&name.as_str()) {
            let hint = did_you_mean(name, &names);
            let message = format!("unknown provider \"{name}\"; {hint}");
            reader.problem(&format!("{path}.providers[{i}]"), message);
        }
    }
    for (i, model) in models.iter().enumerate() {
        if !leads_somewhere(model, config) {
            let configured = config.models.iter();
            let names = configured.flat_map(|it| std::iter::once(&it.name).chain(&it.aliases));
            let names: Vec<&str> = names.map(String::as_str).collect();
            let hint = did_you_mean(model, &names);
            let message = format!("allows nothing: no model is called \"{model}\"; {hint}");
            reader.warning(&format!("{path}.models[{i}]"), message);
        }
    }
}

/// Whether a name can be asked for; of a pattern and of `provider/model` nobody knows.
fn leads_somewhere(name: &str, config: &Config) -> bool {
    let takes_all = |provider: &crate::config::Provider| {
        provider.default && provider.enabled && provider.model.is_none()
    };
    name.contains(['*', '/'])
        || config.providers.iter().any(takes_all)
        || config
            .providers
            .iter()
            .any(|provider| provider.model.as_deref() == Some(name))
        || config.models.iter().any(|model| {
            model.name == name
                || model.aliases.iter().any(|alias| alias == name)
                || Pattern::parse(&model.name).is_some_and(|pattern| pattern.matches(name))
        })
}

/// What is wrong with single values, as far as nobody has said it yet.
fn rest(errors: Vec<FieldError>, path: &str, reader: &mut Reader<'_>) {
    for error in errors {
        reader.problem(&format!("{path}.{}", error.field), error.message);
    }
}

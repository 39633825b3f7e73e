//! Client keys and projects.

use shared::policies::{ClientKey, Project};

use super::elements::with_commas;
use super::{Fields, budget, rate, rows};
use crate::forms::Values;
use crate::pages::{ALLOWANCES, RATES};

pub fn write_key(key: &ClientKey) -> Values {
    let mut values = Values::default();
    values.tick("enabled", key.enabled);
    values.put("owner", key.owner.clone().unwrap_or_default());
    values.put("tags", with_commas(&key.tags));
    values.put("project", key.project.clone().unwrap_or_default());
    let expires = key.expires_at;
    let expires = expires.map(|time| time.format("%Y-%m-%dT%H:%M:%S%.f").to_string());
    values.put("expires_at", expires.unwrap_or_default());
    write_lists(&key.models, &key.providers, &mut values);
    write_limits(&key.rates, &key.allowances, &mut values);
    values
}

pub fn read_key(fields: &Fields<'_>) -> ClientKey {
    ClientKey {
        enabled: fields.is_on("enabled"),
        owner: fields.some("owner"),
        tags: fields.list("tags"),
        project: fields.some("project"),
        expires_at: fields.moment("expires_at"),
        models: fields.list("models"),
        providers: fields.list("providers"),
        rates: read_rates(fields),
        allowances: read_allowances(fields),
        prefixes: Vec::new(),
    }
}

pub fn write_project(project: &Project) -> Values {
    let mut values = Values::default();
    values.tick("enabled", project.enabled);
    values.put(
        "description",
        project.description.clone().unwrap_or_default(),
    );
    write_lists(&project.models, &project.providers, &mut values);
    write_limits(&project.rates, &project.allowances, &mut values);
    values
}

pub fn read_project(fields: &Fields<'_>) -> Project {
    Project {
        enabled: fields.is_on("enabled"),
        description: fields.some("description"),
        models: fields.list("models"),
        providers: fields.list("providers"),
        rates: read_rates(fields),
        allowances: read_allowances(fields),
    }
}

/// `owner Ada · project web · 60 requests in 1m · expires 2026-12-31`.
pub fn describe_key(key: &ClientKey) -> String {
    let mut parts = Vec::new();
    parts.extend(key.owner.as_ref().map(|owner| format!("owner {owner}")));
    parts.extend(
        key.project
            .as_ref()
            .map(|project| format!("project {project}")),
    );
    parts.extend(restrictions(&key.models, &key.providers));
    parts.extend(key.rates.iter().map(rate::describe_rate));
    parts.extend(key.allowances.iter().map(budget::describe_allowance));
    parts.extend(
        key.expires_at
            .map(|time| format!("expires {}", time.format("%Y-%m-%d %H:%M"))),
    );
    sentence(parts, key.enabled)
}

pub fn describe_project(project: &Project) -> String {
    let mut parts = Vec::new();
    parts.extend(project.description.clone());
    parts.extend(restrictions(&project.models, &project.providers));
    parts.extend(project.rates.iter().map(rate::describe_rate));
    parts.extend(project.allowances.iter().map(budget::describe_allowance));
    sentence(parts, project.enabled)
}

/// What a key or project may ask for, where that is not everything.
pub fn restrictions(models: &[String], providers: &[String]) -> Vec<String> {
    let list = |what: &str, names: &[String]| {
        (!names.is_empty()).then(|| format!("{what} {}", names.join(", ")))
    };
    [list("models", models), list("providers", providers)]
        .into_iter()
        .flatten()
        .collect()
}

fn sentence(mut parts: Vec<String>, enabled: bool) -> String {
    if !enabled {
        parts.push("disabled".to_owned());
    }
    if parts.is_empty() {
        parts.push("no restrictions".to_owned());
    }
    parts.join(" · ")
}

fn write_lists(models: &[String], providers: &[String], values: &mut Values) {
    values.put("models", with_commas(models));
    values.put("providers", with_commas(providers));
}

fn write_limits(
    rates: &[shared::policies::Rate],
    allowances: &[shared::policies::Allowance],
    values: &mut Values,
) {
    for (index, one) in rates.iter().enumerate() {
        rate::write_rate(one, &format!("rates[{index}]."), values);
    }
    for (index, one) in allowances.iter().enumerate() {
        budget::write_allowance(one, &format!("allowances[{index}]."), values);
    }
}

fn read_rates(fields: &Fields<'_>) -> Vec<shared::policies::Rate> {
    rows::used(fields, RATES)
        .map(|prefix| rate::read_rate(fields, &prefix))
        .collect()
}

fn read_allowances(fields: &Fields<'_>) -> Vec<shared::policies::Allowance> {
    rows::used(fields, ALLOWANCES)
        .map(|prefix| budget::read_allowance(fields, &prefix))
        .collect()
}

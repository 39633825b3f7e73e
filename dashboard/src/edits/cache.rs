//! The cache's settings.

use shared::policies::{CacheOverride, CacheScope, CacheSettings};

use super::{Fields, rows, selector, units, word};
use crate::forms::Values;
use crate::pages::OVERRIDES;

pub fn write(cache: &CacheSettings) -> Values {
    let mut values = Values::default();
    values.tick("enabled", cache.enabled);
    values.put("ttl_seconds", units::seconds(cache.ttl_seconds));
    values.put("scope", word(cache.scope));
    values.put("max_bytes", units::bytes(cache.max_bytes));
    values.put("max_entry_bytes", units::bytes(cache.max_entry_bytes));
    values.tick("persistent", cache.persistent);
    values.tick("coalesce", cache.coalesce);
    for (index, one) in cache.overrides.iter().enumerate() {
        write_override(one, &format!("overrides[{index}]."), &mut values);
    }
    values
}

pub fn read(fields: &Fields<'_>) -> CacheSettings {
    let usual = CacheSettings::default();
    CacheSettings {
        enabled: fields.is_on("enabled"),
        ttl_seconds: fields.seconds("ttl_seconds").unwrap_or(usual.ttl_seconds),
        scope: fields.choice("scope"),
        max_bytes: fields.bytes("max_bytes").unwrap_or(usual.max_bytes),
        max_entry_bytes: fields
            .bytes("max_entry_bytes")
            .unwrap_or(usual.max_entry_bytes),
        persistent: fields.is_on("persistent"),
        coalesce: fields.is_on("coalesce"),
        overrides: rows::used(fields, OVERRIDES)
            .map(|prefix| read_override(fields, &prefix))
            .collect(),
    }
}

pub fn describe(cache: &CacheSettings) -> String {
    if !cache.enabled {
        return "off".to_owned();
    }
    let mut parts = vec![
        format!("for {}", units::seconds(cache.ttl_seconds)),
        scope(cache.scope).to_owned(),
        format!("up to {}", units::bytes(cache.max_bytes)),
    ];
    if cache.persistent {
        parts.push("outlives restarts".to_owned());
    }
    if cache.coalesce {
        parts.push("coalescing".to_owned());
    }
    if !cache.overrides.is_empty() {
        parts.push(format!("{} overrides", cache.overrides.len()));
    }
    parts.join(" · ")
}

pub fn scope(scope: CacheScope) -> &'static str {
    match scope {
        CacheScope::Key => "each key its own",
        CacheScope::Project => "shared in a project",
        CacheScope::Shared => "shared by all",
    }
}

fn write_override(one: &CacheOverride, prefix: &str, values: &mut Values) {
    selector::write(&one.applies_to, &format!("{prefix}applies_to."), values);
    values.put(format!("{prefix}enabled"), yes_no(one.enabled));
    let ttl = one.ttl_seconds.map(units::seconds).unwrap_or_default();
    values.put(format!("{prefix}ttl_seconds"), ttl);
    values.put(
        format!("{prefix}scope"),
        one.scope.map(word).unwrap_or_default(),
    );
    values.put(format!("{prefix}coalesce"), yes_no(one.coalesce));
}

fn read_override(fields: &Fields<'_>, prefix: &str) -> CacheOverride {
    let name = |field: &str| format!("{prefix}{field}");
    let yes_no = |field: &str| match fields.some(&name(field)).as_deref() {
        Some("yes") => Some(true),
        Some("no") => Some(false),
        _ => None,
    };
    CacheOverride {
        applies_to: selector::read(fields, &name("applies_to.")),
        enabled: yes_no("enabled"),
        ttl_seconds: fields.seconds(&name("ttl_seconds")),
        scope: fields
            .some(&name("scope"))
            .map(|_| fields.choice(&name("scope"))),
        coalesce: yes_no("coalesce"),
    }
}

fn yes_no(value: Option<bool>) -> &'static str {
    match value {
        Some(true) => "yes",
        Some(false) => "no",
        None => "",
    }
}

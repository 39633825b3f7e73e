//! `[cache]`: answers that are given again.

use std::time::Duration;

use shared::policies::{CacheOverride, CacheScope, CacheSettings};

use super::ByteSize;
use super::reading::{Section, Words};
use super::selector;
use crate::cache::check;

pub(super) fn read(section: &mut Section<'_, '_>) -> CacheSettings {
    let usual = CacheSettings::default();
    let ttl = section.value("ttl", Duration::from_secs(usual.ttl_seconds));
    whole_seconds(section, ttl);
    let settings = CacheSettings {
        enabled: section.value("enabled", usual.enabled),
        ttl_seconds: ttl.as_secs(),
        scope: section.value("scope", usual.scope),
        max_bytes: section.value("max_size", ByteSize(usual.max_bytes)).0,
        max_entry_bytes: section
            .value("max_entry_size", ByteSize(usual.max_entry_bytes))
            .0,
        persistent: section.value("persistent", usual.persistent),
        coalesce: section.value("coalesce", usual.coalesce),
        overrides: section.list("overrides", read_override),
    };
    for error in check(&settings) {
        let mut path = section.path_of(&error.field);
        for (field, key) in [
            ("ttl_seconds", "ttl"),
            ("max_bytes", "max_size"),
            ("max_entry_bytes", "max_entry_size"),
            ("applies_to.", ""),
        ] {
            path = path.replace(field, key);
        }
        section.reader().problem(&path, error.message);
    }
    settings
}

fn read_override(section: &mut Section<'_, '_>) -> CacheOverride {
    let ttl: Option<Duration> = section.optional("ttl");
    if let Some(ttl) = ttl {
        whole_seconds(section, ttl);
    }
    CacheOverride {
        applies_to: selector::read(section),
        enabled: section.optional("enabled"),
        ttl_seconds: ttl.map(|ttl| ttl.as_secs()),
        scope: section.optional("scope"),
        coalesce: section.optional("coalesce"),
    }
}

fn whole_seconds(section: &mut Section<'_, '_>, ttl: Duration) {
    if ttl.subsec_nanos() > 0 {
        let path = section.path_of("ttl");
        section.reader().problem(&path, "must be whole seconds");
    }
}

impl Words for CacheScope {
    const NOUN: &'static str = "scope";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("key", Self::Key),
        ("project", Self::Project),
        ("shared", Self::Shared),
    ];
}

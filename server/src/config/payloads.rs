//! `[payloads]`: requests and replies that are logged with their contents.

use shared::policies::{PayloadOverride, PayloadSettings};

use super::reading::Section;
use super::{ByteSize, Share, selector};
use crate::payloads::check;

pub(super) fn read(section: &mut Section<'_, '_>) -> PayloadSettings {
    let usual = PayloadSettings::default();
    let settings = PayloadSettings {
        enabled: section.value("enabled", usual.enabled),
        share_millionths: section.value("share", Share::ALL).millionths(),
        redact: section.values("redact", usual.redact),
        max_entry_bytes: section
            .value("max_entry_size", ByteSize(usual.max_entry_bytes))
            .0,
        retention_days: section.value("retention_days", usual.retention_days),
        max_bytes: section.value("max_size", ByteSize(usual.max_bytes)).0,
        overrides: section.list("overrides", |section| PayloadOverride {
            applies_to: selector::read(section),
            share_millionths: section.value("share", Share::ALL).millionths(),
        }),
    };
    for error in check(&settings) {
        let mut path = section.path_of(&error.field);
        for (field, key) in [
            ("max_entry_bytes", "max_entry_size"),
            ("max_bytes", "max_size"),
        ] {
            path = path.replace(field, key);
        }
        section.reader().problem(&path, error.message);
    }
    settings
}

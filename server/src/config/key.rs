//! `[[keys]]`: who may use the gateway. None: it is open.

use super::Secret;
use super::reading::Section;

/// One client's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// What records and the dashboard call it; unique.
    pub name: String,
    /// What the client sends as `Authorization: Bearer`.
    pub key: Secret,
    /// Whether it is let in.
    pub enabled: bool,
}

impl Key {
    pub(super) fn read(section: &mut Section<'_, '_>, name: String) -> Self {
        Self {
            name,
            key: section.required("key"),
            enabled: section.value("enabled", true),
        }
    }
}

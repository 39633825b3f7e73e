//! `[[keys]]`: who may use the gateway. None: it is open.

use shared::policies::ClientKey;

use super::reading::Section;
use super::{Secret, allowance, rate};

/// One client's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// What records and the dashboard call it; unique.
    pub name: String,
    /// What the client sends as `Authorization: Bearer`. `None`: an operator made it while the gateway ran, and the
    /// database knows it by its hash.
    pub key: Option<Secret>,
    pub settings: ClientKey,
}

impl Key {
    pub(super) fn read(section: &mut Section<'_, '_>, name: String) -> Self {
        Self {
            name,
            key: Some(section.required("key")),
            settings: ClientKey {
                enabled: section.value("enabled", true),
                owner: section.optional("owner"),
                tags: section.values("tags", Vec::new()),
                project: section.optional("project"),
                expires_at: section.optional("expires_at"),
                models: section.values("models", Vec::new()),
                providers: section.values("providers", Vec::new()),
                rates: section.list("limits", rate::read),
                allowances: section.list("budgets", allowance::read),
                prefixes: Vec::new(),
            },
        }
    }
}

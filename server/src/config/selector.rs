//! Whose requests a policy is about: lists beside its other keys.

use shared::policies::Selector;

use super::reading::Section;

/// The keys of a selector in `section`: `keys`, `projects`, `models` and `addresses`.
pub(super) fn read(section: &mut Section<'_, '_>) -> Selector {
    Selector {
        keys: section.values("keys", Vec::new()),
        projects: section.values("projects", Vec::new()),
        models: section.values("models", Vec::new()),
        addresses: section.values("addresses", Vec::new()),
        ..Selector::default()
    }
}

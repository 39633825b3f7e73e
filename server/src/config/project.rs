//! `[[projects]]`: what keys share.

use shared::policies::Project;

use super::reading::Section;
use super::{allowance, rate};

/// The keys of a project in `section`.
pub(super) fn read(section: &mut Section<'_, '_>) -> Project {
    Project {
        enabled: section.value("enabled", true),
        description: section.optional("description"),
        models: section.values("models", Vec::new()),
        providers: section.values("providers", Vec::new()),
        rates: section.list("limits", rate::read),
        allowances: section.list("budgets", allowance::read),
    }
}

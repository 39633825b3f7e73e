//! `[[budgets]]`: quotas and budgets of the operator's.

use shared::policies::{Budget, Per};

use super::reading::Section;
use super::{allowance, selector};

pub(super) fn read(section: &mut Section<'_, '_>) -> Budget {
    Budget {
        enabled: section.value("enabled", true),
        applies_to: selector::read(section),
        per: section.value("per", Per::default()),
        allowance: allowance::read(section),
    }
}

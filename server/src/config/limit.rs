//! `[[limits]]`: so many requests or tokens in a window.

use shared::policies::{Per, RateLimit};

use super::reading::Section;
use super::{rate, selector};

pub(super) fn read(section: &mut Section<'_, '_>) -> RateLimit {
    RateLimit {
        enabled: section.value("enabled", true),
        description: section.optional("description"),
        rate: rate::read(section),
        per: section.value("per", Per::default()),
        applies_to: selector::read(section),
    }
}

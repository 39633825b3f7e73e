//! A model's `retry`: trying the same target again, and how much of that there may be.

use std::time::Duration;

use super::Share;
use super::reading::Section;

/// When no other target is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// How often one target is tried again for one request.
    pub retries: u32,
    /// The first wait's upper bound; it doubles with each retry.
    pub base: Duration,
    /// A `Retry-After` beyond it is not waited for.
    pub max_wait: Duration,
    /// Retries, as a share of the requests; three a second may always be made.
    pub budget: Share,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            retries: 1,
            base: Duration::from_millis(250),
            max_wait: Duration::from_secs(10),
            budget: Share::percent(20),
        }
    }
}

impl Retry {
    pub(super) fn read(section: &mut Section<'_, '_>) -> Self {
        let default = Self::default();
        Self {
            retries: section.value("retries", default.retries),
            base: section.value("base", default.base),
            max_wait: section.value("max_wait", default.max_wait),
            budget: section.value("budget", default.budget),
        }
    }
}

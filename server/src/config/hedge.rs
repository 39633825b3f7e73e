//! A model's `hedge`: asking a second target when the first is slow.

use super::Share;
use super::reading::Section;

/// Two targets for one request, the slower one cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hedge {
    /// Whether it is done at all.
    pub enabled: bool,
    /// The second tries, as a share of the requests at most.
    pub max_share: Share,
}

impl Default for Hedge {
    fn default() -> Self {
        Self {
            enabled: false,
            max_share: Share::percent(5),
        }
    }
}

impl Hedge {
    pub(super) fn read(section: &mut Section<'_, '_>) -> Self {
        let default = Self::default();
        Self {
            enabled: section.value("enabled", default.enabled),
            max_share: section.value("max_share", default.max_share),
        }
    }
}

//! A provider's `health`: asking now and then whether it is there.

use std::time::Duration;

use super::reading::Section;

/// A request in the background, apart from the clients'.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// `None`: where the kind has a path that costs nothing.
    pub enabled: Option<bool>,
    /// From one check to the next.
    pub interval: Duration,
    /// Until a check has failed.
    pub timeout: Duration,
    /// What is got, behind the base URL; `None`: the kind's list of models.
    pub path: Option<String>,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            enabled: None,
            interval: Duration::from_secs(30),
            timeout: Duration::from_secs(5),
            path: None,
        }
    }
}

impl Health {
    pub(super) fn read(section: &mut Section<'_, '_>) -> Self {
        let default = Self::default();
        Self {
            enabled: section.optional("enabled"),
            interval: section.value("interval", default.interval),
            timeout: section.value("timeout", default.timeout),
            path: section.optional("path"),
        }
    }
}

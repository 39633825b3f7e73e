//! A model's `breaker`: when a target that fails is left alone, and for how long.

use std::time::Duration;

use super::Share;
use super::reading::Section;

/// Of each of the model's targets. Where two models share a target, the later one in the file decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breaker {
    /// So many failures in a row open it.
    pub failures: u32,
    /// Such a share of failures within the window opens it, from 20 calls on.
    pub error_rate: Share,
    pub window: Duration,
    /// How long it stays open the first time; doubles with each time in a row.
    pub cool_down: Duration,
    pub max_cool_down: Duration,
}

impl Default for Breaker {
    fn default() -> Self {
        Self {
            failures: 5,
            error_rate: Share::percent(50),
            window: Duration::from_secs(30),
            cool_down: Duration::from_secs(5),
            max_cool_down: Duration::from_secs(300),
        }
    }
}

impl Breaker {
    pub(super) fn read(section: &mut Section<'_, '_>) -> Self {
        let default = Self::default();
        Self {
            failures: section.value("failures", default.failures),
            error_rate: section.value("error_rate", default.error_rate),
            window: section.value("window", default.window),
            cool_down: section.value("cool_down", default.cool_down),
            max_cool_down: section.value("max_cool_down", default.max_cool_down),
        }
    }
}

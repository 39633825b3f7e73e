//! A simulated provider's `simulated` table: latency and faults to rehearse with.

use llm::simulated::{Fault, SimulatedSettings};

use super::reading::{Section, Words};

/// How the simulated provider behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Simulated {
    /// Milliseconds until the first token.
    pub first_token_ms: u64,
    /// Milliseconds between two chunks of a stream.
    pub between_chunks_ms: u64,
    /// What goes wrong with each request.
    pub fault: Fault,
    /// Milliseconds by which the faults `slow-headers` and `slow-first-token` make late.
    pub delay_ms: u64,
}

impl Default for Simulated {
    fn default() -> Self {
        let settings = SimulatedSettings::default();
        Self {
            first_token_ms: settings.first_token.as_millis() as u64,
            between_chunks_ms: settings.between_chunks.as_millis() as u64,
            fault: settings.fault,
            delay_ms: settings.delay.as_millis() as u64,
        }
    }
}

impl Simulated {
    pub(super) fn read(section: &mut Section<'_, '_>) -> Self {
        let default = Self::default();
        Self {
            first_token_ms: section.value("first_token_ms", default.first_token_ms),
            between_chunks_ms: section.value("between_chunks_ms", default.between_chunks_ms),
            fault: section.value("fault", default.fault),
            delay_ms: section.value("delay_ms", default.delay_ms),
        }
    }
}

impl Words for Fault {
    const NOUN: &'static str = "fault";
    const WORDS: &'static [(&'static str, Self)] = Self::WORDS;
}

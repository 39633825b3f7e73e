//! A simulated provider's `simulated` table: latency and faults to rehearse with.

use llm::simulated::Fault;

use super::reading::{Section, Words};

/// How the simulated provider behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Simulated {
    /// Milliseconds until the first token.
    pub first_token_ms: u64,
    /// Milliseconds between two chunks of a stream.
    pub between_chunks_ms: u64,
    /// What goes wrong with each request.
    pub fault: Fault,
}

impl Simulated {
    pub(super) fn read(section: &mut Section<'_, '_>) -> Self {
        let default = Self::default();
        Self {
            first_token_ms: section.value("first_token_ms", default.first_token_ms),
            between_chunks_ms: section.value("between_chunks_ms", default.between_chunks_ms),
            fault: section.value("fault", default.fault),
        }
    }
}

impl Words for Fault {
    const NOUN: &'static str = "fault";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("none", Self::None),
        ("rate-limit", Self::RateLimit),
        ("quota", Self::Quota),
        ("server-error", Self::ServerError),
        ("overloaded", Self::Overloaded),
        ("unauthorized", Self::Unauthorized),
        ("stall-before-head", Self::StallBeforeHead),
        ("stall", Self::Stall),
        ("cut-before-first-event", Self::CutBeforeFirstEvent),
        ("cut", Self::Cut),
        ("garbage", Self::Garbage),
        ("wrong-content-type", Self::WrongContentType),
        ("error-in-success", Self::ErrorInSuccess),
        ("error-in-stream", Self::ErrorInStream),
    ];
}

#[cfg(test)]
mod tests {
    use super::{Fault, Words};

    #[test]
    fn faults_are_written_as_the_provider_writes_them() {
        for (word, fault) in Fault::WORDS {
            assert_eq!(serde_json::to_value(fault).ok(), Some((*word).into()));
        }
    }
}

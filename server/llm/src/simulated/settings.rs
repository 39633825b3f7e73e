//! How the simulated provider behaves.

use std::time::Duration;

use super::Fault;

/// How fast it is and what goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimulatedSettings {
    /// From the request to the reply's head; the first chunk comes with it, and so does the whole reply
    /// of a request that does not stream.
    pub first_token: Duration,
    pub between_chunks: Duration,
    pub fault: Fault,
    /// How late comes what [`Fault::SlowHeaders`] and [`Fault::SlowFirstToken`] make late.
    pub delay: Duration,
}

impl SimulatedSettings {
    /// What `delay` is where nobody says otherwise.
    pub const DELAY: Duration = Duration::from_secs(30);
}

impl Default for SimulatedSettings {
    fn default() -> Self {
        Self {
            first_token: Duration::ZERO,
            between_chunks: Duration::ZERO,
            fault: Fault::None,
            delay: Self::DELAY,
        }
    }
}

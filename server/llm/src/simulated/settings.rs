//! How the simulated provider behaves.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How fast it is and what goes wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SimulatedSettings {
    /// From the request to the reply's head; the first chunk comes with it, and so does the whole reply
    /// of a request that does not stream.
    pub first_token: Duration,
    pub between_chunks: Duration,
    pub fault: Fault,
}

/// What goes wrong. The upstream's name of the model chooses one too, whatever the settings say:
/// `simulated:rate-limit`, `simulated:none`.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq, Hash)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    #[default]
    None,
    /// 429 with `Retry-After: 1`.
    RateLimit,
    /// 429 `insufficient_quota`.
    Quota,
    /// 500.
    ServerError,
    /// 503.
    Overloaded,
    /// 401: the key is refused.
    Unauthorized,
    /// No head ever comes.
    StallBeforeHead,
    /// Half of the reply, then nothing.
    Stall,
    /// The head, then the connection breaks.
    CutBeforeFirstEvent,
    /// Half of the reply, then the connection breaks.
    Cut,
    /// Not JSON.
    Garbage,
    /// An HTML page with status 200.
    WrongContentType,
    /// An error object with status 200.
    ErrorInSuccess,
    /// Half of the stream, then an error event; without a stream like `error-in-success`.
    ErrorInStream,
}

impl Fault {
    /// Every one.
    pub const ALL: [Self; 14] = [
        Self::None,
        Self::RateLimit,
        Self::Quota,
        Self::ServerError,
        Self::Overloaded,
        Self::Unauthorized,
        Self::StallBeforeHead,
        Self::Stall,
        Self::CutBeforeFirstEvent,
        Self::Cut,
        Self::Garbage,
        Self::WrongContentType,
        Self::ErrorInSuccess,
        Self::ErrorInStream,
    ];

    /// As in the configuration and in a model's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::RateLimit => "rate-limit",
            Self::Quota => "quota",
            Self::ServerError => "server-error",
            Self::Overloaded => "overloaded",
            Self::Unauthorized => "unauthorized",
            Self::StallBeforeHead => "stall-before-head",
            Self::Stall => "stall",
            Self::CutBeforeFirstEvent => "cut-before-first-event",
            Self::Cut => "cut",
            Self::Garbage => "garbage",
            Self::WrongContentType => "wrong-content-type",
            Self::ErrorInSuccess => "error-in-success",
            Self::ErrorInStream => "error-in-stream",
        }
    }

    /// The fault of this name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_the_configuration_says() {
        for fault in Fault::ALL {
            assert_eq!(serde_json::to_value(fault).unwrap(), fault.name());
            assert_eq!(Fault::find(fault.name()), Some(fault));
        }
    }
}

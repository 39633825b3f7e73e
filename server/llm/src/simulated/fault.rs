//! What can go wrong with the simulated provider.

use serde::{Deserialize, Serialize};

/// What goes wrong. The upstream's name of the model chooses one too, whatever the settings say:
/// `simulated:rate-limit`, `simulated:none`.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq, Hash)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    #[default]
    None,
    /// Nobody listens: the connection is refused.
    Refuse,
    /// Packets vanish: no connection ever stands.
    BlackHole,
    /// The host's name is not known.
    DnsFailure,
    /// The handshake fails.
    TlsFailure,
    /// The head comes late.
    SlowHeaders,
    /// The head comes at once, the first event late; without a stream the body does.
    SlowFirstToken,
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
    /// 408.
    RequestTimeout,
    /// 429 with `Retry-After: 1`.
    RateLimit,
    /// 429 that does not say when to come again.
    RateLimitWithoutRetryAfter,
    /// 429 `insufficient_quota`.
    Quota,
    /// The same as a 403, known by its sentence alone.
    QuotaForbidden,
    /// 402: the account owes money.
    PaymentRequired,
    /// 401: the key is refused.
    Unauthorized,
    /// 403: the key may not do this.
    Forbidden,
    /// 404: there is no such model.
    ModelNotFound,
    /// 400: the request itself is wrong.
    InvalidRequest,
    /// 400: more tokens than the model takes.
    ContextLength,
    /// 400: refused for what it says.
    ContentFilter,
    /// 500.
    ServerError,
    /// 503.
    Overloaded,
}

impl Fault {
    /// Every one, with its name in the configuration and in a model's name.
    pub const WORDS: &'static [(&'static str, Self)] = &[
        ("none", Self::None),
        ("refuse", Self::Refuse),
        ("black-hole", Self::BlackHole),
        ("dns-failure", Self::DnsFailure),
        ("tls-failure", Self::TlsFailure),
        ("slow-headers", Self::SlowHeaders),
        ("slow-first-token", Self::SlowFirstToken),
        ("stall-before-head", Self::StallBeforeHead),
        ("stall", Self::Stall),
        ("cut-before-first-event", Self::CutBeforeFirstEvent),
        ("cut", Self::Cut),
        ("garbage", Self::Garbage),
        ("wrong-content-type", Self::WrongContentType),
        ("error-in-success", Self::ErrorInSuccess),
        ("error-in-stream", Self::ErrorInStream),
        ("request-timeout", Self::RequestTimeout),
        ("rate-limit", Self::RateLimit),
        (
            "rate-limit-without-retry-after",
            Self::RateLimitWithoutRetryAfter,
        ),
        ("quota", Self::Quota),
        ("quota-forbidden", Self::QuotaForbidden),
        ("payment-required", Self::PaymentRequired),
        ("unauthorized", Self::Unauthorized),
        ("forbidden", Self::Forbidden),
        ("model-not-found", Self::ModelNotFound),
        ("invalid-request", Self::InvalidRequest),
        ("context-length", Self::ContextLength),
        ("content-filter", Self::ContentFilter),
        ("server-error", Self::ServerError),
        ("overloaded", Self::Overloaded),
    ];

    /// Every one.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::WORDS.iter().map(|(_, fault)| *fault)
    }

    /// As in the configuration and in a model's name.
    pub fn name(self) -> &'static str {
        let (name, _) = Self::WORDS
            .iter()
            .find(|(_, fault)| *fault == self)
            .expect("every fault has its name");
        name
    }

    /// The fault of this name.
    pub fn find(name: &str) -> Option<Self> {
        let known = Self::WORDS.iter().find(|(word, _)| *word == name);
        known.map(|(_, fault)| *fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_the_configuration_says() {
        let last = Fault::Overloaded as usize;
        assert_eq!(Fault::WORDS.len(), last + 1, "every fault has its word");
        for (at, (name, fault)) in Fault::WORDS.iter().enumerate() {
            assert_eq!(*fault as usize, at, "in the order of the faults");
            assert_eq!(serde_json::to_value(fault).unwrap(), *name);
            assert_eq!(Fault::find(name), Some(*fault));
            assert_eq!(fault.name(), *name);
        }
    }
}

//! Which targets were tried for a request, as a header of the reply.

use std::fmt::Write as _;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::losses::escape;
use crate::gateway::Context;
use crate::recording::record::Attempt;

/// `up=rate_limited, backup=ok`: each provider that was tried, in order, and what came of it: `ok`, or the kind of
/// error.
const ATTEMPTS: HeaderName = HeaderName::from_static("x-gateway-attempts");

/// The header's value; `None` where no target was tried.
pub(super) fn value(context: &Context) -> Option<HeaderValue> {
    written(context.recording.attempts())
}

pub(super) fn tell(value: Option<HeaderValue>, headers: &mut HeaderMap) {
    if let Some(value) = value {
        headers.insert(ATTEMPTS, value);
    }
}

fn written(attempts: &[Attempt]) -> Option<HeaderValue> {
    let mut value = String::with_capacity(24 * attempts.len());
    for attempt in attempts {
        if !value.is_empty() {
            value.push_str(", ");
        }
        escape(&attempt.provider, &mut value);
        let outcome = attempt.error_kind.map_or("ok", |kind| kind.as_str());
        let _ = write!(value, "={outcome}");
    }
    (!attempts.is_empty())
        .then(|| HeaderValue::try_from(value).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use llm::error::ErrorKind;

    use super::*;

    fn attempt(provider: &str, error_kind: Option<ErrorKind>) -> Attempt {
        Attempt {
            provider: provider.into(),
            model: "m".into(),
            started_us: 0,
            duration_us: 0,
            status: None,
            error_kind,
            hedged: false,
        }
    }

    #[test]
    fn one_after_the_other() {
        assert_eq!(written(&[]), None);
        let attempts = [
            attempt("up", Some(ErrorKind::RateLimited)),
            attempt("back,up\n", None),
        ];
        let value = written(&attempts).unwrap();
        assert_eq!(value, "up=rate_limited, back%2Cup%0A=ok");
    }
}

//! What upstreams' failures have in common, whatever their protocol.

use std::time::Duration;

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};

use crate::error::{ErrorKind, ErrorSource};

/// The longest wait that is believed.
pub(crate) const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);
/// The longest message that is passed on, in bytes.
const MAX_MESSAGE: usize = 2_000;

/// Whose fault it is that an upstream refused: what is wrong with the request is the caller's, whoever notices.
pub(crate) fn origin(kind: ErrorKind) -> ErrorSource {
    match kind {
        ErrorKind::InvalidRequest
        | ErrorKind::ContextLengthExceeded
        | ErrorKind::ContentFiltered
        | ErrorKind::RequestTooLarge => ErrorSource::Caller,
        _ => ErrorSource::Provider,
    }
}

/// What a status alone says.
pub(crate) fn by_status(status: Option<u16>) -> ErrorKind {
    match status {
        Some(401) => ErrorKind::Authentication,
        Some(402) => ErrorKind::QuotaExceeded,
        Some(403) => ErrorKind::PermissionDenied,
        Some(404) => ErrorKind::NotFound,
        Some(405) => ErrorKind::MethodNotAllowed,
        Some(408 | 504 | 524) => ErrorKind::Timeout,
        Some(413) => ErrorKind::RequestTooLarge,
        Some(429) => ErrorKind::RateLimited,
        Some(503 | 529) => ErrorKind::Overloaded,
        Some(400..500) => ErrorKind::InvalidRequest,
        _ => ErrorKind::UpstreamFailed,
    }
}

/// How long to wait: `retry-after-ms`, or `Retry-After` in seconds or as a date, which is counted from the reply's own
/// `Date`: there is no clock here, and the upstream's may differ from ours.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok();
    let seconds = number("retry-after-ms")
        .map(|millis| millis / 1_000.0)
        .or_else(|| number("retry-after"));
    let wait = match seconds {
        Some(seconds) => Duration::try_from_secs_f64(seconds).ok()?,
        None => {
            let date = |name| httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok();
            let (now, then) = (date(DATE)?, date(RETRY_AFTER)?);
            then.duration_since(now).unwrap_or_default()
        }
    };
    Some(wait.min(MAX_RETRY_AFTER))
}

/// A message of a length that can be passed on.
pub(crate) fn shortened(mut message: String) -> String {
    if message.len() > MAX_MESSAGE {
        message.truncate(message.floor_char_boundary(MAX_MESSAGE));
        message.push('…');
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(headers: &[(&'static str, &'static str)]) -> Option<Duration> {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        retry_after(&headers.collect())
    }

    #[test]
    fn a_wait_is_told_in_several_ways() {
        let now = ("date", "Wed, 21 Oct 2026 07:28:00 GMT");
        let then = ("retry-after", "Wed, 21 Oct 2026 07:29:30 GMT");
        for (headers, expected) in [
            (&[("retry-after", "1.5")][..], Some(1_500)),
            (&[("retry-after-ms", "20"), ("retry-after", "1")], Some(20)),
            (&[now, then], Some(90_000)),
            (
                &[now, ("retry-after", "Wed, 21 Oct 2026 07:00:00 GMT")],
                Some(0),
            ),
            (
                &[now, ("retry-after", "Fri, 21 Oct 2033 07:00:00 GMT")],
                Some(86_400_000),
            ),
            (&[then], None),
            (&[("retry-after", "-1")], None),
            (&[("retry-after", "soon"), now], None),
        ] {
            let expected = expected.map(Duration::from_millis);
            assert_eq!(told(headers), expected, "{headers:?}");
        }
    }
}

//! How long an upstream wants to be left alone.

use std::time::{Duration, UNIX_EPOCH};

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};

use super::time;
use crate::error::ErrorKind;

/// The longest wait that is believed.
pub(crate) const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// What says it first: `retry-after-ms`, `Retry-After`, the reset of the limit that was met, the sentence. The latter
/// two only where something was used up: other replies have limits in their headers, too.
pub(super) fn retry_after(kind: ErrorKind, headers: &HeaderMap, message: &str) -> Option<Duration> {
    let used_up = matches!(kind, ErrorKind::RateLimited | ErrorKind::QuotaExceeded);
    let wait = said(headers).or_else(|| {
        let reset = || reset(headers).or_else(|| in_words(headers, message));
        used_up.then(reset)?
    });
    Some(wait?.min(MAX_RETRY_AFTER))
}

/// `retry-after-ms`, or `Retry-After` in seconds or as a date, which is counted from the reply's own `Date`: there is
/// no clock here, and the upstream's may differ from ours.
fn said(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok();
    let seconds = number("retry-after-ms")
        .map(|millis| millis / 1_000.0)
        .or_else(|| number("retry-after"));
    match seconds {
        Some(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        None => {
            let then = headers.get(RETRY_AFTER)?.to_str().ok()?;
            let then = httpdate::parse_http_date(then).ok()?;
            let then = then.duration_since(UNIX_EPOCH).ok()?;
            until(headers, then)
        }
    }
}

/// The reset of a limit of which nothing remains, the latest if there are several; the next of all where none says
/// what remains. Headers have `ratelimit` and `reset` in their names, and `remaining` in place of the latter.
fn reset(headers: &HeaderMap) -> Option<Duration> {
    let mut met: Option<Duration> = None;
    let mut next: Option<Duration> = None;
    for (name, value) in headers {
        let name = name.as_str();
        if !name.contains("ratelimit") || !name.contains("reset") {
            continue;
        }
        let Some(wait) = value.to_str().ok().and_then(|text| moment(headers, text)) else {
            continue;
        };
        let remaining = headers.get(name.replace("reset", "remaining").as_str());
        let remaining = remaining.and_then(|left| left.to_str().ok()?.trim().parse::<f64>().ok());
        match remaining {
            Some(left) if left <= 0.0 => met = met.max(Some(wait)),
            Some(_) => {}
            None => next = Some(next.map_or(wait, |next| next.min(wait))),
        }
    }
    met.or(next)
}

/// A header's value: seconds (`12`, `8.64`), a length (`6m0s`, `20ms`), a time (`2026-11-30T23:00:30Z`, or since 1970
/// in seconds or milliseconds).
fn moment(headers: &HeaderMap, text: &str) -> Option<Duration> {
    /// No length is as long as that, no time as early.
    const LENGTHS: f64 = 1e9;
    const SECONDS: f64 = 1e11;
    let text = text.trim();
    if let Ok(number) = text.parse::<f64>() {
        let seconds = if number < SECONDS {
            number
        } else {
            number / 1_000.0
        };
        let seconds = Duration::try_from_secs_f64(seconds).ok()?;
        return if number < LENGTHS {
            Some(seconds)
        } else {
            until(headers, seconds)
        };
    }
    if let Some(seconds) = time::seconds(text) {
        return until(headers, Duration::from_secs(u64::try_from(seconds).ok()?));
    }
    let (wait, rest) = length(text)?;
    rest.is_empty().then_some(wait)
}

/// From the reply's own time to another one, both since 1970.
fn until(headers: &HeaderMap, then: Duration) -> Option<Duration> {
    let now = httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()?;
    let now = now.duration_since(UNIX_EPOCH).ok()?;
    Some(then.saturating_sub(now))
}

/// `1h2m3.5s`, `20ms`, and what follows it.
fn length(text: &str) -> Option<(Duration, &str)> {
    let mut rest = text;
    let mut seconds = 0.0;
    loop {
        let number = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let digits = &rest[..rest.len() - number.len()];
        let Ok(count) = digits.parse::<f64>() else {
            break;
        };
        let units = [
            ("ms", 0.001),
            ("s", 1.0),
            ("m", 60.0),
            ("h", 3_600.0),
            ("d", 86_400.0),
        ];
        let unit = units.into_iter().find(|(unit, _)| number.starts_with(unit));
        let Some((unit, worth)) = unit else { break };
        seconds += count * worth;
        rest = &number[unit.len()..];
    }
    if rest.len() == text.len() {
        return None;
    }
    Some((Duration::try_from_secs_f64(seconds).ok()?, rest))
}

/// "Please try again in 7m12.5s.", "Please retry in 38.5s.", "You will regain access on 2026-12-01 at 00:00 UTC."
fn in_words(headers: &HeaderMap, message: &str) -> Option<Duration> {
    let after = |phrase: &str| message.split_once(phrase).map(|(_, rest)| rest);
    let lengths = ["try again in ", "retry in ", "reset after "].into_iter();
    if let Some((wait, _)) = lengths.filter_map(after).find_map(length) {
        return Some(wait);
    }
    let (day, rest) = after("regain access on ")?.split_once(" at ")?;
    let (hour, _) = rest.split_once(" UTC")?;
    let then = time::seconds(&format!("{day}T{hour}:00Z"))?;
    until(headers, Duration::from_secs(u64::try_from(then).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: (&str, &str) = ("date", "Wed, 21 Oct 2026 07:28:00 GMT");

    fn headers(said: &[(&'static str, &'static str)]) -> HeaderMap {
        let said = said.iter();
        said.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn a_wait_is_told_in_several_ways() {
        let then = ("retry-after", "Wed, 21 Oct 2026 07:29:30 GMT");
        for (said, expected) in [
            (&[("retry-after", "1.5")][..], Some(1_500)),
            (&[("retry-after-ms", "20"), ("retry-after", "1")], Some(20)),
            (&[NOW, then], Some(90_000)),
            (
                &[NOW, ("retry-after", "Wed, 21 Oct 2026 07:00:00 GMT")],
                Some(0),
            ),
            (
                &[NOW, ("retry-after", "Fri, 21 Oct 2033 07:00:00 GMT")],
                Some(86_400_000),
            ),
            (&[then], None),
            (&[("retry-after", "-1")], None),
            (&[("retry-after", "soon"), NOW], None),
            (&[("x-ratelimit-reset", "20ms")], Some(20)),
            (
                &[("x-ratelimit-reset-requests", "1h2m3.5s")],
                Some(3_723_500),
            ),
            (&[("x-ratelimit-reset", "8.64")], Some(8_640)),
            (&[NOW, ("x-ratelimit-reset", "1792567690")], Some(10_000)),
            (&[NOW, ("x-ratelimit-reset", "1792567690000")], Some(10_000)),
            (&[("x-ratelimit-reset", "1792567690000")], None),
            (
                &[NOW, ("ratelimit-reset", "2026-10-21T07:28:20Z")],
                Some(20_000),
            ),
            (&[("x-ratelimit-reset", "later")], None),
            (&[("x-ratelimit-reset", "6m0")], None),
            // The next of those that do not say what remains.
            (
                &[("x-ratelimit-reset-a", "6m"), ("x-ratelimit-reset-b", "2s")],
                Some(2_000),
            ),
            // What remains says which limit it was.
            (
                &[
                    ("x-ratelimit-reset-a", "6m"),
                    ("x-ratelimit-remaining-a", "0"),
                    ("x-ratelimit-reset-b", "2s"),
                    ("x-ratelimit-remaining-b", "0"),
                    ("x-ratelimit-reset-c", "9h"),
                    ("x-ratelimit-remaining-c", "1"),
                ],
                Some(360_000),
            ),
            (
                &[
                    ("x-ratelimit-reset-a", "6m"),
                    ("x-ratelimit-remaining-a", "3"),
                ],
                None,
            ),
        ] {
            let expected = expected.map(Duration::from_millis);
            let found = retry_after(ErrorKind::RateLimited, &headers(said), "");
            assert_eq!(found, expected, "{said:?}");
        }
    }

    #[test]
    fn a_reset_is_no_wait_where_nothing_was_used_up() {
        let said = headers(&[("x-ratelimit-reset", "2s")]);
        assert_eq!(retry_after(ErrorKind::Overloaded, &said, ""), None);
        assert_eq!(
            retry_after(ErrorKind::Overloaded, &said, "try again in 2s"),
            None
        );
        assert_eq!(
            retry_after(ErrorKind::Overloaded, &headers(&[("retry-after", "3")]), ""),
            Some(Duration::from_secs(3))
        );
    }

    #[test]
    fn sentences_tell_a_wait() {
        for (message, expected) in [
            ("Please try again in 7m12.5s. Visit", Some(432_500)),
            ("Please try again in 20ms.", Some(20)),
            ("Please retry in 38.5s.", Some(38_500)),
            ("Your quota will reset after 5h59m59s.", Some(21_599_000)),
            (
                "Regular access: regain access on 2026-10-21 at 08:28 UTC.",
                Some(3_600_000),
            ),
            ("try again in a while", None),
            ("try again in 5 minutes", None),
            ("regain access on Monday at noon UTC", None),
        ] {
            let expected = expected.map(Duration::from_millis);
            let found = retry_after(ErrorKind::QuotaExceeded, &headers(&[NOW]), message);
            assert_eq!(found, expected, "{message}");
        }
    }
}

//! How long to wait before the same target is tried again.

use std::time::Duration;

use super::moment::below;
use crate::config::Retry;

/// No wait by chance is longer.
const LONGEST: Duration = Duration::from_secs(5);

/// Exponential, with full jitter (<https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/>);
/// never less than the upstream's `Retry-After`. `None`: that is too long to wait for.
pub(super) fn wait(
    retry: &Retry,
    retries_before: u32,
    retry_after: Option<Duration>,
    random: u64,
) -> Option<Duration> {
    let asked = retry_after.unwrap_or_default();
    if asked > retry.max_wait {
        return None;
    }
    let factor = 1_u32.checked_shl(retries_before).unwrap_or(u32::MAX);
    let most = retry.base.saturating_mul(factor).min(LONGEST);
    let most = u64::try_from(most.as_nanos()).unwrap_or(u64::MAX);
    Some(asked.max(Duration::from_nanos(below(random, most))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_and_is_jittered() {
        let retry = Retry::default();
        let longest = |n| wait(&retry, n, None, u64::MAX).unwrap().as_millis() + 1;
        assert_eq!(longest(0), 250);
        assert_eq!(longest(1), 500);
        assert_eq!(longest(40), 5000);
        assert_eq!(wait(&retry, 3, None, 0), Some(Duration::ZERO));
    }

    #[test]
    fn honours_what_the_upstream_asks_for_if_it_is_not_too_long() {
        let retry = Retry::default();
        let asked = |seconds| wait(&retry, 0, Some(Duration::from_secs(seconds)), u64::MAX);
        assert_eq!(asked(3), Some(Duration::from_secs(3)));
        assert_eq!(asked(10), Some(Duration::from_secs(10)));
        assert_eq!(asked(11), None);
        // Asked for nothing, the jitter holds.
        assert!(asked(0).unwrap() > Duration::from_millis(249));
    }
}

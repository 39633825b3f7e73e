//! Calls and failures of the last while.

use std::time::{Duration, Instant};

const PARTS: usize = 10;

/// Counts in ten parts of the time that is looked back on; the oldest is forgotten at a time.
#[derive(Clone, Debug, Default)]
pub(super) struct Window {
    began: Option<Instant>,
    /// How many parts have passed since.
    part: u64,
    counts: [Counts; PARTS],
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub calls: u32,
    pub failures: u32,
}

impl Window {
    pub fn add(&mut self, failed: bool, length: Duration, now: Instant) {
        self.turn(length, now);
        let counts = &mut self.counts[(self.part % PARTS as u64) as usize];
        counts.calls = counts.calls.saturating_add(1);
        counts.failures = counts.failures.saturating_add(u32::from(failed));
    }

    pub fn sum(&self) -> Counts {
        self.counts
            .iter()
            .fold(Counts::default(), |sum, counts| Counts {
                calls: sum.calls.saturating_add(counts.calls),
                failures: sum.failures.saturating_add(counts.failures),
            })
    }

    /// Forgets what is too old by now.
    fn turn(&mut self, length: Duration, now: Instant) {
        let began = *self.began.get_or_insert(now);
        let length = u64::try_from(length.as_micros()).unwrap_or(u64::MAX);
        let part_length = (length / PARTS as u64).max(1);
        let since = now.saturating_duration_since(began).as_micros();
        let part = u64::try_from(since).unwrap_or(u64::MAX) / part_length;
        let passed = part.saturating_sub(self.part).min(PARTS as u64);
        for n in 1..=passed {
            self.counts[((self.part + n) % PARTS as u64) as usize] = Counts::default();
        }
        if passed == PARTS as u64 {
            self.counts = [Counts::default(); PARTS];
        }
        self.part = self.part.max(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_old_is_forgotten() {
        let length = Duration::from_secs(30);
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut window = Window::default();
        for second in 0..60 {
            window.add(second % 2 == 0, length, at(second));
            let Counts { calls, failures } = window.sum();
            assert!(calls <= 30 && u64::from(calls) >= 27.min(second + 1));
            assert!(failures.abs_diff(calls / 2) <= 2, "{failures} of {calls}");
        }
        window.add(true, length, at(1000));
        let one = Counts {
            calls: 1,
            failures: 1,
        };
        assert_eq!(window.sum(), one);
    }
}

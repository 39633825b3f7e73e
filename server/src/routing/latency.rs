//! How long a target takes to its first token.

use std::time::{Duration, Instant};

/// How fast what was measured loses its weight.
const DECAY: Duration = Duration::from_secs(10);
/// The latest of these are kept.
const SAMPLES: usize = 128;
/// Below that many a percentile says nothing.
const ENOUGH: usize = 20;
/// The percentile is taken again after so many.
const TAKEN_EVERY: u32 = 16;

/// The time to the first token, as a moving average that follows peaks at once and forgets them slowly
/// (<https://linkerd.io/2016/03/16/beyond-round-robin-load-balancing-for-latency/>), and its 95th percentile.
#[derive(Clone, Debug)]
pub(super) struct Latency {
    /// Microseconds, as of `at`.
    average: f64,
    at: Option<Instant>,
    /// Microseconds, in a ring.
    samples: Vec<u32>,
    next: usize,
    p95: Option<Duration>,
    until_taken: u32,
}

impl Default for Latency {
    fn default() -> Self {
        Self {
            average: 0.0,
            at: None,
            samples: Vec::new(),
            next: 0,
            p95: None,
            until_taken: ENOUGH as u32,
        }
    }
}

impl Latency {
    pub fn add(&mut self, first_token: Duration, now: Instant) {
        let micros = u32::try_from(first_token.as_micros()).unwrap_or(u32::MAX);
        let value = f64::from(micros);
        self.average = match self.at {
            Some(at) if value < self.average => {
                let weight = weight(now.saturating_duration_since(at));
                self.average * weight + value * (1.0 - weight)
            }
            _ => value,
        };
        self.at = Some(now);
        if self.samples.len() < SAMPLES {
            self.samples.push(micros);
        } else {
            self.samples[self.next] = micros;
            self.next = (self.next + 1) % SAMPLES;
        }
        self.until_taken -= 1;
        if self.until_taken == 0 {
            self.until_taken = TAKEN_EVERY;
            let mut samples = self.samples.clone();
            let at = samples.len() * 95 / 100;
            let (_, p95, _) = samples.select_nth_unstable(at);
            self.p95 = Some(Duration::from_micros((*p95).into()));
        }
    }

    /// The average, less with every second without a measurement: what was slow is tried again. `None`: unmeasured.
    pub fn average(&self, now: Instant) -> Option<Duration> {
        let at = self.at?;
        let micros = self.average * weight(now.saturating_duration_since(at));
        Some(Duration::from_micros(micros as u64))
    }

    /// Of 100 calls 95 were quicker. `None`: too few were measured.
    pub fn p95(&self) -> Option<Duration> {
        self.p95
    }
}

fn weight(age: Duration) -> f64 {
    (-age.as_secs_f64() / DECAY.as_secs_f64()).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn peaks_count_at_once_and_are_forgotten_slowly() {
        let start = Instant::now();
        let mut latency = Latency::default();
        assert_eq!(latency.average(start), None);
        latency.add(MS * 100, start);
        latency.add(MS * 900, start);
        assert_eq!(latency.average(start), Some(MS * 900));
        latency.add(MS * 100, start + DECAY);
        let average = latency.average(start + DECAY).unwrap();
        assert!(average > MS * 390 && average < MS * 400, "{average:?}");
        assert!(latency.average(start + DECAY * 10).unwrap() < MS);
    }

    #[test]
    fn the_percentile_needs_enough_calls() {
        let now = Instant::now();
        let mut latency = Latency::default();
        for n in 1..20 {
            latency.add(MS * n, now);
            assert_eq!(latency.p95(), None);
        }
        latency.add(MS * 20, now);
        assert_eq!(latency.p95(), Some(MS * 20));
        for n in 0..1000 {
            latency.add(MS * (n % 100), now);
        }
        let p95 = latency.p95().unwrap();
        assert!(p95 > MS * 90 && p95 < MS * 100, "{p95:?}");
    }
}

//! Everything that is summed up over some set of requests.

use std::collections::BTreeMap;

use shared::CostNanos;
use shared::analytics::{Percentiles, Totals, UsageFigures};

use super::{Histogram, varint};
use crate::recording::record::{CacheOutcome, Outcome, RequestRecord};

/// First byte of the encoded form; another one means a form that this gateway does not know.
const FORM: u8 = 1;
/// The same, and at the end what shadows there were.
const WITH_SHADOWS: u8 = 2;
/// The same, and at the end what the cache saved.
const WITH_SAVINGS: u8 = 3;
/// Longer names of error kinds are not ours.
const MAX_KIND_BYTES: u64 = 64;

/// Sums over some set of clients' requests, and apart from them their shadows. Merging is exact: any grouping gives the same.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    pub requests: u64,
    pub errors: u64,
    pub cancelled: u64,
    pub streamed: u64,
    pub cache_hits: u64,
    pub input_tokens: u64,
    pub cached_tokens: u64,
    pub cache_write_tokens: u64,
    pub output_tokens: u64,
    pub reasoning_tokens: u64,
    pub unpriced: u64,
    pub cost_nanos: i64,
    /// Failed requests by error kind.
    pub error_kinds: BTreeMap<Box<str>, u64>,
    /// Microseconds, all requests.
    pub latency: Histogram,
    /// Microseconds, streamed requests.
    pub time_to_first_token: Histogram,
    /// Copies of requests that were sent to another target, their replies dropped.
    pub shadows: u64,
    pub shadow_cost_nanos: i64,
    /// Of answers from the cache: what they had taken and cost when an upstream gave them.
    pub saved_tokens: u64,
    pub saved_nanos: i64,
}

impl Figures {
    /// Adds one request, or one shadow.
    pub fn add(&mut self, record: &RequestRecord) {
        if record.shadow_of.is_some() {
            self.shadows += 1;
            let cost = record.cost_nanos.unwrap_or(0);
            self.shadow_cost_nanos = self.shadow_cost_nanos.saturating_add(cost);
            return;
        }
        self.requests += 1;
        match record.outcome {
            Outcome::Finished => {}
            Outcome::Failed => {
                self.errors += 1;
                let kind = record.error_kind.map_or("unknown", |kind| kind.as_str());
                self.add_error_kind(kind, 1);
            }
            Outcome::Cancelled => self.cancelled += 1,
        }
        self.streamed += u64::from(record.stream);
        self.cache_hits += u64::from(record.cache == CacheOutcome::Hit);
        if let Some(usage) = &record.usage {
            let add = |sum: &mut u64, tokens| *sum = sum.saturating_add(tokens);
            add(&mut self.input_tokens, usage.input_tokens);
            add(&mut self.cached_tokens, usage.cached_tokens);
            add(&mut self.cache_write_tokens, usage.cache_write_tokens);
            add(&mut self.output_tokens, usage.output_tokens);
            add(&mut self.reasoning_tokens, usage.reasoning_tokens);
            let used = usage.input_tokens > 0 || usage.output_tokens > 0;
            self.unpriced += u64::from(used && record.cost_nanos.is_none());
        }
        self.cost_nanos = self
            .cost_nanos
            .saturating_add(record.cost_nanos.unwrap_or(0));
        self.add_savings(
            record.saved_tokens.unwrap_or(0),
            record.saved_nanos.unwrap_or(0),
        );
        self.latency.add(microseconds(record.latency_us));
        if let (true, Some(first_token_us)) = (record.stream, record.first_token_us) {
            self.time_to_first_token.add(microseconds(first_token_us));
        }
    }

    /// Adds all of `other`.
    pub fn merge(&mut self, other: &Self) {
        let mut theirs = other.counters();
        for (mine, theirs) in self.counters_mut().into_iter().zip(&mut theirs) {
            *mine = mine.saturating_add(*theirs);
        }
        self.cost_nanos = self.cost_nanos.saturating_add(other.cost_nanos);
        for (kind, count) in &other.error_kinds {
            self.add_error_kind(kind, *count);
        }
        self.latency.merge(&other.latency);
        self.time_to_first_token.merge(&other.time_to_first_token);
        self.add_shadows(other.shadows, other.shadow_cost_nanos);
        self.add_savings(other.saved_tokens, other.saved_nanos);
    }

    /// Forgets everything, keeping the memory.
    pub fn clear(&mut self) {
        for counter in self.counters_mut() {
            *counter = 0;
        }
        self.cost_nanos = 0;
        self.error_kinds.clear();
        self.latency.clear();
        self.time_to_first_token.clear();
        (self.shadows, self.shadow_cost_nanos) = (0, 0);
        (self.saved_tokens, self.saved_nanos) = (0, 0);
    }

    /// The compact form that rollups store.
    pub fn encode(&self) -> Vec<u8> {
        let has_savings = self.saved_tokens > 0 || self.saved_nanos != 0;
        let has_shadows = has_savings || self.shadows > 0;
        let mut out = vec![match (has_shadows, has_savings) {
            (_, true) => WITH_SAVINGS,
            (true, false) => WITH_SHADOWS,
            (false, false) => FORM,
        }];
        for counter in self.counters() {
            varint::push(&mut out, counter);
        }
        varint::push_signed(&mut out, self.cost_nanos);
        varint::push(&mut out, self.error_kinds.len() as u64);
        for (kind, count) in &self.error_kinds {
            varint::push(&mut out, kind.len() as u64);
            out.extend_from_slice(kind.as_bytes());
            varint::push(&mut out, *count);
        }
        self.latency.encode(&mut out);
        self.time_to_first_token.encode(&mut out);
        if has_shadows {
            varint::push(&mut out, self.shadows);
            varint::push_signed(&mut out, self.shadow_cost_nanos);
        }
        if has_savings {
            varint::push(&mut out, self.saved_tokens);
            varint::push_signed(&mut out, self.saved_nanos);
        }
        out
    }

    /// Adds what [`encode`](Self::encode) wrote; `None` when `bytes` are not such, and then `self`
    /// holds some part of it.
    pub fn decode_add(&mut self, bytes: &[u8]) -> Option<()> {
        let (form @ (FORM | WITH_SHADOWS | WITH_SAVINGS), mut rest) =
            bytes.split_first().map(|(form, rest)| (*form, rest))?
        else {
            return None;
        };
        let rest = &mut rest;
        for counter in self.counters_mut() {
            *counter = counter.saturating_add(varint::take(rest)?);
        }
        self.cost_nanos = self.cost_nanos.saturating_add(varint::take_signed(rest)?);
        for _ in 0..varint::take(rest)? {
            let length = varint::take(rest).filter(|length| *length <= MAX_KIND_BYTES)?;
            let (kind, after) = rest.split_at_checked(length as usize)?;
            *rest = after;
            let count = varint::take(rest)?;
            self.add_error_kind(std::str::from_utf8(kind).ok()?, count);
        }
        self.latency.decode_add(rest)?;
        self.time_to_first_token.decode_add(rest)?;
        if form != FORM {
            let shadows = varint::take(rest)?;
            self.add_shadows(shadows, varint::take_signed(rest)?);
        }
        if form == WITH_SAVINGS {
            let tokens = varint::take(rest)?;
            self.add_savings(tokens, varint::take_signed(rest)?);
        }
        rest.is_empty().then_some(())
    }

    /// As usage queries answer with them.
    pub fn usage(&self) -> UsageFigures {
        UsageFigures {
            requests: self.requests,
            errors: self.errors,
            cancelled: self.cancelled,
            streamed: self.streamed,
            cache_hits: self.cache_hits,
            input_tokens: self.input_tokens,
            cached_tokens: self.cached_tokens,
            cache_write_tokens: self.cache_write_tokens,
            output_tokens: self.output_tokens,
            reasoning_tokens: self.reasoning_tokens,
            cost_nanos: self.cost_nanos,
            unpriced: self.unpriced,
            saved_tokens: self.saved_tokens,
            saved_nanos: self.saved_nanos,
            latency: percentiles(&self.latency),
            time_to_first_token: percentiles(&self.time_to_first_token),
            shadows: self.shadows,
            shadow_cost_nanos: self.shadow_cost_nanos,
        }
    }

    /// As the dashboard shows them.
    pub fn totals(&self) -> Totals {
        Totals {
            requests: self.requests,
            errors: self.errors,
            cancelled: self.cancelled,
            streamed: self.streamed,
            cache_hits: self.cache_hits,
            input_tokens: self.input_tokens,
            cached_tokens: self.cached_tokens,
            cache_write_tokens: self.cache_write_tokens,
            output_tokens: self.output_tokens,
            reasoning_tokens: self.reasoning_tokens,
            cost: CostNanos(self.cost_nanos),
            unpriced: self.unpriced,
            latency: percentiles(&self.latency),
            time_to_first_token: percentiles(&self.time_to_first_token),
            shadows: self.shadows,
            shadow_cost: CostNanos(self.shadow_cost_nanos),
        }
    }

    fn add_shadows(&mut self, shadows: u64, cost_nanos: i64) {
        self.shadows = self.shadows.saturating_add(shadows);
        self.shadow_cost_nanos = self.shadow_cost_nanos.saturating_add(cost_nanos);
    }

    fn add_savings(&mut self, tokens: u64, nanos: i64) {
        self.saved_tokens = self.saved_tokens.saturating_add(tokens);
        self.saved_nanos = self.saved_nanos.saturating_add(nanos);
    }

    fn add_error_kind(&mut self, kind: &str, count: u64) {
        match self.error_kinds.get_mut(kind) {
            Some(sum) => *sum = sum.saturating_add(count),
            None => {
                self.error_kinds.insert(kind.into(), count);
            }
        }
    }

    /// In the order of the encoded form: a new one means a new form.
    fn counters(&self) -> [u64; 11] {
        [
            self.requests,
            self.errors,
            self.cancelled,
            self.streamed,
            self.cache_hits,
            self.input_tokens,
            self.cached_tokens,
            self.cache_write_tokens,
            self.output_tokens,
            self.reasoning_tokens,
            self.unpriced,
        ]
    }

    /// The same counters in the same order.
    fn counters_mut(&mut self) -> [&mut u64; 11] {
        [
            &mut self.requests,
            &mut self.errors,
            &mut self.cancelled,
            &mut self.streamed,
            &mut self.cache_hits,
            &mut self.input_tokens,
            &mut self.cached_tokens,
            &mut self.cache_write_tokens,
            &mut self.output_tokens,
            &mut self.reasoning_tokens,
            &mut self.unpriced,
        ]
    }
}

/// A clock that was set back makes a negative duration: it counts as none.
fn microseconds(duration: i64) -> u64 {
    u64::try_from(duration).unwrap_or(0)
}

fn percentiles(histogram: &Histogram) -> Percentiles {
    let ms = |p| histogram.percentile(p).map(|us| us / 1000.0);
    Percentiles {
        p50_ms: ms(0.50),
        p95_ms: ms(0.95),
        p99_ms: ms(0.99),
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::recording::samples::any_record;

    fn figures(records: &[RequestRecord]) -> Figures {
        let mut figures = Figures::default();
        for record in records {
            figures.add(record);
        }
        figures
    }

    proptest! {
        #[test]
        fn any_grouping_gives_the_same(a in vec(any_record(), 0..20), b in vec(any_record(), 0..20)) {
            let mut sum = figures(&a);
            sum.merge(&figures(&b));
            let all: Vec<_> = a.iter().chain(&b).cloned().collect();
            prop_assert_eq!(&sum, &figures(&all));

            let mut decoded = figures(&a);
            prop_assert_eq!(decoded.decode_add(&figures(&b).encode()), Some(()));
            prop_assert_eq!(decoded, sum);
        }

        #[test]
        fn decoding_never_panics(mut bytes in vec(any::<u8>(), 0..200)) {
            let _ = Figures::default().decode_add(&bytes);
            if let Some(form) = bytes.first_mut() {
                *form = FORM + *form % WITH_SAVINGS;
            }
            let _ = Figures::default().decode_add(&bytes);
        }

        #[test]
        fn a_prefix_is_refused(a in vec(any_record(), 1..5), cut: proptest::sample::Index) {
            let bytes = figures(&a).encode();
            let prefix = &bytes[..cut.index(bytes.len())];
            prop_assert_eq!(Figures::default().decode_add(prefix), None);
        }
    }
}

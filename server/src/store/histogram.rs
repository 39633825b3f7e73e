//! Distributions of durations that can be added up: a percentile over a month comes from the
//! histograms of its hours.

use super::varint;

/// Values below this have a bucket of their own; above, each doubling is cut into as many buckets.
/// Hence a bucket is at most 1/32 (3.1 %) as wide as its lower edge.
const STEPS: u64 = 32;
const STEP_BITS: u32 = STEPS.trailing_zeros();
/// Buckets that a `u64` can fall into.
const BUCKETS: usize = ((64 - STEP_BITS as usize) + 1) * STEPS as usize;

/// How many values fell into which logarithmic bucket.
///
/// Percentiles are within 3.2 % of the true ones. Merging is exact: associative and commutative.
#[derive(Clone, Debug, Default)]
pub struct Histogram {
    /// Index of `counts[0]`, a multiple of `STEPS`.
    first: usize,
    /// Only the part of the range that is in use.
    counts: Vec<u64>,
    total: u64,
}

impl Histogram {
    /// Adds one value.
    pub fn add(&mut self, value: u64) {
        self.add_count(bucket_of(value), 1);
    }

    /// How many values there are.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Adds all values of `other`.
    pub fn merge(&mut self, other: &Self) {
        if other.total == 0 {
            return;
        }
        self.reach(other.first);
        self.reach(other.first + other.counts.len() - 1);
        let offset = other.first - self.first;
        for (mine, theirs) in self.counts[offset..].iter_mut().zip(&other.counts) {
            *mine = mine.saturating_add(*theirs);
        }
        self.total = self.total.saturating_add(other.total);
    }

    /// The value below which the fraction `p` (0 to 1) of all values lie, interpolated within its
    /// bucket; `None` when there are no values.
    pub fn percentile(&self, p: f64) -> Option<f64> {
        if self.total == 0 {
            return None;
        }
        let rank = (p.clamp(0.0, 1.0) * self.total as f64).max(f64::MIN_POSITIVE);
        let mut below = 0.0;
        let mut last = 0.0;
        for (index, count) in self.filled() {
            let count = count as f64;
            let (low, width) = edges(index);
            if below + count >= rank {
                return Some(low + width * ((rank - below) / count));
            }
            below += count;
            last = low + width;
        }
        // Only where sums of huge counts lost precision.
        Some(last)
    }

    /// Forgets all values, keeping the memory.
    pub fn clear(&mut self) {
        self.counts.clear();
        self.total = 0;
    }

    /// Appends a compact form: how many buckets are filled, then of each its distance from the one
    /// before and its count.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        varint::push(out, self.filled().count() as u64);
        let mut next = 0;
        for (index, count) in self.filled() {
            varint::push(out, (index - next) as u64);
            varint::push(out, count);
            next = index + 1;
        }
    }

    /// Adds what [`encode`](Self::encode) wrote, and takes it from the front of `bytes`; `None`
    /// when it is not such.
    pub(super) fn decode_add(&mut self, bytes: &mut &[u8]) -> Option<()> {
        let filled = varint::take(bytes)?;
        let mut next = 0_usize;
        for _ in 0..filled {
            let gap = usize::try_from(varint::take(bytes)?).ok()?;
            let index = next.checked_add(gap).filter(|index| *index < BUCKETS)?;
            let count = varint::take(bytes)?;
            // Of many histograms that are added up, all but the first find their buckets there.
            match index
                .checked_sub(self.first)
                .and_then(|at| self.counts.get_mut(at))
            {
                Some(slot) => {
                    *slot = slot.saturating_add(count);
                    self.total = self.total.saturating_add(count);
                }
                None => self.add_count(index, count),
            }
            next = index + 1;
        }
        Some(())
    }

    fn add_count(&mut self, index: usize, count: u64) {
        if count == 0 {
            return;
        }
        self.reach(index);
        let slot = &mut self.counts[index - self.first];
        *slot = slot.saturating_add(count);
        self.total = self.total.saturating_add(count);
    }

    /// Makes `counts` cover `index`.
    fn reach(&mut self, index: usize) {
        let start = index - index % STEPS as usize;
        if self.counts.is_empty() {
            self.first = start;
        }
        if start < self.first {
            let missing = self.first - start;
            self.counts.splice(0..0, std::iter::repeat_n(0, missing));
            self.first = start;
        }
        if index >= self.first + self.counts.len() {
            self.counts.resize(start + STEPS as usize - self.first, 0);
        }
    }

    fn filled(&self) -> impl Iterator<Item = (usize, u64)> {
        self.counts
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0)
            .map(|(i, count)| (self.first + i, *count))
    }
}

/// Equal when they hold the same values, however much memory they have.
impl PartialEq for Histogram {
    fn eq(&self, other: &Self) -> bool {
        self.filled().eq(other.filled())
    }
}

fn bucket_of(value: u64) -> usize {
    if value < STEPS {
        return value as usize;
    }
    let doubling = value.ilog2() - STEP_BITS;
    // The leading bit and the five after it, 32 to 63.
    let step = value >> doubling;
    doubling as usize * STEPS as usize + step as usize
}

/// Lower edge and width of a bucket.
fn edges(index: usize) -> (f64, f64) {
    let steps = STEPS as usize;
    if index < steps {
        return (index as f64, 1.0);
    }
    let doubling = index / steps - 1;
    let step = index - doubling * steps;
    let width = (doubling as f64).exp2();
    (step as f64 * width, width)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn histogram(values: &[u64]) -> Histogram {
        let mut histogram = Histogram::default();
        for value in values {
            histogram.add(*value);
        }
        histogram
    }

    fn merged(a: &Histogram, b: &Histogram) -> Histogram {
        let mut sum = a.clone();
        sum.merge(b);
        sum
    }

    /// Durations as they come: spread over the orders of magnitude.
    fn values() -> impl Strategy<Value = Vec<u64>> {
        vec(
            (0_u32..64, any::<u64>()).prop_map(|(bits, v)| v >> bits),
            0..80,
        )
    }

    proptest! {
        #[test]
        fn merging_is_commutative_and_associative(a in values(), b in values(), c in values()) {
            let (ha, hb, hc) = (histogram(&a), histogram(&b), histogram(&c));
            prop_assert_eq!(merged(&ha, &hb), merged(&hb, &ha));
            prop_assert_eq!(merged(&merged(&ha, &hb), &hc), merged(&ha, &merged(&hb, &hc)));
            let all: Vec<u64> = a.iter().chain(&b).copied().collect();
            prop_assert_eq!(merged(&ha, &hb), histogram(&all));
        }

        #[test]
        fn percentiles_are_within_the_bound(mut a in values(), p in 0.0_f64..=1.0) {
            prop_assume!(!a.is_empty());
            let estimate = histogram(&a).percentile(p).unwrap();
            a.sort_unstable();
            let rank = ((p * a.len() as f64).ceil() as usize).clamp(1, a.len());
            let truth = a[rank - 1] as f64;
            // A bucket of one whole number is one wide.
            prop_assert!((estimate - truth).abs() <= truth * 0.032 + 1.0, "{estimate} for {truth}");
        }

        #[test]
        fn what_is_encoded_is_decoded(a in values(), b in values()) {
            let mut bytes = Vec::new();
            histogram(&a).encode(&mut bytes);
            let mut sum = histogram(&b);
            let mut rest = bytes.as_slice();
            prop_assert_eq!(sum.decode_add(&mut rest), Some(()));
            prop_assert!(rest.is_empty());
            prop_assert_eq!(sum, merged(&histogram(&a), &histogram(&b)));
        }

        #[test]
        fn decoding_never_panics(bytes in vec(any::<u8>(), 0..200)) {
            let _ = Histogram::default().decode_add(&mut bytes.as_slice());
        }
    }

    #[test]
    fn the_ends_of_the_range_have_buckets() {
        let ends = histogram(&[0, u64::MAX]);
        assert_eq!(ends.total(), 2);
        assert!(bucket_of(u64::MAX) < BUCKETS);
        assert_eq!(ends.percentile(1.0), Some(u64::MAX as f64));
    }

    #[test]
    fn a_uniform_spread_is_interpolated() {
        let spread = histogram(&(0..1 << 17).collect::<Vec<_>>());
        for (p, truth) in [(0.5, 65_536.0), (0.95, 124_518.0), (0.99, 129_761.0)] {
            let estimate = spread.percentile(p).unwrap();
            assert!((estimate - truth).abs() < 5.0, "{estimate} for {truth}");
        }
        assert_eq!(Histogram::default().percentile(0.5), None);
    }
}

//! Money as integers: billionths of a US dollar.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign};

use serde::{Deserialize, Serialize};

/// Billionths of a US dollar. Addition saturates, so a sum is never silently wrong in sign.
#[derive(
    Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq, PartialOrd, Ord, Hash,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct CostNanos(pub i64);

impl CostNanos {
    /// US dollars, for display and for charts only: never add these up.
    pub fn dollars(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

impl Add for CostNanos {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for CostNanos {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for CostNanos {
    fn sum<I: Iterator<Item = Self>>(costs: I) -> Self {
        costs.fold(Self::default(), Add::add)
    }
}

/// `$1,234.57`; below a dollar four significant digits at most (`$0.001234`), never `$0.00` for
/// something that cost.
impl fmt::Display for CostNanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let nanos = self.0.unsigned_abs();
        if nanos == 0 {
            return f.write_str("$0.00");
        }
        if nanos >= 1_000_000_000 {
            let cents = (nanos + 5_000_000) / 10_000_000;
            return write!(f, "{sign}${}.{:02}", grouped(cents / 100), cents % 100);
        }
        // Leading zeros of the fraction, then four significant digits, then no trailing zeros.
        let digits = format!("{nanos:09}");
        let zeros = digits.bytes().take_while(|b| *b == b'0').count();
        let kept = digits[..(zeros + 4).min(9)].trim_end_matches('0');
        write!(f, "{sign}$0.{kept:0<2}")
    }
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::CostNanos;

    #[test]
    fn shows_what_a_person_can_read() {
        for (nanos, shown) in [
            (0, "$0.00"),
            (1, "$0.000000001"),
            (1_234_567, "$0.001234"),
            (250_000_000, "$0.25"),
            (500_000_000, "$0.50"),
            (1_000_000_000, "$1.00"),
            (1_234_567_891_234, "$1,234.57"),
            (-2_000_000_000, "-$2.00"),
        ] {
            assert_eq!(CostNanos(nanos).to_string(), shown);
        }
    }

    #[test]
    fn sums_saturate() {
        let sum: CostNanos = [CostNanos(i64::MAX), CostNanos(1)].into_iter().sum();
        assert_eq!(sum, CostNanos(i64::MAX));
    }
}

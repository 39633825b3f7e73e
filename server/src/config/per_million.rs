//! Prices: US dollars per million tokens, as exact integers.

use super::dollars::{nanos, written};
use super::reading::{Form, Scalar};

/// Billionths of a US dollar per million tokens; written in the configuration as US dollars per million
/// tokens (`2.5`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Price {
    /// Billionths of a US dollar per million tokens.
    pub nanos_per_million: u64,
}

impl Scalar for Price {
    const EXPECTED: &'static str = "US dollars per million tokens such as 2.5";
    const FORM: Form = Form::Number;

    fn parse(text: &str) -> Result<Self, String> {
        nanos(text, Self::EXPECTED).map(|nanos_per_million| Self { nanos_per_million })
    }

    fn literal(&self) -> String {
        written(self.nanos_per_million)
    }
}

#[cfg(test)]
mod tests {
    use super::{Price, Scalar};

    #[test]
    fn is_exact() {
        for (text, nanos, written) in [
            ("0", 0, "0"),
            ("2.5", 2_500_000_000, "2.5"),
            ("2.50", 2_500_000_000, "2.5"),
            ("15", 15_000_000_000, "15"),
            ("0.1", 100_000_000, "0.1"),
            ("0.075", 75_000_000, "0.075"),
            ("0.000000001", 1, "0.000000001"),
            ("18446744073.709551615", u64::MAX, "18446744073.709551615"),
        ] {
            let price = Price::parse(text);
            assert_eq!(
                price.as_ref().map(|price| price.nanos_per_million),
                Ok(nanos),
                "{text}"
            );
            assert_eq!(
                price.map(|price| price.literal()),
                Ok(written.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn refuses_what_is_none() {
        for text in [
            "-1",
            "-0.5",
            "1e-3",
            "nan",
            "inf",
            ".5",
            "1.2.3",
            "$5",
            "0.0000000001",
            "18446744073.709551616",
        ] {
            assert!(Price::parse(text).is_err(), "{text}");
        }
    }
}

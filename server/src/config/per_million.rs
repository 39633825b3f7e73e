//! Prices: US dollars per million tokens, as exact integers.

use super::reading::{Form, Scalar};

/// Billionths of a US dollar per million tokens; written in the configuration as US dollars per million
/// tokens (`2.5`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Price {
    /// Billionths of a US dollar per million tokens.
    pub nanos_per_million: u64,
}

/// Decimals of a dollar that nanos can hold.
const DECIMALS: usize = 9;

impl Scalar for Price {
    const EXPECTED: &'static str = "US dollars per million tokens such as 2.5";
    const FORM: Form = Form::Number;

    /// Exactly: no floating point on the way.
    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected {}, found \"{text}\"", Self::EXPECTED);
        if text.starts_with('-') {
            return Err(format!("a price cannot be negative; found {text}"));
        }
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits_only = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !digits_only(whole) || !digits_only(fraction) {
            return Err(wrong());
        }
        let fraction = fraction.trim_end_matches('0');
        if fraction.len() > DECIMALS {
            return Err(format!("more than {DECIMALS} decimals; found {text}"));
        }
        format!("{whole}{fraction:0<DECIMALS$}")
            .parse()
            .map(|nanos_per_million| Self { nanos_per_million })
            .map_err(|_| format!("\"{text}\" is too large"))
    }

    fn literal(&self) -> String {
        let one = 10_u64.pow(9);
        let (whole, fraction) = (self.nanos_per_million / one, self.nanos_per_million % one);
        let fraction = format!("{fraction:09}");
        match fraction.trim_end_matches('0') {
            "" => whole.to_string(),
            fraction => format!("{whole}.{fraction}"),
        }
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

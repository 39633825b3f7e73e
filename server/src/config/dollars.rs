//! US dollars, as they are written and as exact integers: no floating point on the way.

use super::reading::{Form, Scalar};

/// Billionths of a US dollar; written in the configuration as US dollars (`0.04`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dollars {
    /// Billionths of a US dollar.
    pub nanos: u64,
}

/// Decimals of a dollar that nanos can hold.
const DECIMALS: usize = 9;

impl Scalar for Dollars {
    const EXPECTED: &'static str = "US dollars such as 0.04";
    const FORM: Form = Form::Number;

    fn parse(text: &str) -> Result<Self, String> {
        nanos(text, Self::EXPECTED).map(|nanos| Self { nanos })
    }

    fn literal(&self) -> String {
        written(self.nanos)
    }
}

/// Billionths of the dollars that `text` says, or what is wrong with it.
pub(super) fn nanos(text: &str, expected: &str) -> Result<u64, String> {
    if text.starts_with('-') {
        return Err(format!("a price cannot be negative; found {text}"));
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits_only = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits_only(whole) || !digits_only(fraction) {
        return Err(format!("expected {expected}, found \"{text}\""));
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > DECIMALS {
        return Err(format!("more than {DECIMALS} decimals; found {text}"));
    }
    format!("{whole}{fraction:0<DECIMALS$}")
        .parse()
        .map_err(|_| format!("\"{text}\" is too large"))
}

/// The dollars that so many billionths are.
pub(super) fn written(nanos: u64) -> String {
    let one = 10_u64.pow(9);
    let (whole, fraction) = (nanos / one, nanos % one);
    let fraction = format!("{fraction:09}");
    match fraction.trim_end_matches('0') {
        "" => whole.to_string(),
        fraction => format!("{whole}.{fraction}"),
    }
}

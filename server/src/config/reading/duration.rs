//! Durations: `"100ms"`, `"30s"`, `"1m30s"`, `"12h"`, `"90d"`.

use std::time::Duration;

use super::scalar::{Form, Scalar, quoted};

const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Ten years: beyond, a slip of the pen.
const LONGEST_MS: u64 = 10 * 365 * 86_400_000;

impl Scalar for Duration {
    const EXPECTED: &'static str = "a duration such as \"100ms\", \"30s\", \"1m30s\" or \"12h\"";
    const FORM: Form = Form::Number;

    fn parse(text: &str) -> Result<Self, String> {
        if text == "0" {
            return Ok(Self::ZERO);
        }
        if text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(format!(
                "{text} has no unit; write \"{text}s\" or \"{text}ms\""
            ));
        }
        let wrong = || format!("expected {}, found \"{text}\"", Self::EXPECTED);
        let mut total = 0_u64;
        let mut rest = text;
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (number, after) = rest.split_at(digits);
            let letters = after.bytes().take_while(|b| !b.is_ascii_digit()).count();
            let (unit, next) = after.split_at(letters);
            let unit_ms = UNITS.iter().find(|(name, _)| *name == unit);
            let (_, unit_ms) = unit_ms.ok_or_else(wrong)?;
            let number: u64 = number.parse().map_err(|_| wrong())?;
            total = number
                .checked_mul(*unit_ms)
                .and_then(|ms| ms.checked_add(total))
                .filter(|ms| *ms <= LONGEST_MS)
                .ok_or_else(|| format!("\"{text}\" is more than ten years"))?;
            rest = next;
        }
        Ok(Self::from_millis(total))
    }

    /// In the largest unit that is exact.
    fn literal(&self) -> String {
        let ms = u64::try_from(self.as_millis()).unwrap_or(u64::MAX);
        if ms == 0 {
            return quoted("0s");
        }
        let exact = UNITS.iter().find(|(_, unit)| ms.is_multiple_of(*unit));
        let (name, unit) = exact.expect("every number of milliseconds is a multiple of one");
        quoted(&format!("{}{name}", ms / unit))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Scalar;

    #[test]
    fn reads_and_writes() {
        for (text, ms, written) in [
            ("0", 0, "\"0s\""),
            ("0s", 0, "\"0s\""),
            ("100ms", 100, "\"100ms\""),
            ("30s", 30_000, "\"30s\""),
            ("90s", 90_000, "\"90s\""),
            ("1m30s", 90_000, "\"90s\""),
            ("120s", 120_000, "\"2m\""),
            ("12h", 43_200_000, "\"12h\""),
            ("24h", 86_400_000, "\"1d\""),
        ] {
            let duration = Duration::parse(text);
            assert_eq!(duration, Ok(Duration::from_millis(ms)), "{text}");
            assert_eq!(
                duration.map(|d| d.literal()),
                Ok(written.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn refuses_what_is_none() {
        for text in [
            "30",
            "s",
            "30x",
            "-1s",
            "1.5s",
            "30 s",
            "s30",
            "ü",
            "99999999999999999999d",
            "4000d",
        ] {
            assert!(Duration::parse(text).is_err(), "{text}");
        }
        assert_eq!(
            Duration::parse("30"),
            Err("30 has no unit; write \"30s\" or \"30ms\"".to_owned())
        );
    }
}

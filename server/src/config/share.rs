//! A part of a whole: `0.05` is every twentieth.

use super::reading::{Form, Scalar};

/// From nothing (0) to all (1), exactly as it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share {
    millionths: u32,
}

const WHOLE: u32 = 1_000_000;
const DECIMALS: usize = 6;

impl Share {
    /// All of it.
    pub const ALL: Self = Self { millionths: WHOLE };

    /// That many of a hundred; all of it for more.
    pub const fn percent(percent: u32) -> Self {
        let millionths = percent.saturating_mul(WHOLE / 100);
        Self {
            millionths: if millionths > WHOLE {
                WHOLE
            } else {
                millionths
            },
        }
    }

    /// From 0 to 1,000,000.
    pub const fn millionths(self) -> u32 {
        self.millionths
    }

    /// From 0.0 to 1.0.
    pub fn as_f64(self) -> f64 {
        f64::from(self.millionths) / f64::from(WHOLE)
    }
}

impl Scalar for Share {
    const EXPECTED: &'static str = "a share from 0 to 1 such as 0.2";
    const FORM: Form = Form::Number;

    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected {}, found \"{text}\"", Self::EXPECTED);
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits_only = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !digits_only(whole) || !digits_only(fraction) {
            return Err(wrong());
        }
        let fraction = fraction.trim_end_matches('0');
        if fraction.len() > DECIMALS {
            return Err(format!("more than {DECIMALS} decimals; found {text}"));
        }
        let millionths: u32 = format!("{whole}{fraction:0<DECIMALS$}")
            .parse()
            .map_err(|_| wrong())?;
        if millionths > WHOLE {
            return Err(wrong());
        }
        Ok(Self { millionths })
    }

    fn literal(&self) -> String {
        let (whole, fraction) = (self.millionths / WHOLE, self.millionths % WHOLE);
        let fraction = format!("{fraction:06}");
        match fraction.trim_end_matches('0') {
            "" => whole.to_string(),
            fraction => format!("{whole}.{fraction}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Scalar, Share};

    #[test]
    fn reads_and_writes() {
        for (text, millionths, written) in [
            ("0", 0, "0"),
            ("0.2", 200_000, "0.2"),
            ("0.050", 50_000, "0.05"),
            ("1", 1_000_000, "1"),
            ("1.0", 1_000_000, "1"),
        ] {
            let share = Share::parse(text).unwrap();
            assert_eq!(share.millionths(), millionths, "{text}");
            assert_eq!(share.literal(), written);
        }
        for text in ["1.1", "20", "-0.1", ".5", "5%", "0.0000001", "99999999999"] {
            assert!(Share::parse(text).is_err(), "{text}");
        }
        assert_eq!(Share::percent(5), Share::parse("0.05").unwrap());
    }
}

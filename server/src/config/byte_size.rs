//! Sizes: `"32MiB"`.

use super::reading::{Form, Scalar, quoted};

/// A number of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

impl ByteSize {
    /// `count` × 1,048,576 bytes.
    pub const fn mebibytes(count: u64) -> Self {
        Self(count << 20)
    }

    /// As a length in memory; what does not fit is the largest one.
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// Longest unit first, so that `literal` finds the shortest text.
const UNITS: [(&str, u64); 7] = [
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("KB", 1_000),
    ("B", 1),
];

impl Scalar for ByteSize {
    const EXPECTED: &'static str = "a size such as \"32MiB\", \"500KB\" or a number of bytes";
    const FORM: Form = Form::Number;

    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected {}, found \"{text}\"", Self::EXPECTED);
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let unit = unit.trim_start();
        let bytes = match UNITS
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(unit))
        {
            Some((_, bytes)) => *bytes,
            None if unit.is_empty() => 1,
            None => return Err(wrong()),
        };
        // The database counts in signed integers.
        let size = number
            .checked_mul(bytes)
            .filter(|size| i64::try_from(*size).is_ok());
        size.map(Self)
            .ok_or_else(|| format!("\"{text}\" is too large"))
    }

    fn literal(&self) -> String {
        let exact = UNITS
            .iter()
            .find(|(_, bytes)| self.0 != 0 && self.0.is_multiple_of(*bytes));
        match exact {
            Some((unit, bytes)) => quoted(&format!("{}{unit}", self.0 / bytes)),
            None => "0".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ByteSize, Scalar};

    #[test]
    fn reads_and_writes() {
        for (text, bytes, written) in [
            ("0", 0, "0"),
            ("1", 1, "\"1B\""),
            ("1536", 1536, "\"1536B\""),
            ("32MiB", 33_554_432, "\"32MiB\""),
            ("32 mib", 33_554_432, "\"32MiB\""),
            ("2048KiB", 2_097_152, "\"2MiB\""),
            ("10MB", 10_000_000, "\"10MB\""),
        ] {
            let size = ByteSize::parse(text);
            assert_eq!(size, Ok(ByteSize(bytes)), "{text}");
            assert_eq!(
                size.map(|size| size.literal()),
                Ok(written.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn refuses_what_is_none() {
        for text in [
            "MiB",
            "-1",
            "1.5MB",
            "12 apples",
            "99999999999999999999",
            "9999999999GiB",
        ] {
            assert!(ByteSize::parse(text).is_err(), "{text}");
        }
    }
}

//! `"22:00"` on the clock of `"+01:00"`.

use super::reading::{Form, Scalar, quoted};

/// Minutes since midnight, up to 24 hours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay {
    pub minutes: u16,
}

/// How far a clock is ahead of UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UtcOffset {
    pub minutes: i16,
}

const DAY: u16 = 24 * 60;

impl Scalar for TimeOfDay {
    const EXPECTED: &'static str = "a time of the day such as \"22:00\"";
    const FORM: Form = Form::Text;

    fn parse(text: &str) -> Result<Self, String> {
        let minutes = minutes(text).filter(|minutes| *minutes <= DAY);
        let minutes =
            minutes.ok_or_else(|| format!("expected {}, found \"{text}\"", Self::EXPECTED))?;
        Ok(Self { minutes })
    }

    fn literal(&self) -> String {
        quoted(&written(self.minutes))
    }
}

impl Scalar for UtcOffset {
    const EXPECTED: &'static str = "an offset from UTC such as \"+01:00\"";
    const FORM: Form = Form::Text;

    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected {}, found \"{text}\"", Self::EXPECTED);
        if text == "Z" {
            return Ok(Self::default());
        }
        let (sign, rest) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text.strip_prefix('+').ok_or_else(wrong)?),
        };
        // No place on earth is further from UTC.
        let minutes = minutes(rest).filter(|minutes| *minutes <= 14 * 60);
        let minutes = minutes.and_then(|minutes| i16::try_from(minutes).ok());
        Ok(Self {
            minutes: sign * minutes.ok_or_else(wrong)?,
        })
    }

    fn literal(&self) -> String {
        let sign = if self.minutes < 0 { '-' } else { '+' };
        quoted(&format!("{sign}{}", written(self.minutes.unsigned_abs())))
    }
}

fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |part: &str, digits: std::ops::RangeInclusive<usize>| {
        let plain = digits.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        if plain {
            part.parse::<u16>().ok()
        } else {
            None
        }
    };
    let (hours, minutes) = (number(hours, 1..=2)?, number(minutes, 2..=2)?);
    (minutes < 60).then_some(hours * 60 + minutes)
}

fn written(minutes: u16) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::{Scalar, TimeOfDay, UtcOffset};

    #[test]
    fn reads_and_writes() {
        for (text, minutes, written) in [
            ("00:00", 0, "\"00:00\""),
            ("6:30", 390, "\"06:30\""),
            ("22:00", 1320, "\"22:00\""),
            ("24:00", 1440, "\"24:00\""),
        ] {
            let time = TimeOfDay::parse(text).unwrap();
            assert_eq!((time.minutes, time.literal().as_str()), (minutes, written));
        }
        for (text, minutes, written) in [
            ("Z", 0, "\"+00:00\""),
            ("+01:00", 60, "\"+01:00\""),
            ("-03:30", -210, "\"-03:30\""),
        ] {
            let offset = UtcOffset::parse(text).unwrap();
            assert_eq!(
                (offset.minutes, offset.literal().as_str()),
                (minutes, written)
            );
        }
    }

    #[test]
    fn refuses_what_is_none() {
        for text in [
            "", "22", "22:60", "24:01", "-1:00", "22:0", "222:00", "ü:00",
        ] {
            assert!(TimeOfDay::parse(text).is_err(), "{text}");
        }
        for text in ["", "01:00", "+15:00", "+1", "CET"] {
            assert!(UtcOffset::parse(text).is_err(), "{text}");
        }
    }
}

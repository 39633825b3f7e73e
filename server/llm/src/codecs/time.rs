//! When a reply was made: <https://www.rfc-editor.org/rfc/rfc3339>

/// Seconds since 1970 of `2023-12-12T14:13:43.416799Z`; fractions are left out.
pub(super) fn seconds(written: &str) -> Option<i64> {
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = written.get(from..to)?;
        let all = digits.bytes().all(|byte| byte.is_ascii_digit());
        all.then(|| digits.parse().ok())?
    };
    let mark = |at: usize, marks: &[u8]| Some(marks.contains(written.as_bytes().get(at)?));
    let separated =
        mark(4, b"-")? && mark(7, b"-")? && mark(10, b"Tt ")? && mark(13, b":")? && mark(16, b":")?;
    if !separated {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let clock = number(11, 13)? * 3600 + number(14, 16)? * 60 + number(17, 19)?;
    let zone = written[19..].trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let offset = match zone.as_bytes() {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), ..] => {
            let at = written.len() - zone.len();
            let minutes = number(at + 1, at + 3)? * 60 + number(at + 4, at + 6)?;
            if *sign == b'+' {
                minutes * 60
            } else {
                -minutes * 60
            }
        }
        _ => return None,
    };
    Some(days(year, month, day) * 86_400 + clock - offset)
}

/// Days since 1970 in the Gregorian calendar. Years begin in March, so that a leap day is the last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let in_year = (153 * month + 2) / 5 + day - 1;
    let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    365 * year + leaps + in_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        for (written, expected) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2023-12-12T14:13:43.416799Z", 1_702_390_423),
            ("2024-02-29T23:59:59.9+01:00", 1_709_247_599),
            ("2000-03-01T00:00:00-00:30", 951_870_600),
        ] {
            assert_eq!(seconds(written), Some(expected), "{written}");
        }
        for odd in [
            "",
            "2023-12-12",
            "2023-12-12T14:13:43",
            "2023-13-12T14:13:43Z",
            "ää-ö",
            "2023-12-12T14:13:43é",
        ] {
            assert_eq!(seconds(odd), None, "{odd}");
        }
    }
}

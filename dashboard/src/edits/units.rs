//! Times, sizes and money as people write them.

use shared::CostNanos;

const TIMES: [(&str, u64); 4] = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];
const SIZES: [(&str, u64); 4] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

/// `90`, `30s`, `5m`, `1h`, `7d`; also their sum: `1h30m`.
pub fn parse_seconds(text: &str) -> Option<u64> {
    let text: String = text
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .collect();
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    let mut rest = text.as_str();
    let mut sum = 0_u64;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit())?;
        let (number, unit) = rest.split_at(digits);
        let end = unit
            .find(|letter: char| letter.is_ascii_digit())
            .unwrap_or(unit.len());
        let factor = match &unit[..end] {
            "d" | "day" | "days" => 86_400,
            "h" | "hour" | "hours" => 3_600,
            "m" | "min" | "minute" | "minutes" => 60,
            "s" | "sec" | "second" | "seconds" => 1,
            _ => return None,
        };
        sum = sum.checked_add(number.parse::<u64>().ok()?.checked_mul(factor)?)?;
        rest = &unit[end..];
    }
    Some(sum)
}

/// In the largest unit in which it is whole: `90s`, `5m`.
pub fn seconds(seconds: u64) -> String {
    whole(seconds, &TIMES, "")
}

/// `4096`, `512 KiB`, `64MiB`, `1 GB`.
pub fn parse_bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" | "bytes" => 1,
        "k" | "kib" => 1 << 10,
        "kb" => 1_000,
        "m" | "mib" => 1 << 20,
        "mb" => 1_000_000,
        "g" | "gib" => 1 << 30,
        "gb" => 1_000_000_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// In the largest unit in which it is whole: `64 MiB`.
pub fn bytes(bytes: u64) -> String {
    whole(bytes, &SIZES, " ")
}

/// About how many bytes: `3.4 MiB`.
pub fn about(bytes: u64) -> String {
    let (unit, factor) = SIZES
        .into_iter()
        .find(|(_, factor)| bytes >= *factor)
        .unwrap_or(("B", 1));
    if factor == 1 {
        return format!("{bytes} B");
    }
    let text = format!("{:.1}", bytes as f64 / factor as f64);
    format!("{} {unit}", text.trim_end_matches(".0"))
}

fn whole(value: u64, units: &[(&str, u64)], gap: &str) -> String {
    let (unit, factor) = units
        .iter()
        .find(|(_, factor)| value > 0 && value.is_multiple_of(*factor))
        .or(units.last())
        .expect("there are units");
    format!("{}{gap}{unit}", value / factor)
}

/// US dollars with up to nine decimals, exactly: `12.50`, `$1,000`.
pub fn parse_dollars(text: &str) -> Option<CostNanos> {
    let text = text
        .trim()
        .trim_start_matches('$')
        .replace([',', '_', ' '], "");
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if part.len() > 9 || !digits(whole) || !digits(part) || (whole.is_empty() && part.is_empty()) {
        return None;
    }
    let whole: i64 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let part: i64 = format!("{part:0<9}").parse().ok()?;
    Some(CostNanos(
        whole.checked_mul(1_000_000_000)?.checked_add(part)?,
    ))
}

/// The same for a field: exactly, with two decimals at least.
pub fn dollars(cost: CostNanos) -> String {
    let nanos = cost.0.unsigned_abs();
    let sign = if cost.0 < 0 { "-" } else { "" };
    let part = format!("{:09}", nanos % 1_000_000_000);
    let part = part.trim_end_matches('0');
    format!("{sign}{}.{part:0<2}", nanos / 1_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_written() {
        for (text, value) in [
            ("60", 60),
            ("30s", 30),
            ("5m", 300),
            ("1h30m", 5_400),
            ("1 h", 3_600),
            ("7 days", 604_800),
        ] {
            assert_eq!(parse_seconds(text), Some(value), "{text}");
        }
        for text in [
            "",
            "m",
            "5x",
            "-5",
            "1.5h",
            "99999999999999999999",
            "300000000000000000d",
        ] {
            assert_ne!(parse_seconds(text), Some(5), "{text}");
            assert!(text.is_empty() || parse_seconds(text).is_none(), "{text}");
        }
        assert_eq!(seconds(60), "1m");
        assert_eq!(seconds(90), "90s");
        assert_eq!(seconds(0), "0s");
        assert_eq!(seconds(172_800), "2d");
    }

    #[test]
    fn sizes_are_read_and_written() {
        for (text, value) in [("4096", 4096), ("64 MiB", 64 << 20), ("1GB", 1_000_000_000)] {
            assert_eq!(parse_bytes(text), Some(value), "{text}");
        }
        assert_eq!(parse_bytes("64 apples"), None);
        assert_eq!(bytes(64 << 20), "64 MiB");
        assert_eq!(bytes(1_000), "1000 B");
        assert_eq!(about(3_565_158), "3.4 MiB");
        assert_eq!(about(12), "12 B");
    }

    #[test]
    fn money_is_exact() {
        for (text, nanos) in [
            ("12.50", 12_500_000_000),
            ("$1,000", 1_000_000_000_000),
            (".000000001", 1),
            ("0", 0),
        ] {
            assert_eq!(parse_dollars(text), Some(CostNanos(nanos)), "{text}");
        }
        for text in ["", ".", "1.0000000001", "-3", "1e3", "five"] {
            assert_eq!(parse_dollars(text), None, "{text}");
        }
        assert_eq!(dollars(CostNanos(12_500_000_000)), "12.50");
        assert_eq!(dollars(CostNanos(1)), "0.000000001");
        assert_eq!(dollars(CostNanos(3_000_000_000)), "3.00");
    }
}

//! Figures as text. What was not measured is a dash, never a zero.

use chrono::{DateTime, Utc};
use shared::CostNanos;

/// Stands where nothing was measured.
pub const NONE: &str = "—";

/// A count in at most four characters and a unit: `0`, `999`, `12.3k`, `4.56M`.
pub fn compact(count: u64) -> String {
    let value = count as f64;
    // Rounding must not reach the next unit: 999,999 is 1M, not 1000k.
    let (divisor, unit) = match count {
        0..=999 => return count.to_string(),
        1_000..=999_499 => (1e3, "k"),
        999_500..=999_499_999 => (1e6, "M"),
        _ => (1e9, "B"),
    };
    format!("{}{unit}", three_digits(value / divisor))
}

/// A count with thousands separated: `12,345`.
pub fn exact(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count of things: `1 request`, `12,345 requests`.
pub fn counted(count: u64, one: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {one}{plural}", exact(count))
}

/// A duration in milliseconds, as a person reads it: `0.42 ms`, `87 ms`, `1.24 s`, `2 min 5 s`.
pub fn duration_ms(ms: f64) -> String {
    if ms < 999.5 {
        format!("{} ms", three_digits(ms))
    } else if ms < 99_950.0 {
        format!("{} s", three_digits(ms / 1e3))
    } else {
        let seconds = (ms / 1e3).round() as u64;
        format!("{} min {} s", seconds / 60, seconds % 60)
    }
}

/// As [`duration_ms`], or a dash.
pub fn measured_ms(ms: Option<f64>) -> String {
    ms.map_or_else(|| NONE.to_owned(), duration_ms)
}

/// The share `part` has in `whole`: `0%`, `0.02%`, `<0.01%`, `12.5%`, `100%`; a dash of nothing.
pub fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return NONE.to_owned();
    }
    let share = part as f64 * 100.0 / whole as f64;
    match part {
        0 => "0%".to_owned(),
        _ if share < 0.01 => "<0.01%".to_owned(),
        _ if part < whole && share > 99.9 => ">99.9%".to_owned(),
        _ => format!("{}%", three_digits(share)),
    }
}

/// US dollars on a tile: whole cents from a cent on, else what [`CostNanos`] says.
pub fn cost(cost: CostNanos) -> String {
    let nanos = cost.0;
    if (10_000_000..1_000_000_000).contains(&nanos) {
        let cents = (nanos + 5_000_000) / 10_000_000;
        return format!("${}.{:02}", cents / 100, cents % 100);
    }
    cost.to_string()
}

/// The time of day, UTC: `14:05:09`.
pub fn clock(time: DateTime<Utc>) -> String {
    time.format("%H:%M:%S").to_string()
}

/// The start of a bucket, UTC: with the day unless all of the chart lies within one.
pub fn bucket_start(time: DateTime<Utc>, with_day: bool) -> String {
    let pattern = if with_day { "%b %-d, %H:%M" } else { "%H:%M" };
    time.format(pattern).to_string()
}

/// How long ago, in the largest unit that fits: `3 d 4 h`, `2 h 5 min`, `12 min`, `8 s`.
pub fn elapsed(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, m) => format!("{m} min"),
        (0, h, m) => format!("{h} h {m} min"),
        (d, h, _) => format!("{d} d {h} h"),
    }
}

/// Three significant digits, without trailing zeros after the point.
fn three_digits(value: f64) -> String {
    let decimals = match value {
        v if v >= 99.95 => 0,
        v if v >= 9.995 => 1,
        _ => 2,
    };
    let text = format!("{value:.decimals$}");
    match text.split_once('.') {
        Some(_) => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_short_and_never_overflow_their_unit() {
        for (count, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1k"),
            (12_345, "12.3k"),
            (999_499, "999k"),
            (999_500, "1M"),
            (4_560_000, "4.56M"),
            (999_999_999, "1B"),
        ] {
            assert_eq!(compact(count), text, "{count}");
        }
        assert_eq!(exact(1_234_567), "1,234,567");
    }

    #[test]
    fn durations_change_their_unit() {
        for (ms, text) in [
            (0.42, "0.42 ms"),
            (87.0, "87 ms"),
            (87.26, "87.3 ms"),
            (999.6, "1 s"),
            (1_240.0, "1.24 s"),
            (125_000.0, "2 min 5 s"),
        ] {
            assert_eq!(duration_ms(ms), text, "{ms}");
        }
        assert_eq!(measured_ms(None), NONE);
    }

    #[test]
    fn shares_are_honest_at_both_ends() {
        for (part, whole, text) in [
            (0, 0, NONE),
            (0, 5, "0%"),
            (1, 1_000_000, "<0.01%"),
            (1, 8, "12.5%"),
            (99_999, 100_000, ">99.9%"),
            (3, 3, "100%"),
        ] {
            assert_eq!(percent(part, whole), text, "{part}/{whole}");
        }
    }

    #[test]
    fn small_costs_are_not_rounded_away() {
        for (nanos, text) in [
            (0, "$0.00"),
            (1_234_567, "$0.001234"),
            (123_456_789, "$0.12"),
            (12_345_678_901, "$12.35"),
        ] {
            assert_eq!(cost(CostNanos(nanos)), text);
        }
    }

    #[test]
    fn ages_have_two_units_at_most() {
        for (seconds, text) in [
            (-5, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (7_500, "2 h 5 min"),
            (273_600, "3 d 4 h"),
        ] {
            assert_eq!(elapsed(seconds), text);
        }
    }
}

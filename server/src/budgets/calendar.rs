//! When periods begin and end, by the operator's clock.

use std::sync::Arc;

use arc_swap::ArcSwap;
use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use shared::policies::Period;

use super::account::PERIODS;

/// The operator's clock, and the periods of just now.
#[derive(Debug)]
pub struct Calendar {
    zone: Tz,
    now: ArcSwap<[Span; 4]>,
}

impl Default for Calendar {
    fn default() -> Self {
        Self::new(Tz::UTC)
    }
}

impl Calendar {
    pub fn new(zone: Tz) -> Self {
        Self {
            zone,
            now: ArcSwap::from_pointee(Self::spans(zone, Utc::now())),
        }
    }

    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// The period of this kind that holds the moment.
    pub fn span(&self, period: Period, now: DateTime<Utc>) -> Span {
        let place = PERIODS.iter().position(|(one, _)| *one == period);
        let place = place.unwrap_or_default();
        let known = self.now.load()[place];
        if known.holds(now) {
            return known;
        }
        let spans = Self::spans(self.zone, now);
        self.now.store(Arc::new(spans));
        spans[place]
    }

    fn spans(zone: Tz, now: DateTime<Utc>) -> [Span; 4] {
        PERIODS.map(|(period, _)| Span::of(period, zone, now))
    }
}

/// One day, week or month, or all time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its first day; `None`: it has always been.
    pub first_day: Option<NaiveDate>,
    pub begins: Option<DateTime<Utc>>,
    /// When the next one begins; `None`: never.
    pub ends: Option<DateTime<Utc>>,
}

impl Span {
    /// The one of this kind that holds the moment.
    pub fn of(period: Period, zone: Tz, now: DateTime<Utc>) -> Self {
        let today = now.with_timezone(&zone).date_naive();
        let (first, next) = match period {
            Period::Day => (Some(today), today.checked_add_days(Days::new(1))),
            Period::Week => {
                let into = u64::from(today.weekday().num_days_from_monday());
                let monday = today.checked_sub_days(Days::new(into));
                (
                    monday,
                    monday.and_then(|day| day.checked_add_days(Days::new(7))),
                )
            }
            Period::Month => {
                let first = today.with_day(1);
                (
                    first,
                    first.and_then(|day| day.checked_add_months(Months::new(1))),
                )
            }
            Period::Total => (None, None),
        };
        Self {
            first_day: first,
            begins: first.map(|day| midnight(day, zone)),
            ends: next.map(|day| midnight(day, zone)),
        }
    }

    pub fn holds(&self, now: DateTime<Utc>) -> bool {
        self.begins.is_none_or(|begins| begins <= now) && self.ends.is_none_or(|ends| now < ends)
    }
}

/// When a day begins. Where clocks are put forward at midnight that is later, and where they are put back the first time.
fn midnight(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let midnight = day.and_time(NaiveTime::MIN);
    // No clock is ever put forward by more than a day: one zone left out a whole one.
    (0..=48)
        .find_map(|halves| {
            let at = midnight + TimeDelta::minutes(30 * halves);
            zone.from_local_datetime(&at).earliest()
        })
        .map_or_else(|| midnight.and_utc(), |at| at.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn span(period: Period, zone: Tz, now: &str) -> (String, String) {
        let span = Span::of(period, zone, at(now));
        assert!(span.holds(at(now)));
        let (begins, ends) = (span.begins.unwrap(), span.ends.unwrap());
        assert!(span.holds(begins) && !span.holds(ends));
        assert!(!span.holds(begins - TimeDelta::nanoseconds(1)));
        // Without gaps: the next one begins there.
        assert_eq!(Span::of(period, zone, ends).begins, Some(ends));
        (begins.to_rfc3339(), ends.to_rfc3339())
    }

    #[test]
    fn periods_are_those_of_the_operators_clock() {
        let berlin = Tz::Europe__Berlin;
        for (period, zone, now, begins, ends) in [
            (
                Period::Day,
                Tz::UTC,
                "2026-11-21T23:59:59Z",
                "2026-11-21T00",
                "2026-11-22T00",
            ),
            (
                Period::Day,
                berlin,
                "2026-11-21T23:00:00Z",
                "2026-11-21T23",
                "2026-11-22T23",
            ),
            // 23 and 25 hours.
            (
                Period::Day,
                berlin,
                "2026-03-29T12:00:00Z",
                "2026-03-28T23",
                "2026-03-29T22",
            ),
            (
                Period::Day,
                berlin,
                "2026-10-25T12:00:00Z",
                "2026-10-24T22",
                "2026-10-25T23",
            ),
            (
                Period::Week,
                berlin,
                "2026-03-29T12:00:00Z",
                "2026-03-22T23",
                "2026-03-29T22",
            ),
            (
                Period::Month,
                berlin,
                "2026-03-31T22:00:00Z",
                "2026-03-31T22",
                "2026-04-30T22",
            ),
            (
                Period::Month,
                Tz::UTC,
                "2024-02-29T12:00:00Z",
                "2024-02-01T00",
                "2024-03-01T00",
            ),
            // Midnight does not exist there on that day.
            (
                Period::Day,
                Tz::Africa__Cairo,
                "2026-04-24T12:00:00Z",
                "2026-04-23T22",
                "2026-04-24T21",
            ),
            // It comes twice.
            (
                Period::Day,
                Tz::America__Havana,
                "2026-11-01T12:00:00Z",
                "2026-11-01T04",
                "2026-11-02T05",
            ),
            // A whole day was left out.
            (
                Period::Day,
                Tz::Pacific__Apia,
                "2011-12-30T09:00:00Z",
                "2011-12-29T10",
                "2011-12-30T10",
            ),
        ] {
            let found = span(period, zone, now);
            let hours = |text: &str| format!("{text}:00:00+00:00");
            assert_eq!(
                found,
                (hours(begins), hours(ends)),
                "{period:?} {zone} {now}"
            );
        }
    }

    #[test]
    fn a_total_never_ends() {
        let span = Span::of(Period::Total, Tz::UTC, at("2026-11-21T00:00:00Z"));
        assert_eq!((span.first_day, span.ends), (None, None));
        assert!(span.holds(at("1971-01-01T00:00:00Z")));
    }
}

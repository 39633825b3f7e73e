//! Whether a rule's conditions hold for a request.

use chrono::{DateTime, Datelike, Timelike, Utc, Weekday};

use super::wish::Wish;
use crate::config::{Day, Named, TimeOfDay, When};

/// Whether all that are given do.
pub(super) fn holds(when: &When, wish: &Wish<'_>, at: DateTime<Utc>) -> bool {
    let facts = wish.facts;
    let key = when.key.as_deref();
    key.is_none_or(|key| facts.key() == Some(key))
        && when
            .endpoint
            .is_none_or(|endpoint| endpoint == wish.endpoint)
        && named(&when.header, |name| facts.header(name).map(Into::into))
        && named(&when.metadata, |name| facts.metadata(name))
        && tokens(when, wish)
        && in_time(when, at)
}

fn named<'a>(
    condition: &Named,
    value_of: impl FnOnce(&str) -> Option<std::borrow::Cow<'a, str>>,
) -> bool {
    let Some(name) = &condition.name else {
        return true;
    };
    let found = value_of(name);
    match &condition.value {
        Some(value) => found.as_deref() == Some(value),
        None => found.is_some(),
    }
}

fn tokens(when: &When, wish: &Wish<'_>) -> bool {
    if when.min_input_tokens.is_none() && when.max_input_tokens.is_none() {
        return true;
    }
    let tokens = wish.facts.input_tokens();
    when.min_input_tokens.is_none_or(|min| tokens >= min)
        && when.max_input_tokens.is_none_or(|max| tokens <= max)
}

fn in_time(when: &When, at: DateTime<Utc>) -> bool {
    if when.from.is_none() && when.until.is_none() && when.days.is_empty() {
        return true;
    }
    let local = at + chrono::TimeDelta::minutes(when.utc_offset.minutes.into());
    let minute = (local.hour() * 60 + local.minute()) as u16;
    let from = when.from.unwrap_or_default().minutes;
    let end_of_day = TimeOfDay { minutes: 24 * 60 };
    let until = when.until.unwrap_or(end_of_day).minutes;
    let today = day(local.weekday());
    let day = if from <= until {
        (from..until).contains(&minute).then_some(today)
    } else if minute >= from {
        Some(today)
    } else if minute < until {
        // The night began yesterday.
        Some(day(local.weekday().pred()))
    } else {
        None
    };
    day.is_some_and(|day| when.days.is_empty() || when.days.contains(&day))
}

fn day(day: Weekday) -> Day {
    match day {
        Weekday::Mon => Day::Monday,
        Weekday::Tue => Day::Tuesday,
        Weekday::Wed => Day::Wednesday,
        Weekday::Thu => Day::Thursday,
        Weekday::Fri => Day::Friday,
        Weekday::Sat => Day::Saturday,
        Weekday::Sun => Day::Sunday,
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::super::wish::Facts;
    use super::*;
    use crate::config::{Endpoint, UtcOffset};

    struct Request;

    impl Facts for Request {
        fn key(&self) -> Option<&str> {
            Some("team-a")
        }

        fn header(&self, name: &str) -> Option<&str> {
            (name == "x-tier").then_some("gold")
        }

        fn metadata(&self, name: &str) -> Option<Cow<'_, str>> {
            (name == "env").then(|| "dev".into())
        }

        fn user(&self) -> Option<Cow<'_, str>> {
            None
        }

        fn input_tokens(&self) -> u64 {
            2000
        }

        fn prefix(&self) -> u64 {
            0
        }
    }

    fn holds_at(when: &When, at: &str) -> bool {
        let wish = Wish {
            model: None,
            provider: None,
            endpoint: Endpoint::Chat,
            access: None,
            facts: &Request,
        };
        holds(when, &wish, at.parse().unwrap())
    }

    fn holds_now(when: When) -> bool {
        holds_at(&when, "2026-03-04T12:00:00Z")
    }

    fn named(name: &str, value: Option<&str>) -> Named {
        Named {
            name: Some(name.to_owned()),
            value: value.map(str::to_owned),
        }
    }

    #[test]
    fn all_conditions_must_hold() {
        let with = |change: &dyn Fn(&mut When)| {
            let mut when = When::default();
            change(&mut when);
            holds_now(when)
        };
        assert!(with(&|_| {}));
        assert!(with(&|when| when.key = Some("team-a".to_owned())));
        assert!(!with(&|when| when.key = Some("team-b".to_owned())));
        assert!(with(&|when| when.header = named("x-tier", Some("gold"))));
        assert!(with(&|when| when.header = named("x-tier", None)));
        assert!(!with(&|when| when.header = named("x-tier", Some("tin"))));
        assert!(!with(&|when| when.header = named("x-other", None)));
        assert!(with(&|when| when.metadata = named("env", Some("dev"))));
        assert!(!with(&|when| when.metadata = named("env", Some("prod"))));
        assert!(with(&|when| when.endpoint = Some(Endpoint::Chat)));
        assert!(!with(&|when| when.endpoint = Some(Endpoint::Images)));
        assert!(with(&|when| when.min_input_tokens = Some(2000)));
        assert!(!with(&|when| when.min_input_tokens = Some(2001)));
        assert!(with(&|when| when.max_input_tokens = Some(2000)));
        assert!(!with(&|when| when.max_input_tokens = Some(1999)));
        assert!(!with(&|when| {
            when.key = Some("team-a".to_owned());
            when.endpoint = Some(Endpoint::Images);
        }));
    }

    #[test]
    fn a_night_goes_past_midnight_and_belongs_to_its_evening() {
        let time = |minutes| Some(TimeOfDay { minutes });
        let when = When {
            from: time(22 * 60),
            until: time(6 * 60),
            days: vec![Day::Saturday],
            utc_offset: UtcOffset { minutes: 60 },
            ..When::default()
        };
        // 2026-03-07 is a Saturday. The clock is an hour ahead of UTC.
        for (at, expected) in [
            ("2026-03-07T20:59:00Z", false),
            ("2026-03-07T21:00:00Z", true),
            ("2026-03-08T04:59:00Z", true),
            ("2026-03-08T05:00:00Z", false),
            ("2026-03-08T21:00:00Z", false),
            ("2026-03-07T02:00:00Z", false),
        ] {
            assert_eq!(holds_at(&when, at), expected, "{at}");
        }
    }

    #[test]
    fn a_day_has_its_hours() {
        let time = |minutes| Some(TimeOfDay { minutes });
        let when = When {
            from: time(9 * 60),
            until: time(17 * 60),
            ..When::default()
        };
        for (at, expected) in [
            ("2026-03-04T08:59:59Z", false),
            ("2026-03-04T09:00:00Z", true),
            ("2026-03-04T16:59:59Z", true),
            ("2026-03-04T17:00:00Z", false),
        ] {
            assert_eq!(holds_at(&when, at), expected, "{at}");
        }
    }
}

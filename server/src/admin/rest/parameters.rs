//! What stands in a query, read one by one, so that whatever is wrong is told of each.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Query};
use axum::http::StatusCode;
use axum::http::request::Parts;
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use shared::policies::FieldError;

use crate::admin::problem::Problem;

/// Longer ones are nobody's name.
const MAX_CHARS: usize = 500;

/// A query's parameters that nobody has read yet, and what was wrong with those that somebody has.
#[derive(Debug)]
pub(in crate::admin) struct Parameters {
    unread: Vec<(String, String)>,
    errors: Vec<FieldError>,
}

impl Parameters {
    /// The parameter, unless it is empty.
    pub fn text(&mut self, name: &str) -> Option<String> {
        let mut found = None;
        let mut twice = false;
        self.unread.retain(|(parameter, value)| {
            let is_it = parameter == name;
            if is_it {
                twice |= found.replace(value.clone()).is_some();
            }
            !is_it
        });
        if twice {
            self.wrong(name, "once only");
        }
        let text = found.filter(|text| !text.is_empty())?;
        if text.chars().count() > MAX_CHARS {
            self.wrong(name, format!("at most {MAX_CHARS} characters"));
            return None;
        }
        Some(text)
    }

    pub fn parsed<T>(&mut self, name: &str) -> Option<T>
    where
        T: FromStr,
        T::Err: Display,
    {
        let text = self.text(name)?;
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.wrong(name, error.to_string());
                None
            }
        }
    }

    /// Several: with commas between them, or the parameter again and again.
    pub fn list<T>(&mut self, name: &str) -> Vec<T>
    where
        T: FromStr,
        T::Err: Display,
    {
        let (found, rest) = std::mem::take(&mut self.unread)
            .into_iter()
            .partition(|(parameter, _)| parameter == name);
        self.unread = rest;
        let found: Vec<(String, String)> = found;
        let mut values = Vec::new();
        let texts = found.iter().flat_map(|(_, text)| text.split(','));
        for text in texts.map(str::trim).filter(|text| !text.is_empty()) {
            match text.parse::<T>() {
                Ok(value) => values.push(value),
                Err(error) => {
                    self.wrong(name, error.to_string());
                    return Vec::new();
                }
            }
        }
        values
    }

    pub fn flag(&mut self, name: &str) -> Option<bool> {
        match self.text(name)?.as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => {
                self.wrong(name, "true or false");
                None
            }
        }
    }

    pub fn number(&mut self, name: &str, range: RangeInclusive<u32>) -> Option<u32> {
        let text = self.text(name)?;
        let number = text.parse().ok().filter(|number| range.contains(number));
        if number.is_none() {
            let (least, most) = (range.start(), range.end());
            self.wrong(name, format!("a number from {least} to {most}"));
        }
        number
    }

    /// A moment: RFC 3339, or a day, which begins at midnight UTC.
    pub fn time(&mut self, name: &str) -> Option<DateTime<Utc>> {
        let text = self.text(name)?;
        let day = || {
            let day: NaiveDate = text.parse().ok()?;
            Some(day.and_time(NaiveTime::MIN).and_utc())
        };
        let time = DateTime::parse_from_rfc3339(&text).ok();
        let time = time.map(|time| time.to_utc()).or_else(day);
        let in_use = |time: &DateTime<Utc>| (0..253_402_300_800).contains(&time.timestamp());
        let time = time.filter(in_use);
        if time.is_none() {
            // A `+` that nobody has percent-encoded is a space.
            self.wrong(
                name,
                "a time like 2026-11-21T16:14:00Z or a day like 2026-11-21",
            );
        }
        time
    }

    pub fn wrong(&mut self, name: &str, message: impl Into<String>) {
        self.errors.push(FieldError {
            field: name.to_owned(),
            message: message.into(),
        });
    }

    /// # Errors
    /// Something was wrong, or was not read by anybody.
    pub fn end(mut self) -> Result<(), Problem> {
        let unknown: BTreeSet<String> = self.unread.drain(..).map(|(name, _)| name).collect();
        for name in unknown {
            let shown: String = name.chars().take(MAX_CHARS).collect();
            self.wrong(&shown, "there is no such parameter");
        }
        match Problem::about_all(StatusCode::BAD_REQUEST, self.errors) {
            Some(problem) => Err(problem),
            None => Ok(()),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query: Result<Query<Vec<(String, String)>>, QueryRejection> =
            Query::from_request_parts(parts, state).await;
        let Query(unread) = query?;
        Ok(Self {
            unread,
            errors: Vec::new(),
        })
    }
}

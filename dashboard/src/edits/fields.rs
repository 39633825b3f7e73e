//! Reads what somebody has typed into a form, and remembers what is wrong with it.

use std::cell::RefCell;
use std::str::FromStr;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::de::DeserializeOwned;
use shared::CostNanos;
use shared::policies::FieldError;

use super::units;
use crate::forms::Values;

/// The fields of a form that was sent.
#[derive(Debug)]
pub struct Fields<'a> {
    pub values: &'a Values,
    errors: RefCell<Vec<FieldError>>,
}

impl<'a> Fields<'a> {
    pub fn new(values: &'a Values) -> Self {
        Self {
            values,
            errors: RefCell::default(),
        }
    }

    /// What was wrong.
    pub fn into_errors(self) -> Vec<FieldError> {
        self.errors.into_inner()
    }

    pub fn wrong(&self, field: &str, message: impl Into<String>) {
        self.errors.borrow_mut().push(FieldError {
            field: field.to_owned(),
            message: message.into(),
        });
    }

    /// A line, without the blanks around it.
    pub fn line(&self, name: &str) -> String {
        self.values.get(name).trim().to_owned()
    }

    /// `None` where nothing is in the field.
    pub fn some(&self, name: &str) -> Option<String> {
        Some(self.line(name)).filter(|text| !text.is_empty())
    }

    /// A text as it was typed: forms send each line break as two characters.
    pub fn text(&self, name: &str) -> String {
        self.values.get(name).replace("\r\n", "\n")
    }

    pub fn is_on(&self, name: &str) -> bool {
        self.values.has(name)
    }

    /// What stands between commas.
    pub fn list(&self, name: &str) -> Vec<String> {
        parts(self.values.get(name).split([',', '\n']))
    }

    /// What stands on lines.
    pub fn lines(&self, name: &str) -> Vec<String> {
        parts(self.values.get(name).lines())
    }

    pub fn number<T: FromStr>(&self, name: &str) -> Option<T> {
        self.parsed(name, "This is not a whole number of this size.", |text| {
            // People write thousands apart.
            text.replace([',', '_', ' '], "").parse().ok()
        })
    }

    /// Seconds, as `90`, `30s`, `5m`, `1h`, `7d`.
    pub fn seconds(&self, name: &str) -> Option<u64> {
        self.parsed(
            name,
            "Write a time as 30s, 5m, 1h or 1d.",
            units::parse_seconds,
        )
    }

    /// Bytes, as `4096`, `64 MiB`, `1GB`.
    pub fn bytes(&self, name: &str) -> Option<u64> {
        self.parsed(
            name,
            "Write a size as 512 KiB or 64 MiB.",
            units::parse_bytes,
        )
    }

    pub fn money(&self, name: &str) -> Option<CostNanos> {
        self.parsed(
            name,
            "Write an amount in US dollars as 12.50, with nine decimals at most.",
            units::parse_dollars,
        )
    }

    /// A day and time, UTC, as a browser's field has it.
    pub fn moment(&self, name: &str) -> Option<DateTime<Utc>> {
        self.parsed(name, "Write a time as 2026-12-31T23:59.", |text| {
            ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"]
                .iter()
                .find_map(|pattern| NaiveDateTime::parse_from_str(text, pattern).ok())
                .map(|time| time.and_utc())
        })
    }

    /// One of the words of a type.
    pub fn choice<T: DeserializeOwned + Default>(&self, name: &str) -> T {
        self.parsed(name, "This is none of the choices.", word)
            .unwrap_or_default()
    }

    /// Those that are ticked.
    pub fn choices<T: DeserializeOwned>(&self, name: &str) -> Vec<T> {
        self.values.all(name).filter_map(word).collect()
    }

    fn parsed<T>(
        &self,
        name: &str,
        otherwise: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.some(name)?;
        let value = parse(&text);
        if value.is_none() {
            self.wrong(name, otherwise);
        }
        value
    }
}

fn word<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::from(text)).ok()
}

fn parts<'a>(all: impl Iterator<Item = &'a str>) -> Vec<String> {
    all.map(str::trim)
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

//! Reads what somebody has typed into a form, and remembers what is wrong with it.

use std::cell::RefCell;
use std::str::FromStr;

use chrono::{DateTime, NaiveDateTime, SubsecRound, Utc};
use serde::de::DeserializeOwned;
use shared::CostNanos;
use shared::policies::{FieldError, Policy};

use super::{elements, units};
use crate::forms::Values;

/// The fields of a form that was sent.
#[derive(Debug)]
pub struct Fields<'a> {
    pub values: &'a Values,
    /// What was in them when they were shown.
    before: Values,
    errors: RefCell<Vec<FieldError>>,
}

impl<'a> Fields<'a> {
    pub fn new(values: &'a Values) -> Self {
        Self {
            values,
            before: Values::default(),
            errors: RefCell::default(),
        }
    }

    /// The same, of a policy that there is: what has not been touched stays as it is, also where browsers change it.
    pub fn of_policy(values: &'a Values, policy: &Policy) -> Self {
        Self {
            before: super::write(policy),
            ..Self::new(values)
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

    /// A line, without the blanks around it that are typed.
    pub fn line(&self, name: &str) -> String {
        let typed = self.values.get(name).trim();
        let before = self.before.get(name);
        // Browsers leave line breaks out of a line.
        if before.replace(['\r', '\n'], "").trim() == typed {
            return before.to_owned();
        }
        typed.to_owned()
    }

    /// `None` where nothing is in the field.
    pub fn some(&self, name: &str) -> Option<String> {
        Some(self.line(name)).filter(|text| !text.trim().is_empty())
    }

    /// A text as it was typed.
    pub fn text(&self, name: &str) -> String {
        let typed = unix_breaks(self.values.get(name));
        let before = self.before.get(name);
        if unix_breaks(before) == typed {
            return before.to_owned();
        }
        typed
    }

    pub fn is_on(&self, name: &str) -> bool {
        self.values.has(name)
    }

    /// What stands between commas.
    pub fn list(&self, name: &str) -> Vec<String> {
        self.elements(name, elements::commas)
    }

    /// What stands on lines.
    pub fn lines(&self, name: &str) -> Vec<String> {
        self.elements(name, elements::lines)
    }

    fn elements(
        &self,
        name: &str,
        read: fn(&str) -> serde_json::Result<Vec<String>>,
    ) -> Vec<String> {
        read(self.values.get(name)).unwrap_or_else(|error| {
            self.wrong(name, format!("This begins as a JSON array: {error}."));
            Vec::new()
        })
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
        let typed = self.parsed(name, "Write a time as 2026-12-31T23:59.", moment)?;
        // Such a field has no more than milliseconds.
        let before = moment(self.before.get(name));
        Some(
            before
                .filter(|before| before.trunc_subsecs(3) == typed)
                .unwrap_or(typed),
        )
    }

    /// One of the words of a type.
    pub fn choice<T: DeserializeOwned + Default>(&self, name: &str) -> T {
        self.parsed(name, "This is none of the choices.", word)
            .unwrap_or_default()
    }

    /// Those that are ticked.
    pub fn choices<T: DeserializeOwned>(&self, name: &str) -> Vec<T> {
        let ticked: Vec<_> = self.values.all(name).collect();
        let before: Vec<_> = self.before.all(name).collect();
        let same = ticked.len() == before.len() && ticked.iter().all(|one| before.contains(one));
        // Browsers send them in the page's order.
        let chosen = if same { before } else { ticked };
        chosen.into_iter().filter_map(word).collect()
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

fn moment(text: &str) -> Option<DateTime<Utc>> {
    [
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M",
        "%Y-%m-%d %H:%M:%S",
    ]
    .iter()
    .find_map(|pattern| NaiveDateTime::parse_from_str(text, pattern).ok())
    .map(|time| time.and_utc())
}

fn word<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::from(text)).ok()
}

/// Forms send each line break as two characters.
fn unix_breaks(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

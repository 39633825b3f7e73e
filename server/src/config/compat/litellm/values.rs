//! `os.environ/NAME`, and the variables that the file itself sets.

use super::super::sheet::{Grade, Sheet, text};
use super::super::source::{Said, Source};
use crate::config::document::Value;

/// `environment_variables`.
#[derive(Debug, Default)]
pub(super) struct Variables(Vec<(String, String)>);

impl Variables {
    pub fn read(table: Option<Source<'_>>, sheet: &mut Sheet<'_>) -> Self {
        let mut set = Vec::new();
        for (name, said) in table.iter().flat_map(Source::all) {
            let value = match said.value {
                Value::Text(value) | Value::Integer(value) | Value::Float(value) => value.clone(),
                Value::Bool(value) => value.to_string(),
                _ => continue,
            };
            let how = "heeded where the file speaks of it; set it in the environment otherwise";
            sheet.grade(
                &said,
                &format!("${{{name}}}"),
                Grade::Approximate(how.to_owned()),
            );
            set.push((name.to_owned(), value));
        }
        Self(set)
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        let mut all = self.0.iter();
        all.find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The value as the native format writes it, and the name that a secret then has.
    pub fn native(&self, said: &Said<'_>) -> (Value, Option<String>) {
        let Value::Text(given) = said.value else {
            return (said.value.clone(), None);
        };
        let Some(name) = given.strip_prefix("os.environ/") else {
            // Nothing is replaced there.
            return (text(given.replace("${", "$${")), None);
        };
        match self.get(name) {
            Some(value) => (text(value.replace("${", "$${")), Some(name.to_owned())),
            None => (text(format!("${{{name}}}")), None),
        }
    }
}

//! A foreign file being read: each value knows where it stands.

use super::sheet::Sheet;
use crate::config::document::{Node, Table, Value};

/// A value of the foreign file.
#[derive(Clone, Debug)]
pub(super) struct Said<'t> {
    pub value: &'t Value,
    pub line: usize,
    /// Its place, in the words of the file: `models.gpt.providers[1].api_key`.
    pub path: String,
}

/// A table of the foreign file. What nobody asks for is told by [`Source::rest`].
#[derive(Debug)]
pub(super) struct Source<'t> {
    pub table: &'t Table,
    pub line: usize,
    pub path: String,
    asked: Vec<&'static str>,
}

impl<'t> Source<'t> {
    pub fn root(table: &'t Table) -> Self {
        Self {
            table,
            line: 1,
            path: String::new(),
            asked: Vec::new(),
        }
    }

    /// The key's value, unless it is left out or nothing.
    pub fn get(&mut self, key: &'static str) -> Option<Said<'t>> {
        self.asked.push(key);
        let entry = self.table.entries.iter().find(|entry| entry.key == key)?;
        let said = self.said(&entry.key, &entry.node);
        (said.value != &Value::Null).then_some(said)
    }

    /// The table of that name, if there is one; that it is something else is a problem.
    pub fn table(&mut self, key: &'static str, sheet: &mut Sheet<'_>) -> Option<Self> {
        self.get(key)?.table(sheet)
    }

    /// All keys with their values, of a table whose keys are names.
    pub fn all(&self) -> Vec<(&'t str, Said<'t>)> {
        let entries = self.table.entries.iter();
        entries
            .map(|entry| (entry.key.as_str(), self.said(&entry.key, &entry.node)))
            .collect()
    }

    /// The keys that nobody asked for.
    pub fn rest(&self) -> Vec<(&'t str, Said<'t>)> {
        let mut all = self.all();
        all.retain(|(key, said)| !self.asked.contains(key) && said.value != &Value::Null);
        all
    }

    /// Where a key of this table would stand.
    pub fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    fn said(&self, key: &str, node: &'t Node) -> Said<'t> {
        // A table of a header stands where its header does.
        Said {
            value: &node.value,
            line: node.line,
            path: self.path_of(key),
        }
    }
}

impl<'t> Said<'t> {
    /// Text that is not empty; that it is no text is a problem.
    pub fn text(&self, sheet: &mut Sheet<'_>) -> Option<&'t str> {
        match self.value {
            Value::Text(text) if text.is_empty() => None,
            Value::Text(text) => Some(text),
            other => {
                sheet.wrong(self, format!("expected text, found {}", other.noun()));
                None
            }
        }
    }

    pub fn flag(&self, sheet: &mut Sheet<'_>) -> Option<bool> {
        match self.value {
            Value::Bool(flag) => Some(*flag),
            Value::Text(text) if text == "true" || text == "false" => Some(text == "true"),
            other => {
                let message = format!("expected true or false, found {}", other.noun());
                sheet.wrong(self, message);
                None
            }
        }
    }

    /// A number as it is written.
    pub fn number(&self, sheet: &mut Sheet<'_>) -> Option<f64> {
        let digits = match self.value {
            Value::Integer(digits) | Value::Float(digits) | Value::Text(digits) => digits.parse(),
            _ => "".parse(),
        };
        match digits {
            Ok(number) if f64::is_finite(number) && number >= 0.0 => Some(number),
            _ => {
                let found = self.value.noun();
                sheet.wrong(self, format!("expected a number, 0 or more; found {found}"));
                None
            }
        }
    }

    pub fn table(&self, sheet: &mut Sheet<'_>) -> Option<Source<'t>> {
        match self.value {
            Value::Table(table) => Some(Source {
                table,
                line: self.line,
                path: self.path.clone(),
                asked: Vec::new(),
            }),
            other => {
                sheet.wrong(self, format!("expected a table, found {}", other.noun()));
                None
            }
        }
    }

    pub fn items(&self, sheet: &mut Sheet<'_>) -> Vec<Said<'t>> {
        let Value::List(items) = self.value else {
            let found = self.value.noun();
            sheet.wrong(self, format!("expected a list, found {found}"));
            return Vec::new();
        };
        let items = items.iter().enumerate();
        items
            .map(|(i, node)| Self {
                value: &node.value,
                line: node.line,
                path: format!("{}[{i}]", self.path),
            })
            .collect()
    }

    /// One text, or a list of them.
    pub fn one_or_many(&self, sheet: &mut Sheet<'_>) -> Vec<Said<'t>> {
        match self.value {
            Value::List(_) => self.items(sheet),
            _ => vec![self.clone()],
        }
    }

    /// Whether it says no more than leaving it out: nothing, `false`, 0, empty.
    pub fn is_off(&self) -> bool {
        match self.value {
            Value::Null | Value::Bool(false) => true,
            Value::Text(text) => text.is_empty(),
            Value::Integer(digits) => digits == "0",
            Value::List(items) => items.is_empty(),
            Value::Table(table) => table.entries.is_empty(),
            _ => false,
        }
    }
}

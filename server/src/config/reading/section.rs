//! One table being read.

use std::collections::BTreeMap;

use super::environment::variable_part;
use super::interpolation::interpolate;
use super::nearest::did_you_mean;
use super::reader::Reader;
use super::scalar::Scalar;
use crate::config::document::{Node, Table, Value};
use crate::config::problem::Source;

/// A table of the configuration, there or not. Asking for a key declares it.
#[derive(Debug)]
pub(in crate::config) struct Section<'r, 'a> {
    pub(super) reader: &'r mut Reader<'a>,
    pub(super) table: Option<&'r Table>,
    /// `providers[1]`; empty for the document itself.
    path: String,
    /// `GATEWAY_PROVIDERS_OPENAI`.
    pub(super) variable: String,
    /// Its place in the effective configuration.
    block: usize,
    pub(super) known: Vec<String>,
}

impl<'r, 'a> Section<'r, 'a> {
    pub(super) fn root(reader: &'r mut Reader<'a>, table: &'r Table) -> Self {
        let block = reader.effective.begin(String::new(), String::new());
        Self {
            reader,
            table: Some(table),
            path: String::new(),
            variable: "GATEWAY".to_owned(),
            block,
            known: Vec::new(),
        }
    }

    /// Reads with `read`, then reports the keys it did not ask for.
    pub(super) fn finished<R>(mut self, read: impl FnOnce(&mut Self) -> R) -> R {
        let result = read(&mut self);
        let known: Vec<&str> = self.known.iter().map(String::as_str).collect();
        for entry in self.table.iter().flat_map(|table| &table.entries) {
            if !known.contains(&entry.key.as_str()) {
                let path = self.path_of(&entry.key);
                let source = self.reader.line(entry.line);
                let hint = did_you_mean(&entry.key, &known);
                self.reader
                    .report(source, path, format!("unknown key; {hint}"));
            }
        }
        result
    }

    /// Whether file or environment says anything here.
    pub(in crate::config) fn is_given(&self) -> bool {
        let prefix = format!("{}_", self.variable);
        let mut overrides = self.reader.environment.overrides();
        self.table.is_some() || overrides.any(|(name, _)| name.starts_with(&prefix))
    }

    /// The path of a key in here: `providers[1].base_url`.
    pub(in crate::config) fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    pub(in crate::config) fn reader(&mut self) -> &mut Reader<'a> {
        self.reader
    }

    /// The key's value, `default` where nobody says one. An empty text is the same as leaving the key out.
    pub(in crate::config) fn value<T: Scalar>(&mut self, key: &str, default: T) -> T {
        let (value, source) = self.said(key);
        let value = value.unwrap_or(default);
        self.keep(key, Some(value.literal()), source);
        value
    }

    /// The key's value; an empty text is the same as leaving the key out.
    pub(in crate::config) fn optional<T: Scalar>(&mut self, key: &str) -> Option<T> {
        self.optional_or(key, None)
    }

    /// The key's value, `default` where nobody says one.
    pub(in crate::config) fn optional_or<T: Scalar>(
        &mut self,
        key: &str,
        default: Option<T>,
    ) -> Option<T> {
        let (value, source) = self.said(key);
        let value = value.or(default);
        self.keep(key, value.as_ref().map(Scalar::literal), source);
        value
    }

    /// The key's value; where nobody says one, that of the first of `variables` which is set: names that others chose.
    pub(in crate::config) fn optional_or_variable<T: Scalar>(
        &mut self,
        key: &str,
        variables: &[&str],
    ) -> Option<T> {
        let (mut value, mut source) = self.said(key);
        if source == Source::Default {
            let environment = self.reader.environment;
            let given = variables
                .iter()
                .find_map(|name| Some((*name, environment.given(name)?)));
            if let Some((name, text)) = given {
                source = Source::Variable(name.to_owned());
                value = self.parsed(&self.path_of(key), &source, text);
            }
        }
        self.keep(key, value.as_ref().map(Scalar::literal), source);
        value
    }

    /// The key's value; that it is missing is a problem, and its type's empty value then stands for it.
    pub(in crate::config) fn required<T: Scalar + Default>(&mut self, key: &str) -> T {
        let before = self.reader.problems.len();
        let (value, source) = self.said(key);
        if value.is_none() && self.reader.problems.len() == before {
            let at = match &source {
                Source::Default => self.reader.effective.source_of(&self.path),
                said => said.clone(),
            };
            let path = self.path_of(key);
            let message = format!("missing; expected {}", T::EXPECTED);
            self.reader.report(at, path, message);
        }
        self.keep(key, value.as_ref().map(Scalar::literal), source);
        value.unwrap_or_default()
    }

    /// The key's list of one-line values; in a variable they stand with commas between them.
    pub(in crate::config) fn values<T: Scalar>(&mut self, key: &str, default: Vec<T>) -> Vec<T> {
        self.known.push(key.to_owned());
        let path = self.path_of(key);
        let variable = self.variable_of(key);
        let (values, source) = if let Some(text) = self.reader.variable(&variable, &path) {
            let source = Source::Variable(variable);
            let parts = text
                .split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty());
            let values = parts
                .filter_map(|part| self.parsed(&path, &source, part))
                .collect();
            (values, source)
        } else if let Some(node) = self.node(key) {
            let source = self.reader.line(node.line);
            let items = match &node.value {
                Value::List(items) => items.as_slice(),
                _ => std::slice::from_ref(node),
            };
            let values = items.iter().enumerate().filter_map(|(i, item)| {
                let source = self.reader.line(item.line);
                self.parsed_node(&format!("{path}[{i}]"), &source, item)
            });
            (values.collect(), source)
        } else {
            (default, Source::Default)
        };
        let literals: Vec<String> = values.iter().map(Scalar::literal).collect();
        self.keep(key, Some(format!("[{}]", literals.join(", "))), source);
        values
    }

    /// A table inside this one.
    pub(in crate::config) fn section<R>(
        &mut self,
        key: &str,
        read: impl FnOnce(&mut Section<'_, 'a>) -> R,
    ) -> R {
        self.known.push(key.to_owned());
        let path = self.path_of(key);
        let (table, line) = match self.node(key) {
            None => (None, None),
            Some(node) => match &node.value {
                Value::Table(table) => (Some(table), Some(node.line)),
                other => {
                    let message = format!("expected a table, found {}", other.noun());
                    let source = self.reader.line(node.line);
                    self.reader.report(source, path.clone(), message);
                    (None, Some(node.line))
                }
            },
        };
        let header = format!("[{}]", without_indices(&path));
        self.inner(path, self.variable_of(key), header, table, line)
            .finished(read)
    }

    /// A table with keys of the operator's own choice and one-line values. In a variable's name a key stands in
    /// upper case with `_` for what is no letter or digit; one that the file does not have is taken as lower case
    /// with `-`.
    pub(in crate::config) fn map<T: Scalar>(&mut self, key: &str) -> BTreeMap<String, T> {
        self.map_named(key, name_of)
    }

    /// The same; a key that the file does not have is taken as lower case with `_`.
    pub(in crate::config) fn members<T: Scalar>(&mut self, key: &str) -> BTreeMap<String, T> {
        self.map_named(key, str::to_ascii_lowercase)
    }

    fn map_named<T: Scalar>(
        &mut self,
        key: &str,
        name_of: fn(&str) -> String,
    ) -> BTreeMap<String, T> {
        let prefix = format!("{}_", self.variable_of(key));
        self.section(key, |section| {
            let table = section.table;
            let mut keys: Vec<String> = table
                .iter()
                .flat_map(|table| &table.entries)
                .map(|entry| entry.key.clone())
                .collect();
            let present: Vec<String> = keys.iter().map(|key| variable_part(key)).collect();
            let overrides = section.reader.environment.overrides();
            keys.extend(
                overrides
                    .filter_map(|(name, _)| name.strip_prefix(&prefix))
                    .filter(|part| !present.iter().any(|key| key == part))
                    .map(name_of),
            );
            keys.into_iter()
                .filter_map(|key| Some((section.optional(&key)?, key)))
                .map(|(value, key)| (key, value))
                .collect()
        })
    }

    pub(super) fn inner<'s>(
        &'s mut self,
        path: String,
        variable: String,
        header: String,
        table: Option<&'s Table>,
        line: Option<usize>,
    ) -> Section<'s, 'a> {
        let block = self.reader.effective.begin(path.clone(), header);
        if let Some(line) = line {
            let source = self.reader.line(line);
            self.reader.effective.stands_at(block, source);
        }
        Section {
            reader: self.reader,
            table,
            path,
            variable,
            block,
            known: Vec::new(),
        }
    }

    /// What the environment or else the file says about a key, and which of them.
    fn said<T: Scalar>(&mut self, key: &str) -> (Option<T>, Source) {
        self.known.push(key.to_owned());
        let path = self.path_of(key);
        let variable = self.variable_of(key);
        if let Some(text) = self.reader.variable(&variable, &path) {
            let source = Source::Variable(variable);
            return (self.parsed(&path, &source, text), source);
        }
        let Some(node) = self.node(key) else {
            return (None, Source::Default);
        };
        let source = self.reader.line(node.line);
        let value = self.parsed_node(&path, &source, node);
        (value, source)
    }

    pub(super) fn parsed_node<T: Scalar>(
        &mut self,
        path: &str,
        source: &Source,
        node: &Node,
    ) -> Option<T> {
        let text = T::text_of(&node.value).and_then(|text| {
            let environment = self.reader.environment;
            text.map(|text| interpolate(&text, |name| environment.get(name)))
                .transpose()
        });
        match text {
            Ok(Some(text)) if !text.is_empty() => self.parsed(path, source, &text),
            Ok(_) => None,
            Err(message) => {
                self.reader.report(source.clone(), path.to_owned(), message);
                None
            }
        }
    }

    fn parsed<T: Scalar>(&mut self, path: &str, source: &Source, text: &str) -> Option<T> {
        match T::parse(text) {
            Ok(value) => Some(value),
            Err(message) => {
                self.reader.report(source.clone(), path.to_owned(), message);
                None
            }
        }
    }

    pub(super) fn keep(&mut self, key: &str, literal: Option<String>, source: Source) {
        let variable = self.variable_of(key);
        self.reader
            .effective
            .keep(self.block, key, literal, source, variable);
    }

    pub(super) fn node(&self, key: &str) -> Option<&'r Node> {
        self.table?
            .get(key)
            .filter(|node| node.value != Value::Null)
    }

    pub(super) fn variable_of(&self, key: &str) -> String {
        format!("{}_{}", self.variable, variable_part(key))
    }
}

/// A name made of a variable's part: `team-a` of `TEAM_A`.
pub(super) fn name_of(part: &str) -> String {
    part.to_ascii_lowercase().replace('_', "-")
}

/// `models.targets` of `models[1].targets`: as TOML's headers call it.
pub(super) fn without_indices(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut inside = false;
    for c in path.chars() {
        match c {
            '[' => inside = true,
            ']' => inside = false,
            c if !inside => out.push(c),
            _ => {}
        }
    }
    out
}

//! Lists of tables being read.

use super::environment::variable_part;
use super::scalar::Scalar;
use super::section::{Section, name_of, without_indices};
use crate::config::document::{Table, Value};
use crate::config::problem::Source;

/// One item of a list: a table of the file, or one that only variables speak of.
struct Item<'t> {
    name: Option<String>,
    table: Option<&'t Table>,
    line: Option<usize>,
}

impl<'r, 'a> Section<'r, 'a> {
    /// A list of tables that have a name each. Where `created_by` is given, an item that the file does not name is
    /// created by the variable of that key: `GATEWAY_PROVIDERS_OPENAI_KIND`. `None`: nobody says anything.
    pub(in crate::config) fn named_list<R>(
        &mut self,
        key: &str,
        created_by: Option<&str>,
        mut read: impl FnMut(&mut Section<'_, 'a>, String) -> R,
    ) -> Option<Vec<R>> {
        let (given, mut items) = self.items(key);
        let list = self.path_of(key);
        for (i, item) in items.iter_mut().enumerate() {
            item.name = self.item_name(&format!("{list}[{i}].name"), item);
        }
        if let Some(by) = created_by {
            self.add_created(key, by, &mut items);
        }
        if !given && items.is_empty() {
            return None;
        }
        Some(self.read_items(key, items, |section, name| {
            section.known.push("name".to_owned());
            let literal = (!name.is_empty()).then(|| name.literal());
            let source = section.source_of_name();
            section.keep("name", literal, source);
            read(section, name)
        }))
    }

    /// The item of a list that holds where nobody says anything; variables may change it.
    pub(in crate::config) fn built_in_item<R>(
        &mut self,
        key: &str,
        name: &str,
        read: impl FnOnce(&mut Section<'_, 'a>) -> R,
    ) -> R {
        let path = format!("{}[0]", self.path_of(key));
        let variable = format!("{}_{}", self.variable_of(key), variable_part(name));
        let header = format!("[[{key}]]");
        let mut section = self.inner(path, variable, header, None, None);
        section.keep("name", Some(name.to_owned().literal()), Source::Default);
        section.finished(read)
    }

    /// A list of tables without names; variables speak of them by number, from 0.
    pub(in crate::config) fn list<R>(
        &mut self,
        key: &str,
        mut read: impl FnMut(&mut Section<'_, 'a>) -> R,
    ) -> Vec<R> {
        let (_, items) = self.items(key);
        self.read_items(key, items, |section, _| read(section))
    }

    /// The tables of a list, and whether there is a list at all.
    fn items(&mut self, key: &str) -> (bool, Vec<Item<'r>>) {
        self.known.push(key.to_owned());
        let Some(node) = self.node(key) else {
            return (false, Vec::new());
        };
        let path = self.path_of(key);
        let block = self.reader.effective.begin(path.clone(), String::new());
        let source = self.reader.line(node.line);
        self.reader.effective.stands_at(block, source);
        let Value::List(nodes) = &node.value else {
            let found = node.value.noun();
            let message = format!(
                "expected a list of tables, found {found}; in TOML write [[{}]], in YAML \"- name: …\"",
                without_indices(&path)
            );
            let source = self.reader.line(node.line);
            self.reader.report(source, path, message);
            return (true, Vec::new());
        };
        let mut items = Vec::with_capacity(nodes.len());
        for (i, node) in nodes.iter().enumerate() {
            let Value::Table(table) = &node.value else {
                let source = self.reader.line(node.line);
                let message = format!("expected a table, found {}", node.value.noun());
                self.reader.report(source, format!("{path}[{i}]"), message);
                continue;
            };
            items.push(Item {
                name: None,
                table: Some(table),
                line: Some(node.line),
            });
        }
        (true, items)
    }

    /// The item's name, which its variables' names are made of; not overridden itself.
    fn item_name(&mut self, path: &str, item: &Item<'_>) -> Option<String> {
        let before = self.reader.problems.len();
        let line = item.line.unwrap_or_default();
        let node = item.table.and_then(|table| table.get("name"));
        let source = self.reader.line(node.map_or(line, |node| node.line));
        let name = node.and_then(|node| self.parsed_node(path, &source, node));
        if name.is_none() && self.reader.problems.len() == before {
            let message = format!("missing; expected {}", String::EXPECTED);
            self.reader.report(source, path.to_owned(), message);
        }
        name
    }

    fn add_created(&mut self, key: &str, by: &str, items: &mut Vec<Item<'r>>) {
        let prefix = format!("{}_", self.variable_of(key));
        let suffix = format!("_{}", by.to_ascii_uppercase());
        for (name, _) in self.reader.environment.overrides() {
            let part = name
                .strip_prefix(&prefix)
                .and_then(|rest| rest.strip_suffix(&suffix))
                .filter(|part| !part.is_empty());
            let Some(part) = part else { continue };
            let is_named = |item: &Item<'_>| {
                item.name
                    .as_deref()
                    .is_some_and(|name| variable_part(name) == part)
            };
            if !items.iter().any(is_named) {
                items.push(Item {
                    name: Some(name_of(part)),
                    table: None,
                    line: None,
                });
            }
        }
    }

    fn read_items<R>(
        &mut self,
        key: &str,
        items: Vec<Item<'r>>,
        mut read: impl FnMut(&mut Section<'_, 'a>, String) -> R,
    ) -> Vec<R> {
        let list = self.path_of(key);
        let header = format!("[[{}]]", without_indices(&list));
        let mut read_items = Vec::with_capacity(items.len());
        for (i, item) in items.into_iter().enumerate() {
            let part = match &item.name {
                Some(name) => variable_part(name),
                None => i.to_string(),
            };
            let variable = format!("{}_{part}", self.variable_of(key));
            let path = format!("{list}[{i}]");
            let section = self.inner(path, variable, header.clone(), item.table, item.line);
            read_items
                .push(section.finished(|section| read(section, item.name.unwrap_or_default())));
        }
        read_items
    }

    /// A name stands in the file, or a variable created its item.
    fn source_of_name(&self) -> Source {
        match self.node("name") {
            Some(node) => self.reader.line(node.line),
            None => Source::Variable(format!("{}_…", self.variable)),
        }
    }
}

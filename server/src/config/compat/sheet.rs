//! What comes of a foreign file: the native tree, a grade for every setting, and what is wrong with it.

use super::source::{Said, Source};
use crate::config::document::{Entry, Node, Table, Value};
use crate::config::reading::{Environment, did_you_mean};

/// A translation under way.
#[derive(Debug)]
pub(in crate::config) struct Sheet<'e> {
    pub(super) environment: &'e Environment,
    /// The native configuration; its lines are the foreign file's.
    pub native: Table,
    /// Places in the native tree, and what the foreign file calls what is there.
    pub origins: Vec<(String, String)>,
    pub settings: Vec<Setting>,
    pub problems: Vec<Wrong>,
    /// Variables outside of the file that were heeded.
    pub variables: Vec<String>,
    /// Names for secrets that have one already, by their place in the native tree.
    pub secret_names: Vec<(String, String)>,
}

/// A setting of the foreign file, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::config) struct Setting {
    pub path: String,
    pub line: usize,
    /// Where it is in the native configuration.
    pub native: String,
    pub grade: Grade,
}

/// How well a setting is carried over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::config) enum Grade {
    Exact,
    /// How it differs.
    Approximate(String),
    /// Why not. Worth a warning: the operator meant something by it.
    NotCarried(String),
    /// Why nothing is lost by leaving it out.
    WithoutEffect(String),
}

/// A mistake of the foreign file.
#[derive(Clone, Debug)]
pub(in crate::config) struct Wrong {
    pub path: String,
    pub line: usize,
    pub message: String,
}

/// A table of the native tree that is being filled.
#[derive(Debug)]
pub(super) struct Item {
    pub path: String,
    line: usize,
    table: Table,
}

impl<'e> Sheet<'e> {
    pub fn new(environment: &'e Environment) -> Self {
        Self {
            environment,
            native: Table::default(),
            origins: Vec::new(),
            settings: Vec::new(),
            problems: Vec::new(),
            variables: Vec::new(),
            secret_names: Vec::new(),
        }
    }

    pub(super) fn wrong(&mut self, said: &Said<'_>, message: impl Into<String>) {
        self.problems.push(Wrong {
            path: said.path.clone(),
            line: said.line,
            message: message.into(),
        });
    }

    /// A problem with a table, or with what it lacks.
    pub(super) fn wrong_at(&mut self, path: String, line: usize, message: impl Into<String>) {
        self.problems.push(Wrong {
            path,
            line,
            message: message.into(),
        });
    }

    /// A key that has to be there.
    pub(super) fn needed<'t>(
        &mut self,
        source: &mut Source<'t>,
        key: &'static str,
        expected: &str,
    ) -> Option<Said<'t>> {
        let said = source.get(key);
        if said.is_none() {
            let message = format!("missing; expected {expected}");
            self.wrong_at(source.path_of(key), source.line, message);
        }
        said
    }

    pub(super) fn grade(&mut self, said: &Said<'_>, native: &str, grade: Grade) {
        self.settings.push(Setting {
            path: said.path.clone(),
            line: said.line,
            native: native.to_owned(),
            grade,
        });
    }

    pub(super) fn not_carried(&mut self, said: &Said<'_>, why: &str) {
        self.grade(said, "", Grade::NotCarried(why.to_owned()));
    }

    /// The same of a table, or of what stands there.
    pub(super) fn not_carried_at(&mut self, path: &str, line: usize, why: &str) {
        self.settings.push(Setting {
            path: path.to_owned(),
            line,
            native: String::new(),
            grade: Grade::NotCarried(why.to_owned()),
        });
    }

    pub(super) fn without_effect(&mut self, said: &Said<'_>, why: &str) {
        self.grade(said, "", Grade::WithoutEffect(why.to_owned()));
    }

    /// Carried if it says something, of no effect if it is off.
    pub(super) fn not_carried_if_on(&mut self, said: &Said<'_>, why: &str) {
        if said.is_off() {
            self.without_effect(said, "it is off");
        } else {
            self.not_carried(said, why);
        }
    }

    /// What nobody asked for: the format has no such key.
    pub(super) fn unknown_rest(&mut self, source: &Source<'_>, known: &[&str]) {
        for (key, said) in source.rest() {
            let hint = did_you_mean(key, known);
            self.not_carried(&said, &format!("the format has no such key; {hint}"));
        }
    }

    /// A value of the native tree, as the file says it.
    pub(super) fn copy(&mut self, native: &str, said: &Said<'_>) {
        self.set(native, said.value.clone(), said, Grade::Exact);
    }

    /// A value of the native tree that follows from one of the file.
    pub(super) fn set(&mut self, native: &str, value: Value, said: &Said<'_>, grade: Grade) {
        self.origins.push((native.to_owned(), said.path.clone()));
        self.grade(said, native, grade);
        place(&mut self.native, native, Node::at(value, said.line));
    }

    /// What the format takes for granted and the native one does not.
    pub(super) fn assume(&mut self, native: &str, value: Value) {
        let line = 1;
        place(&mut self.native, native, Node::at(value, line));
    }

    /// The next table of a native list, to be filled and [`put`](Self::put).
    pub(super) fn item(&mut self, list: &str, path: &str, line: usize) -> Item {
        let count = match self.native.get(list).map(|node| &node.value) {
            Some(Value::List(items)) => items.len(),
            _ => 0,
        };
        let native = format!("{list}[{count}]");
        self.origins.push((native.clone(), path.to_owned()));
        Item {
            path: native,
            line,
            table: Table::default(),
        }
    }

    pub(super) fn put(&mut self, list: &str, item: Item) {
        let node = Node::at(Value::Table(item.table), item.line);
        let entries = &mut self.native.entries;
        let entry = entries.iter_mut().find(|entry| entry.key == list);
        match entry.map(|entry| &mut entry.node.value) {
            Some(Value::List(items)) => items.push(node),
            _ => entries.push(Entry {
                key: list.to_owned(),
                line: item.line,
                node: Node::at(Value::List(vec![node]), item.line),
            }),
        }
    }

    /// What the file's key at a native place is called.
    pub fn origin(&self, native: &str) -> Option<(&str, String)> {
        let around = self.origins.iter().filter_map(|(place, path)| {
            let rest = native.strip_prefix(place.as_str())?;
            (rest.is_empty() || rest.starts_with(['.', '['])).then_some((place, path, rest))
        });
        let (_, path, rest) = around.max_by_key(|(place, ..)| place.len())?;
        Some((path, rest.trim_start_matches('.').to_owned()))
    }
}

impl Item {
    /// A value as the file says it.
    pub fn copy(&mut self, sheet: &mut Sheet<'_>, key: &str, said: &Said<'_>) {
        self.set(sheet, key, said.value.clone(), said, Grade::Exact);
    }

    /// A value that follows from one of the file.
    pub fn set(
        &mut self,
        sheet: &mut Sheet<'_>,
        key: &str,
        value: Value,
        said: &Said<'_>,
        grade: Grade,
    ) {
        let native = format!("{}.{key}", self.path);
        sheet.origins.push((native.clone(), said.path.clone()));
        sheet.grade(said, &native, grade);
        place(&mut self.table, key, Node::at(value, said.line));
    }

    /// A value that comes from elsewhere: a name, a default, the environment.
    pub fn assume(&mut self, key: &str, value: Value) {
        place(&mut self.table, key, Node::at(value, self.line));
    }
}

impl Node {
    pub(super) fn at(value: Value, line: usize) -> Self {
        Self { value, line }
    }
}

pub(super) fn text(text: impl Into<String>) -> Value {
    Value::Text(text.into())
}

pub(super) fn texts(texts: impl IntoIterator<Item = String>, line: usize) -> Value {
    let nodes = texts.into_iter().map(|item| Node::at(text(item), line));
    Value::List(nodes.collect())
}

/// Puts a node at a path: `timeouts.total`. What is there already gives way.
pub(super) fn place(table: &mut Table, path: &str, node: Node) {
    let (key, rest) = match path.split_once('.') {
        Some((key, rest)) => (key, Some(rest)),
        None => (path, None),
    };
    let at = table.entries.iter().position(|entry| entry.key == key);
    let at = at.unwrap_or_else(|| {
        table.entries.push(Entry {
            key: key.to_owned(),
            line: node.line,
            node: Node::at(Value::Null, node.line),
        });
        table.entries.len() - 1
    });
    let entry = &mut table.entries[at];
    let Some(rest) = rest else {
        entry.node = node;
        return;
    };
    if !matches!(entry.node.value, Value::Table(_)) {
        entry.node.value = Value::Table(Table::default());
    }
    if let Value::Table(inner) = &mut entry.node.value {
        place(inner, rest, node);
    }
}

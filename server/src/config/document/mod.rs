//! A configuration file as a tree whose every part knows its line.

mod from_toml;
mod from_yaml;

pub(super) use from_toml::from_toml;
pub(super) use from_yaml::from_yaml;

/// A value and the line it stands on, from 1.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) line: usize,
}

/// What a file can say. Numbers keep the digits they were written with.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// YAML's `null` or nothing at all: as if the key were left out.
    Null,
    Text(String),
    /// In decimal, without separators.
    Integer(String),
    Float(String),
    Bool(bool),
    List(Vec<Node>),
    Table(Table),
}

impl Value {
    /// What an error calls it.
    pub(super) fn noun(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Text(_) => "text",
            Self::Integer(_) | Self::Float(_) => "a number",
            Self::Bool(_) => "true or false",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

/// Keys and values in the order of the file; no key twice.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Table {
    pub(super) entries: Vec<Entry>,
}

/// One `key = value`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    /// The key's own line.
    pub(super) line: usize,
    pub(super) node: Node,
}

impl Table {
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.entries
            .iter()
            .find(|entry| entry.key == key)
            .map(|entry| &entry.node)
    }
}

/// Text that is not TOML or not YAML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SyntaxError {
    pub(super) line: usize,
    pub(super) message: String,
}

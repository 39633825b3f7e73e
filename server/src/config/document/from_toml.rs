//! TOML into the tree. <https://toml.io/en/v1.1.0>

use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use super::{Entry, Node, SyntaxError, Table, Value};

/// The tree of a TOML document, or all that is wrong with its syntax.
pub(in crate::config) fn from_toml(text: &str) -> Result<Table, Vec<SyntaxError>> {
    let lines = Lines::of(text);
    let (document, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(table(document.into_inner(), &lines));
    }
    Err(errors
        .iter()
        .map(|error| SyntaxError {
            line: lines.at(error.span().map_or(0, |span| span.start)),
            message: error.message().replace('\n', "; "),
        })
        .collect())
}

fn table(from: DeTable<'_>, lines: &Lines) -> Table {
    let mut entries: Vec<(usize, Entry)> = from
        .into_iter()
        .map(|(key, value)| {
            let start = key.span().start;
            let entry = Entry {
                key: key.into_inner().into_owned(),
                line: lines.at(start),
                node: node(value, lines),
            };
            (start, entry)
        })
        .collect();
    entries.sort_by_key(|(start, _)| *start);
    Table {
        entries: entries.into_iter().map(|(_, entry)| entry).collect(),
    }
}

fn node(from: Spanned<DeValue<'_>>, lines: &Lines) -> Node {
    let line = lines.at(from.span().start);
    let value = match from.into_inner() {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(integer) => Value::Integer(decimal(&integer)),
        DeValue::Float(float) => Value::Float(float.as_str().replace('_', "")),
        DeValue::Boolean(bool) => Value::Bool(bool),
        DeValue::Datetime(datetime) => Value::Text(datetime.to_string()),
        DeValue::Array(array) => {
            Value::List(array.into_iter().map(|item| node(item, lines)).collect())
        }
        DeValue::Table(inner) => Value::Table(table(inner, lines)),
    };
    Node { value, line }
}

/// `0x1f` as `31`; what is beyond all integers stays as written and fits nowhere.
fn decimal(integer: &DeInteger<'_>) -> String {
    let digits = integer.as_str().replace('_', "");
    i128::from_str_radix(&digits, integer.radix()).map_or(digits, |number| number.to_string())
}

/// Where each line begins.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self(breaks.map(|(at, _)| at + 1).collect())
    }

    /// The line, from 1, of the byte at `offset`.
    fn at(&self, offset: usize) -> usize {
        self.0.partition_point(|start| *start <= offset) + 1
    }
}

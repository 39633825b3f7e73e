//! Columns of the views, and their values.

use crate::store::netstrings;

/// A column of a view.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// What values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Integer,
    Real,
    Text,
}

/// A value of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value<'r> {
    Null,
    /// As it is written everywhere.
    Integer(&'r str),
    Real(f64),
    Text(&'r str),
}

impl Kind {
    /// Of a column that is declared to be so. SQLite calls it `INT` where it is cast to `INTEGER`.
    pub(super) fn of(declared: &str) -> Self {
        match declared {
            "INTEGER" | "INT" => Self::Integer,
            "REAL" => Self::Real,
            _ => Self::Text,
        }
    }
}

/// SQL: a row of these columns in one text, beginning a statement over `FROM (SELECT` [`select`] ….
pub(super) fn row(columns: &[Column]) -> String {
    let names = columns.iter().map(|column| column.name.as_str());
    netstrings::of(names.map(|name| (name, name)))
}

/// SQL: the columns as a [`row`] has them.
pub(super) fn select(columns: &[Column]) -> String {
    let values = columns.iter().map(|Column { name, kind }| match kind {
        // A text that is the same number when it is read.
        Kind::Real => format!("nullif(quote({name}), 'NULL') AS {name}"),
        Kind::Integer | Kind::Text => name.clone(),
    });
    values.collect::<Vec<_>>().join(", ")
}

/// Takes the next value of a [`row`]. `None`: it is not such.
pub(super) fn take<'r>(rest: &mut &'r [u8], kind: Kind) -> Option<Value<'r>> {
    let Some(value) = netstrings::take(rest)? else {
        return Some(Value::Null);
    };
    let text = std::str::from_utf8(value).ok()?;
    Some(match kind {
        Kind::Integer => Value::Integer(text),
        Kind::Real => Value::Real(text.parse().ok()?),
        Kind::Text => Value::Text(text),
    })
}

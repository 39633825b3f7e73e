//! A value of a row, whatever its column.

use sqlx::sqlite::{Sqlite, SqliteRow};
use sqlx::{Decode, Row, TypeInfo, ValueRef};

use crate::store::StoreError;

/// As SQLite has it. Views have no blobs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value<'r> {
    Null,
    Integer(i64),
    Real(f64),
    Text(&'r str),
}

pub(super) fn value(row: &SqliteRow, column: usize) -> Result<Value<'_>, StoreError> {
    let raw = row.try_get_raw(column)?;
    if raw.is_null() {
        return Ok(Value::Null);
    }
    let decoded = match raw.type_info().name() {
        "INTEGER" => <i64 as Decode<Sqlite>>::decode(raw).map(Value::Integer),
        "REAL" => <f64 as Decode<Sqlite>>::decode(raw).map(Value::Real),
        _ => <&str as Decode<Sqlite>>::decode(raw).map(Value::Text),
    };
    decoded.map_err(|error| StoreError::Corrupt(error.to_string()))
}

//! A JSON object a line: <https://jsonlines.org>

use super::value::{Column, Value};

/// Names of columns as they begin a member: `"name":`.
pub(super) fn members(columns: &[Column]) -> Vec<Vec<u8>> {
    let member = |column: &Column| {
        let mut member = serde_json::to_vec(&column.name).expect("text is JSON");
        member.push(b':');
        member
    };
    columns.iter().map(member).collect()
}

/// Appends a member of the object.
pub(super) fn push(out: &mut Vec<u8>, i: usize, member: &[u8], value: Value<'_>) {
    out.push(if i == 0 { b'{' } else { b',' });
    out.extend_from_slice(member);
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Integer(number) => out.extend_from_slice(number.as_bytes()),
        // Writing to memory does not fail.
        Value::Real(number) => drop(serde_json::to_writer(out, &number)),
        Value::Text(text) => drop(serde_json::to_writer(out, text)),
    }
}

pub(super) fn end(out: &mut Vec<u8>) {
    out.extend_from_slice(b"}\n");
}

//! Comma-separated values: <https://www.rfc-editor.org/rfc/rfc4180>

use std::io::Write as _;

use super::value::{Column, Value};

/// Appends a line with the names of columns.
pub(super) fn push_header(out: &mut Vec<u8>, columns: &[Column]) {
    for (i, column) in columns.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        push_text(out, &column.name);
    }
    out.extend_from_slice(b"\r\n");
}

/// Appends a value, and what separates it from the one before.
pub(super) fn push(out: &mut Vec<u8>, i: usize, value: Value<'_>) {
    if i > 0 {
        out.push(b',');
    }
    match value {
        Value::Null => {}
        Value::Integer(number) => out.extend_from_slice(number.as_bytes()),
        // Writing to memory does not fail.
        Value::Real(number) => drop(write!(out, "{number}")),
        Value::Text(text) => push_text(out, text),
    }
}

pub(super) fn end(out: &mut Vec<u8>) {
    out.extend_from_slice(b"\r\n");
}

/// An empty text is `""`, other than null, which is nothing. What a spreadsheet would take for a formula (clients choose
/// names of models) gets a `'` before it: <https://owasp.org/www-community/attacks/CSV_Injection>
fn push_text(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    let guarded = matches!(
        bytes.first(),
        Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r')
    );
    let special = |byte: &u8| matches!(byte, b'"' | b',' | b'\r' | b'\n');
    if !bytes.is_empty() && !guarded && !bytes.iter().any(special) {
        out.extend_from_slice(bytes);
        return;
    }
    out.push(b'"');
    if guarded {
        out.push(b'\'');
    }
    for byte in bytes {
        if *byte == b'"' {
            out.push(b'"');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stay_texts() {
        for (text, written) in [
            ("gpt-4o", "gpt-4o"),
            ("", "\"\""),
            ("a,b", "\"a,b\""),
            ("say \"hi\"\n", "\"say \"\"hi\"\"\n\""),
            ("=1+1", "\"'=1+1\""),
            ("@x", "\"'@x\""),
            ("-1", "\"'-1\""),
            ("1-1", "1-1"),
        ] {
            let mut out = Vec::new();
            push_text(&mut out, text);
            assert_eq!(String::from_utf8(out).unwrap(), written);
        }
    }

    #[test]
    fn numbers_are_plain() {
        let mut out = Vec::new();
        for (i, value) in [
            Value::Integer("-7"),
            Value::Real(0.00045),
            Value::Null,
            Value::Real(20.0),
        ]
        .into_iter()
        .enumerate()
        {
            push(&mut out, i, value);
        }
        end(&mut out);
        assert_eq!(out, b"-7,0.00045,,20\r\n");
    }
}

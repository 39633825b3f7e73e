//! The native tree as TOML, in the order of the documentation.

use std::fmt::Write as _;

use crate::config::document::{Node, Table, Value};
use crate::config::reading::quoted;

/// All of it: tables under headers, what is inside them on one line each.
pub(super) fn to_toml(native: &Table) -> String {
    let mut out = String::new();
    for entry in &native.entries {
        match &entry.node.value {
            Value::Table(table) => section(&format!("[{}]", key(&entry.key)), table, &mut out),
            Value::List(items) if items.iter().all(is_table) => {
                for item in items {
                    if let Value::Table(table) = &item.value {
                        section(&format!("[[{}]]", key(&entry.key)), table, &mut out);
                    }
                }
            }
            // Before any header, where it belongs to the document.
            value => out.insert_str(0, &format!("{} = {}\n", key(&entry.key), inline(value))),
        }
    }
    out
}

fn section(header: &str, table: &Table, out: &mut String) {
    let _ = writeln!(out, "\n{header}");
    for entry in &table.entries {
        match &entry.node.value {
            Value::Null => {}
            Value::List(items) if items.len() > 1 && items.iter().all(is_table) => {
                let _ = writeln!(out, "{} = [", key(&entry.key));
                for item in items {
                    let _ = writeln!(out, "  {},", inline(&item.value));
                }
                let _ = writeln!(out, "]");
            }
            value => {
                let _ = writeln!(out, "{} = {}", key(&entry.key), inline(value));
            }
        }
    }
}

fn is_table(node: &Node) -> bool {
    matches!(node.value, Value::Table(_))
}

/// On one line.
pub(super) fn inline(value: &Value) -> String {
    match value {
        Value::Null => quoted(""),
        // On one line even where it has several.
        Value::Text(text) => quoted_on_one_line(text),
        Value::Integer(digits) => number(digits, false),
        Value::Float(digits) => number(digits, true),
        Value::Bool(flag) => flag.to_string(),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(|item| inline(&item.value)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Table(table) => {
            let entries = table
                .entries
                .iter()
                .filter(|entry| entry.node.value != Value::Null);
            let entries: Vec<String> = entries
                .map(|entry| format!("{} = {}", key(&entry.key), inline(&entry.node.value)))
                .collect();
            if entries.is_empty() {
                "{}".to_owned()
            } else {
                format!("{{ {} }}", entries.join(", "))
            }
        }
    }
}

/// What TOML takes for no number stays text, as the reader takes numbers from text too.
fn number(digits: &str, is_float: bool) -> String {
    let reads = if is_float {
        digits.parse::<f64>().is_ok_and(f64::is_finite)
    } else {
        digits.parse::<i64>().is_ok()
    };
    let starts_well = digits
        .trim_start_matches(['-', '+'])
        .starts_with(|c: char| c.is_ascii_digit());
    let whole = !is_float
        || digits.contains(['e', 'E'])
        || digits
            .split_once('.')
            .is_none_or(|(_, rest)| !rest.is_empty());
    let leading = digits.trim_start_matches('-');
    let leading_zero = leading.len() > 1 && leading.starts_with('0') && !leading.starts_with("0.");
    if reads && starts_well && whole && !leading_zero {
        digits.to_owned()
    } else {
        quoted(digits)
    }
}

fn quoted_on_one_line(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn key(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !key.is_empty() && key.chars().all(bare) {
        key.to_owned()
    } else {
        quoted_on_one_line(key)
    }
}

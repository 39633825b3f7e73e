//! `[backends.NAME]`, and those that the environment sets.

use std::collections::BTreeMap;

use super::super::kind;
use super::super::sheet::{Grade, Sheet, text};
use super::super::source::Source;
use super::UNSPOKEN;
use crate::config::document::{Entry, Node, Table, Value};
use crate::config::reading::did_you_mean;

const TRITON: &str = "triton";
const TYPES: [&str; 2] = ["openai", TRITON];
/// Sets a backend, or keys of one: `AI_ROUTER_BACKENDS_OPENAI={api_key=…}`.
const VARIABLE: &str = "AI_ROUTER_BACKENDS_";

#[derive(Debug, Default)]
pub(super) struct Backends {
    /// Each with whether it is a Triton.
    pub names: BTreeMap<String, bool>,
    pub default: Option<String>,
}

pub(super) fn read(table: Option<Source<'_>>, has_keys: bool, sheet: &mut Sheet<'_>) -> Backends {
    let mut backends = Backends::default();
    let mut first_default: Option<String> = None;
    for (name, said) in table.iter().flat_map(Source::all) {
        let Some(mut backend) = said.table(sheet) else {
            continue;
        };
        let word = sheet.needed(&mut backend, "type", "\"openai\" or \"triton\"");
        let word = word.and_then(|said| {
            let word = said.text(sheet)?;
            if !TYPES.contains(&word) {
                let hint = did_you_mean(word, &TYPES);
                sheet.wrong(&said, format!("unknown type \"{word}\"; {hint}"));
                return None;
            }
            sheet.grade(
                &said,
                "",
                if word == TRITON {
                    Grade::NotCarried(UNSPOKEN.to_owned())
                } else {
                    Grade::Exact
                },
            );
            Some(word)
        });
        let is_triton = word == Some(TRITON);
        backends.names.insert(name.to_owned(), is_triton);
        if let Some(said) = backend.get("default") {
            match said.flag(sheet) {
                Some(true) => match &first_default {
                    Some(first) => {
                        let message =
                            format!("{first} is already the default; there can be one only");
                        sheet.wrong(&said, message);
                    }
                    None => {
                        first_default = Some(backend.path.clone());
                        backends.default = Some(name.to_owned());
                        sheet.grade(
                            &said,
                            "the targets of models without a backend",
                            Grade::Exact,
                        );
                    }
                },
                _ => sheet.without_effect(&said, "it is off"),
            }
        }
        if is_triton {
            for key in ["base_url", "api_key"] {
                if let Some(said) = backend.get(key) {
                    sheet.not_carried(&said, UNSPOKEN);
                }
            }
        } else {
            provider(name, &mut backend, has_keys, sheet);
        }
        sheet.unknown_rest(&backend, &["type", "base_url", "api_key", "default"]);
    }
    if backends.names.is_empty() && sheet.problems.is_empty() {
        sheet.wrong_at(
            "backends".to_owned(),
            1,
            "there is none; write at least one [backends.NAME] with type and base_url",
        );
    }
    backends
}

fn provider(name: &str, backend: &mut Source<'_>, has_keys: bool, sheet: &mut Sheet<'_>) {
    let base = sheet.needed(
        backend,
        "base_url",
        "an address such as \"https://llm.example.com/v1\"",
    );
    let mut item = sheet.item("providers", &backend.path, backend.line);
    item.assume("name", text(name));
    let kind = base.as_ref().and_then(|said| kind::at(said.text(sheet)?));
    item.assume("kind", text(kind.map_or(kind::OPENAI_LIKE, |kind| kind.id)));
    if let Some(base) = &base {
        item.copy(sheet, "base_url", base);
    }
    match backend.get("api_key").filter(|said| !said.is_off()) {
        Some(key) => item.copy(sheet, "api_key", &key),
        None => {
            // Empty: not the one that the kind's own variable holds.
            item.assume("api_key", text(""));
            // A key of the gateway's own is nobody else's business.
            if !has_keys {
                item.assume("pass_client_key", Value::Bool(true));
            }
        }
    }
    sheet.put("providers", item);
}

/// Backends that the environment sets come over those of the file.
pub(super) fn with_variables(mut document: Table, sheet: &Sheet<'_>) -> Table {
    for (name, value) in sheet.environment.starting_with(VARIABLE) {
        let name = name[VARIABLE.len()..].to_ascii_lowercase();
        let inside = value
            .trim()
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'));
        let Some(inside) = inside.filter(|_| !name.is_empty()) else {
            continue;
        };
        let line = document.get("backends").map_or(1, |node| node.line);
        for pair in inside.split(',') {
            let Some((key, value)) = pair.split_once('=') else {
                continue;
            };
            let value = value.trim().trim_matches('"');
            let value = match value {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                other => text(other),
            };
            set(
                &mut document,
                &["backends", &name, key.trim()],
                Node::at(value, line),
            );
        }
    }
    document
}

/// Puts a node where the path leads. Names may have dots.
fn set(table: &mut Table, path: &[&str], node: Node) {
    let [key, rest @ ..] = path else { return };
    if table.get(key).is_none() {
        table.entries.push(Entry {
            key: (*key).to_owned(),
            line: node.line,
            node: Node::at(Value::Table(Table::default()), node.line),
        });
    }
    let Some(entry) = table.entries.iter_mut().find(|entry| entry.key == *key) else {
        return;
    };
    if rest.is_empty() {
        entry.node = node;
    } else if let Value::Table(inner) = &mut entry.node.value {
        set(inner, rest, node);
    }
}

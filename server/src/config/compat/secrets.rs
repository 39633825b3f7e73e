//! Secrets of a translated configuration: which values are, and what variables stand for them.

use std::collections::BTreeMap;

use super::sheet::{Sheet, text};
use crate::config::document::{Table, Value};
use crate::config::reading::variable_part;

/// A variable that has to hold what stood in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Moved {
    pub variable: String,
    /// Where the secret stands in the file.
    pub path: String,
    pub line: usize,
}

/// Replaces each secret by a variable. References to variables stay as they are.
pub(super) fn move_secrets(sheet: &mut Sheet<'_>) -> Vec<Moved> {
    let mut found = Vec::new();
    let mut native = std::mem::take(&mut sheet.native);
    let owners = owners(&native);
    let mut names = Names {
        used: references(&native)
            .into_iter()
            .map(|name| (name, None))
            .collect(),
    };
    walk(&mut native, "", &mut |path, line, value| {
        let Value::Text(secret) = value else { return };
        let Some(owner) = owner(path, &owners) else {
            return;
        };
        if secret.is_empty() || is_reference(secret) {
            return;
        }
        let wanted = sheet.secret_names.iter().find(|(place, _)| place == path);
        let wanted = wanted.map_or_else(|| owner.clone(), |(_, name)| name.clone());
        let variable = names.for_secret(&wanted, secret);
        *value = text(format!("${{{variable}}}"));
        let from = sheet
            .origin(path)
            .map_or_else(String::new, |(path, _)| path.to_owned());
        found.push(Moved {
            variable,
            path: from,
            line,
        });
    });
    sheet.native = native;
    found
}

/// `${A}`, and nothing beside it: a default could be the secret itself.
fn is_reference(text: &str) -> bool {
    let name = text
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'));
    let name = name.map(|name| name.strip_suffix(":-").unwrap_or(name));
    name.is_some_and(|name| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    })
}

/// The items of lists by their place, with what their secrets may be named after.
fn owners(native: &Table) -> BTreeMap<String, String> {
    let mut owners = BTreeMap::new();
    for list in ["providers", "keys"] {
        let Some(Value::List(items)) = native.get(list).map(|node| &node.value) else {
            continue;
        };
        for (i, item) in items.iter().enumerate() {
            if let Value::Table(table) = &item.value
                && let Some(Value::Text(name)) = table.get("name").map(|node| &node.value)
            {
                owners.insert(format!("{list}[{i}]"), variable_part(name));
            }
        }
    }
    owners
}

/// A name for the secret at this place: `OPENAI_API_KEY`, `CLIENT_KEY`; `None`: what stands there is no secret.
fn owner(path: &str, owners: &BTreeMap<String, String>) -> Option<String> {
    if path == "logging.elasticsearch.api_key" {
        return Some("ELASTIC_API_KEY".to_owned());
    }
    let (item, key) = path.split_once("].")?;
    let owner = owners.get(&format!("{item}]"))?;
    match item.split('[').next()? {
        "providers" if key == "api_key" || key.starts_with("api_keys[") => {
            Some(format!("{owner}_API_KEY"))
        }
        "providers" => Some(format!(
            "{owner}_{}",
            variable_part(key.strip_prefix("headers.")?)
        )),
        "keys" if key == "key" => Some(format!("{owner}_KEY")),
        _ => None,
    }
}

/// Which names are taken, and by which secret.
struct Names {
    used: BTreeMap<String, Option<String>>,
}

impl Names {
    /// The same secret has the same name, another one another.
    fn for_secret(&mut self, wanted: &str, secret: &str) -> String {
        let same = self
            .used
            .iter()
            .find(|(_, known)| known.as_deref() == Some(secret));
        if let Some((name, _)) = same {
            return name.clone();
        }
        let free =
            super::pool::free_name(wanted, |name| self.used.contains_key(&variable_part(name)));
        let free = variable_part(&free);
        self.used.insert(free.clone(), Some(secret.to_owned()));
        free
    }
}

/// The variables that the tree speaks of, `$${` aside.
pub(in crate::config) fn references(table: &Table) -> Vec<String> {
    let mut names = Vec::new();
    walk(&mut table.clone(), "", &mut |_, _, value| {
        let Value::Text(text) = value else { return };
        let mut rest = text.as_str();
        while let Some(at) = rest.find("${") {
            let inside = &rest[at + 2..];
            if !rest[..at].ends_with('$')
                && let Some(end) = inside.find('}')
            {
                let name = &inside[..end];
                names.push(
                    name.split_once(":-")
                        .map_or(name, |(name, _)| name)
                        .to_owned(),
                );
            }
            rest = inside;
        }
    });
    names
}

fn walk(table: &mut Table, path: &str, visit: &mut impl FnMut(&str, usize, &mut Value)) {
    for entry in &mut table.entries {
        let path = if path.is_empty() {
            entry.key.clone()
        } else {
            format!("{path}.{}", entry.key)
        };
        step(&mut entry.node.value, entry.node.line, &path, visit);
    }
}

fn step(
    value: &mut Value,
    line: usize,
    path: &str,
    visit: &mut impl FnMut(&str, usize, &mut Value),
) {
    match value {
        Value::Table(inner) => walk(inner, path, visit),
        Value::List(items) => {
            for (i, item) in items.iter_mut().enumerate() {
                step(&mut item.value, item.line, &format!("{path}[{i}]"), visit);
            }
        }
        value => visit(path, line, value),
    }
}

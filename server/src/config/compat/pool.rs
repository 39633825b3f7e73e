//! The provider pool's YAML: models, each with providers of its own that take turns.
//! <https://github.com/dbydd/AI-api-pool#configuration>

use super::sheet::{Grade, Sheet, text};
use super::source::{Said, Source};
use super::{Format, kind};
use crate::config::document::{Node, Table, Value};

pub(super) static FORMAT: Format = Format {
    name: "the provider pool's",
    is,
    translate,
};

fn is(document: &Table) -> bool {
    let Some(Value::Table(models)) = document.get("models").map(|node| &node.value) else {
        return false;
    };
    let mut tables = models.entries.iter().map(|entry| &entry.node.value);
    tables.any(|model| match model {
        Value::Table(model) => {
            model.get("providers").is_some() || model.get("model_name").is_some()
        }
        _ => false,
    }) || (models.entries.is_empty() && document.get("server").is_some())
}

/// A provider of the pool as the gateway knows it: what differs in any of this is another one.
#[derive(Debug, PartialEq)]
struct Known {
    name: String,
    base: Option<Value>,
    key: Option<Value>,
}

/// One mention of a provider in a model.
struct Mention<'t> {
    source: Source<'t>,
    name: Option<Said<'t>>,
    base: Option<Said<'t>>,
    key: Option<Said<'t>>,
    enabled: bool,
    switch: Option<Said<'t>>,
}

fn translate(document: &Table, sheet: &mut Sheet<'_>) {
    let mut source = Source::root(document);
    super::no_cache(sheet);
    if let Some(server) = source.table("server", sheet) {
        listener(server, sheet);
    }
    let models = source.get("models");
    let models = models.and_then(|said| said.table(sheet));
    let models: Vec<(String, Source<'_>)> = models
        .iter()
        .flat_map(Source::all)
        .filter_map(|(name, said)| Some((name.to_owned(), said.table(sheet)?)))
        .collect();
    if models.is_empty() && sheet.problems.is_empty() {
        sheet.wrong_at(
            "models".to_owned(),
            1,
            "there is none; write at least one with its providers",
        );
    }
    let mut providers: Vec<(Known, String)> = Vec::new();
    for (name, mut table) in models {
        let upstream = table.get("model_name");
        let mentions = mentions(&mut table, sheet);
        let mut item = sheet.item("models", &table.path, table.line);
        item.assume("name", text(name));
        // The item's place is taken: its providers are a list of their own.
        let targets = mentions
            .into_iter()
            .enumerate()
            .map(|(i, mention)| {
                let place = format!("{}.targets[{i}]", item.path);
                target(&place, mention, upstream.as_ref(), &mut providers, sheet)
            })
            .collect();
        item.assume("targets", Value::List(targets));
        if let Some(upstream) = &upstream {
            let native = format!("{}.targets.model", item.path);
            sheet.grade(upstream, &native, Grade::Exact);
        }
        sheet.put("models", item);
        sheet.unknown_rest(&table, &["model_name", "providers"]);
    }
    sheet.unknown_rest(&source, &["server", "models"]);
}

fn listener(mut server: Source<'_>, sheet: &mut Sheet<'_>) {
    if let Some(host) = server.get("host") {
        sheet.copy("server.host", &host);
    }
    if let Some(port) = server.get("port") {
        sheet.copy("server.port", &port);
    }
    if let Some(file) = server.get("config_file") {
        sheet.without_effect(&file, "the file that is read is the one named at the start");
    }
    sheet.unknown_rest(&server, &["host", "port", "config_file"]);
}

fn mentions<'t>(model: &mut Source<'t>, sheet: &mut Sheet<'_>) -> Vec<Mention<'t>> {
    let expected = "a list of providers, each with name, api_base and api_key";
    let Some(list) = sheet.needed(model, "providers", expected) else {
        return Vec::new();
    };
    let items = list.items(sheet);
    if items.is_empty() && matches!(list.value, Value::List(_)) {
        sheet.wrong(&list, format!("empty; expected {expected}"));
    }
    let tables: Vec<Source<'t>> = items.iter().filter_map(|item| item.table(sheet)).collect();
    tables
        .into_iter()
        .map(|mut source| {
            let name = sheet.needed(&mut source, "name", "a name");
            let base = sheet.needed(
                &mut source,
                "api_base",
                "an address such as \"https://llm.example.com/v1\"",
            );
            let key = sheet.needed(&mut source, "api_key", "text; \"\" where none is needed");
            let switch = source.get("enabled");
            let enabled = switch
                .as_ref()
                .is_none_or(|said| said.flag(sheet) != Some(false));
            Mention {
                source,
                name,
                base,
                key,
                enabled,
                switch,
            }
        })
        .collect()
}

/// The target, and its provider if no model spoke of it before.
fn target(
    place: &str,
    mention: Mention<'_>,
    upstream: Option<&Said<'_>>,
    providers: &mut Vec<(Known, String)>,
    sheet: &mut Sheet<'_>,
) -> Node {
    let wanted = mention
        .name
        .as_ref()
        .and_then(|said| said.text(sheet))
        .unwrap_or_default();
    let known = Known {
        name: wanted.to_owned(),
        base: mention.base.as_ref().map(|said| said.value.clone()),
        key: mention.key.as_ref().map(|said| said.value.clone()),
    };
    let before = providers.iter().find(|(other, _)| *other == known);
    let name = match before.map(|(_, name)| name.clone()) {
        Some(name) => {
            enable(&name, &mention, sheet);
            for said in [&mention.name, &mention.base, &mention.key]
                .into_iter()
                .flatten()
            {
                sheet.grade(said, &format!("providers {name}"), Grade::Exact);
            }
            name
        }
        None => {
            let taken = |name: &str| providers.iter().any(|(_, other)| other == name);
            let name = free_name(wanted, taken);
            provider(&name, &mention, sheet);
            providers.push((known, name.clone()));
            name
        }
    };
    let mut table = Table::default();
    let line = mention.source.line;
    let mut put =
        |key: &str, value: Value| super::sheet::place(&mut table, key, Node::at(value, line));
    put("provider", text(name));
    if let Some(upstream) = upstream {
        put("model", upstream.value.clone());
    }
    if let Some(switch) = &mention.switch {
        put("enabled", Value::Bool(mention.enabled));
        sheet.grade(switch, &format!("{place}.enabled"), Grade::Exact);
    }
    sheet
        .origins
        .push((place.to_owned(), mention.source.path.clone()));
    sheet.unknown_rest(&mention.source, &["name", "api_base", "api_key", "enabled"]);
    Node::at(Value::Table(table), line)
}

fn provider(name: &str, mention: &Mention<'_>, sheet: &mut Sheet<'_>) {
    let mut item = sheet.item("providers", &mention.source.path, mention.source.line);
    item.assume("name", text(name));
    if let Some(said) = &mention.name {
        let grade = match said.value {
            Value::Text(given) if given != name => Grade::Approximate(format!(
                "called {name}: models share names of providers here, and this one differs"
            )),
            _ => Grade::Exact,
        };
        sheet.grade(said, &format!("{}.name", item.path), grade);
    }
    let url = mention.base.as_ref().and_then(|said| said.text(sheet));
    let kind = url.and_then(kind::at);
    item.assume("kind", text(kind.map_or(kind::OPENAI_LIKE, |kind| kind.id)));
    if let Some(base) = &mention.base {
        match (url, kind) {
            (Some(url), Some(kind)) if kind::has_resources(kind) => {
                let how = "in the provider's own way: a deployment's address, and a key in a header of its own";
                let url = text(kind::with_path(kind, url));
                item.set(
                    sheet,
                    "base_url",
                    url,
                    base,
                    Grade::Approximate(how.to_owned()),
                );
            }
            _ => item.copy(sheet, "base_url", base),
        }
    }
    if let Some(key) = &mention.key {
        // What is never called needs no variable.
        match key.value {
            Value::Text(reference) if !mention.enabled => {
                let optional = text(optional(reference));
                item.set(sheet, "api_key", optional, key, Grade::Exact);
            }
            _ => item.copy(sheet, "api_key", key),
        }
    }
    item.assume("enabled", Value::Bool(mention.enabled));
    sheet.put("providers", item);
}

/// A provider is there if any model wants it, with its key.
fn enable(name: &str, mention: &Mention<'_>, sheet: &mut Sheet<'_>) {
    if !mention.enabled {
        return;
    }
    let Some(Value::List(items)) = sheet
        .native
        .entries
        .iter_mut()
        .find(|entry| entry.key == "providers")
        .map(|entry| &mut entry.node.value)
    else {
        return;
    };
    for item in items {
        let Value::Table(table) = &mut item.value else {
            continue;
        };
        if table.get("name").map(|node| &node.value) == Some(&text(name)) {
            super::sheet::place(table, "enabled", Node::at(Value::Bool(true), item.line));
            if let Some(key) = &mention.key {
                super::sheet::place(table, "api_key", Node::at(key.value.clone(), key.line));
            }
        }
    }
}

/// `${NAME}` as `${NAME:-}`, which may be unset.
fn optional(reference: &str) -> String {
    match reference
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'))
    {
        Some(name) if !name.contains([':', '$', '{', '}']) => format!("${{{name}:-}}"),
        _ => reference.to_owned(),
    }
}

/// `name`, or `name-2` and so on.
pub(super) fn free_name(name: &str, taken: impl Fn(&str) -> bool) -> String {
    let mut free = name.to_owned();
    let mut number = 2;
    while taken(&free) {
        free = format!("{name}-{number}");
        number += 1;
    }
    free
}

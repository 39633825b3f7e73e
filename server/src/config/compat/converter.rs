//! The protocol converter's TOML: upstreams with one protocol each, and paths that lead to them.

use super::sheet::{Grade, Sheet, text};
use super::source::{Said, Source};
use super::{Format, kind};
use crate::config::document::{Table, Value};
use crate::config::reading::{did_you_mean, variable_part};

pub(super) static FORMAT: Format = Format {
    name: "the protocol converter's with [[upstreams]] and [[routes]]",
    is: |document| document.get("upstreams").is_some() || is_list(document, "routes"),
    translate,
};

/// Its words for protocols, ours, and how an address of that protocol ends.
const FORMATS: [(&str, &str, &str); 3] = [
    ("openai-chat", "openai_chat", "/chat/completions"),
    ("openai-responses", "openai_responses", "/responses"),
    ("anthropic", "anthropic", "/messages"),
];

fn is_list(document: &Table, key: &str) -> bool {
    // The native format has this list too, and providers beside it.
    matches!(document.get(key).map(|node| &node.value), Some(Value::List(items))
        if items.iter().any(|item| matches!(&item.value, Value::Table(route) if route.get("upstream").is_some())))
}

fn translate(document: &Table, sheet: &mut Sheet<'_>) {
    let mut source = Source::root(document);
    super::no_cache(sheet);
    for (section, keys) in [
        ("server", ["host", "port"]),
        ("logging", ["level", "format"]),
    ] {
        let Some(mut table) = source.table(section, sheet) else {
            continue;
        };
        for key in keys {
            if let Some(said) = table.get(key) {
                sheet.copy(&format!("{section}.{key}"), &said);
            }
        }
        sheet.unknown_rest(&table, &keys);
    }
    let upstreams = tables(source.get("upstreams"), sheet);
    let mut names: Vec<String> = Vec::new();
    for upstream in upstreams {
        if let Some(name) = provider(upstream, &names, sheet) {
            names.push(name);
        }
    }
    let routes = tables(source.get("routes"), sheet);
    for (list, is_empty, example) in [
        ("upstreams", names.is_empty(), "name, url and format"),
        (
            "routes",
            routes.is_empty(),
            "path, input_format and upstream",
        ),
    ] {
        if is_empty && sheet.problems.is_empty() {
            let message = format!("there is none; write at least one [[{list}]] with {example}");
            sheet.wrong_at(list.to_owned(), 1, message);
        }
    }
    let mut paths: Vec<(String, String)> = Vec::new();
    for table in routes {
        route(table, &names, &mut paths, sheet);
    }
    sheet.unknown_rest(&source, &["server", "logging", "upstreams", "routes"]);
}

fn tables<'t>(list: Option<Said<'t>>, sheet: &mut Sheet<'_>) -> Vec<Source<'t>> {
    let items = list.map(|said| said.items(sheet)).unwrap_or_default();
    items.iter().filter_map(|item| item.table(sheet)).collect()
}

/// Gives its name.
fn provider(mut upstream: Source<'_>, names: &[String], sheet: &mut Sheet<'_>) -> Option<String> {
    let name = sheet.needed(&mut upstream, "name", "a name");
    let url = sheet.needed(
        &mut upstream,
        "url",
        "an address such as \"https://llm.example.com/v1\"",
    );
    let format = sheet.needed(
        &mut upstream,
        "format",
        "\"openai-chat\", \"openai-responses\" or \"anthropic\"",
    );
    let key = upstream.get("api_key");
    let said = name?;
    let name = said.text(sheet)?;
    if names.iter().any(|other| other == name) {
        sheet.wrong(
            &said,
            format!("\"{name}\" is already the name of another; names must differ"),
        );
        return None;
    }
    let format = format.and_then(|said| Some((protocol(&said, sheet)?, said)));
    let mut item = sheet.item("providers", &upstream.path, upstream.line);
    item.copy(sheet, "name", &said);
    let at = url.as_ref().and_then(|said| kind::at(said.text(sheet)?));
    let anthropic = matches!(&format, Some(((_, "anthropic", _), _)));
    let like = if anthropic {
        kind::ANTHROPIC_LIKE
    } else {
        kind::OPENAI_LIKE
    };
    let spoken = at.filter(|kind| {
        let mut codecs = kind.codecs.iter();
        matches!(&format, Some(((_, native, _), _)) if codecs.any(|codec| codec.protocol().as_str() == *native))
    });
    item.assume("kind", text(spoken.map_or(like, |kind| kind.id)));
    if let Some(((_, native, _), said)) = &format {
        item.set(sheet, "protocol", text(*native), said, Grade::Exact);
    }
    if let Some(said) = &url
        && let Some(url) = said.text(sheet)
    {
        item.set(sheet, "base_url", text(base_url(url)), said, Grade::Exact);
    }
    let variable = format!("GATEWAY_UPSTREAMS_{}_API_KEY", variable_part(name));
    let given = sheet.environment.given(&variable).is_some();
    match key.filter(|said| !said.is_off()) {
        Some(said) if given => {
            let grade =
                Grade::Approximate(format!("the variable {variable} is set, and comes first"));
            item.set(
                sheet,
                "api_key",
                text(format!("${{{variable}}}")),
                &said,
                grade,
            );
        }
        Some(said) => item.copy(sheet, "api_key", &said),
        // Whenever it is set: at the start, not at the import.
        None => {
            item.assume("api_key", text(format!("${{{variable}:-}}")));
            item.assume("pass_client_key", Value::Bool(true));
        }
    }
    sheet.variables.push(variable);
    sheet.put("providers", item);
    sheet.unknown_rest(&upstream, &["name", "url", "format", "api_key"]);
    Some(name.to_owned())
}

fn protocol(
    said: &Said<'_>,
    sheet: &mut Sheet<'_>,
) -> Option<(&'static str, &'static str, &'static str)> {
    let word = said.text(sheet)?;
    let found = FORMATS.iter().find(|(theirs, ..)| *theirs == word).copied();
    if found.is_none() {
        let hint = did_you_mean(word, &FORMATS.map(|(theirs, ..)| theirs));
        sheet.wrong(said, format!("unknown format \"{word}\"; {hint}"));
    }
    found
}

/// Whether the address is the host's, the API's or the endpoint's.
fn base_url(url: &str) -> String {
    let url = url.trim_end_matches('/');
    let ending = FORMATS
        .iter()
        .find_map(|(.., ending)| url.strip_suffix(ending));
    let url = ending.unwrap_or(url);
    match kind::path(url) {
        Some(path) if path.is_empty() => format!("{url}/v1"),
        _ => url.to_owned(),
    }
}

fn route(
    mut table: Source<'_>,
    upstreams: &[String],
    paths: &mut Vec<(String, String)>,
    sheet: &mut Sheet<'_>,
) {
    let path = sheet.needed(
        &mut table,
        "path",
        "a path such as \"/v1/chat/completions\"",
    );
    let format = sheet.needed(
        &mut table,
        "input_format",
        "\"openai-chat\", \"openai-responses\" or \"anthropic\"",
    );
    let upstream = sheet.needed(
        &mut table,
        "upstream",
        "the name of one of the [[upstreams]]",
    );
    let mut item = sheet.item("routes", &table.path, table.line);
    if let Some(said) = &path
        && let Some(path) = said.text(sheet)
    {
        match paths.iter().find(|(other, _)| other == path) {
            Some((_, first)) => {
                let message = format!(
                    "{path} is already the path of {first}; one path leads to one upstream"
                );
                sheet.wrong(said, message);
            }
            None => paths.push((path.to_owned(), table.path.clone())),
        }
        item.copy(sheet, "path", said);
    }
    if let Some(said) = &format
        && let Some((_, native, _)) = protocol(said, sheet)
    {
        item.set(sheet, "dialect", text(native), said, Grade::Exact);
    }
    if let Some(said) = &upstream
        && let Some(name) = said.text(sheet)
    {
        if !upstreams.iter().any(|upstream| upstream == name) {
            let names: Vec<&str> = upstreams.iter().map(String::as_str).collect();
            sheet.wrong(
                said,
                format!(
                    "unknown upstream \"{name}\"; {}",
                    did_you_mean(name, &names)
                ),
            );
        }
        item.copy(sheet, "provider", said);
    }
    sheet.put("routes", item);
    sheet.unknown_rest(&table, &["path", "input_format", "upstream"]);
}

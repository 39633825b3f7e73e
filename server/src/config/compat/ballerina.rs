//! The Ballerina gateway's `Config.toml`: a table a provider, each with one key, model and endpoint.
//! <https://github.com/wx-yz/ai-gateway#configuration-reference>
//!
//! Clients choose the provider by `x-llm-provider`; its own model answers, and if it fails the others are asked in
//! the order below.

use llm::chat::Protocol;
use llm::providers::{self, Provider};

use super::sheet::{Grade, Item, Sheet, text, texts};
use super::source::{Said, Source};
use super::{Format, kind};
use crate::config::document::{Table, Value};

pub(super) static FORMAT: Format = Format {
    name: "the Ballerina gateway's Config.toml",
    is,
    translate,
};

/// What clients call each provider, in the order of failover; its table is `NAMEConfig`.
const PROVIDERS: [(&str, &str); 6] = [
    ("openai", "openAIConfig"),
    ("anthropic", "anthropicConfig"),
    ("gemini", "geminiConfig"),
    ("ollama", "ollamaConfig"),
    ("mistral", "mistralConfig"),
    ("cohere", "cohereConfig"),
];
const LOGGING: &str = "defaultLoggingConfig";
const KEYS: [&str; 3] = ["gateway", LOGGING, "cacheTTLSeconds"];

fn is(document: &Table) -> bool {
    let has = |key: &str| document.get(key).is_some();
    let provider = |key: &str| key.ends_with("Config") && key != LOGGING;
    let mut keys = document.entries.iter().map(|entry| entry.key.as_str());
    keys.any(provider) || (KEYS.iter().any(|key| has(key)) && !has("server") && !has("models"))
}

fn translate(document: &Table, sheet: &mut Sheet<'_>) {
    let mut source = Source::root(document);
    super::listen_everywhere(sheet);
    sheet.assume("admin.host", text("0.0.0.0"));
    if let Some(gateway) = source.table("gateway", sheet) {
        listeners(gateway, sheet);
    }
    let tables: Vec<(&'static str, Source<'_>)> = PROVIDERS
        .iter()
        .filter_map(|(name, key)| Some((*name, source.table(key, sheet)?)))
        .collect();
    let names: Vec<&str> = tables.iter().map(|(name, _)| *name).collect();
    for (name, table) in tables {
        provider(name, table, &names, sheet);
    }
    if let Some(logging) = source.table(LOGGING, sheet) {
        log_shipping(logging, sheet);
    }
    if let Some(ttl) = source.get("cacheTTLSeconds") {
        match ttl.number(sheet) {
            Some(seconds) if seconds >= 1.0 => {
                let native = text(format!("{}s", seconds.round()));
                sheet.set("cache.ttl", native, &ttl, Grade::Exact);
            }
            Some(_) => sheet.set("cache.enabled", Value::Bool(false), &ttl, Grade::Exact),
            None => {}
        }
    }
    let mut known: Vec<&str> = PROVIDERS.iter().map(|(_, key)| *key).collect();
    known.extend(KEYS);
    sheet.unknown_rest(&source, &known);
    if names.is_empty() && sheet.problems.is_empty() {
        sheet.wrong_at(
            String::new(),
            1,
            "there is no provider; write at least one, such as [openAIConfig] with apiKey, model and endpoint",
        );
    }
}

fn listeners(mut gateway: Source<'_>, sheet: &mut Sheet<'_>) {
    if let Some(port) = gateway.get("port") {
        sheet.copy("server.port", &port);
    }
    if let Some(port) = gateway.get("adminPort") {
        sheet.copy("admin.port", &port);
    }
    if let Some(verbose) = gateway.get("verboseLogging") {
        match verbose.flag(sheet) {
            Some(true) => {
                let how = "everything at the level debug, but never prompts and replies".to_owned();
                let grade = Grade::Approximate(how);
                sheet.set("logging.level", text("debug"), &verbose, grade);
            }
            _ => sheet.without_effect(&verbose, "it is off"),
        }
    }
    sheet.unknown_rest(&gateway, &["port", "adminPort", "verboseLogging"]);
}

fn provider(name: &str, mut table: Source<'_>, all: &[&str], sheet: &mut Sheet<'_>) {
    let Some(kind) = providers::find(name) else {
        return;
    };
    let key = sheet.needed(&mut table, "apiKey", "text; \"\" where none is needed");
    let model = sheet.needed(&mut table, "model", "the name of the provider's model");
    let endpoint = sheet.needed(
        &mut table,
        "endpoint",
        "an address such as \"https://llm.example.com\"",
    );
    let mut item = sheet.item("providers", &table.path, table.line);
    item.assume("name", text(name));
    match endpoint {
        Some(endpoint) => address(kind, &mut item, &endpoint, sheet),
        None => item.assume("kind", text(kind.id)),
    }
    if let Some(key) = key {
        item.copy(sheet, "api_key", &key);
    }
    if let Some(model) = model {
        if matches!(model.value, Value::Text(name) if name.is_empty()) {
            sheet.wrong(&model, "empty; expected the name of the provider's model");
        }
        item.copy(sheet, "model", &model);
    }
    let others = all.iter().filter(|other| **other != name);
    let others: Vec<String> = others.map(|other| (*other).to_owned()).collect();
    if !others.is_empty() {
        item.assume("fallbacks", texts(others, table.line));
    }
    if all.first() == Some(&name) {
        item.assume("default", Value::Bool(true));
    }
    sheet.put("providers", item);
    sheet.unknown_rest(&table, &["apiKey", "model", "endpoint"]);
}

/// There the API's own path is behind the endpoint; here the base URL has it.
fn address(kind: &'static Provider, item: &mut Item, endpoint: &Said<'_>, sheet: &mut Sheet<'_>) {
    let Some(url) = endpoint.text(sheet) else {
        if matches!(endpoint.value, Value::Text(_)) {
            sheet.wrong(
                endpoint,
                "empty; expected an address such as \"https://llm.example.com\"",
            );
        }
        item.assume("kind", text(kind.id));
        return;
    };
    item.assume("kind", text(kind::spoken_at(kind, url)));
    if kind.codecs[0].protocol() == Protocol::Gemini
        && let (Some(origin), Some(path)) = (kind::origin(url), kind::path(url))
        && let Some(own) = kind.base_url.and_then(kind::path)
        && path != own
    {
        let before = path
            .split_once("/v1")
            .map_or(path.as_str(), |(before, _)| before);
        let how = format!("spoken to in its own protocol, below {own}");
        let url = text(format!("{origin}{before}{own}"));
        item.set(sheet, "base_url", url, endpoint, Grade::Approximate(how));
        return;
    }
    let url = kind::with_path(kind, url);
    item.set(sheet, "base_url", text(url), endpoint, Grade::Exact);
}

/// Where logs went; each has a switch, and addresses and keys that begin so.
const DESTINATIONS: [&str; 4] = ["elastic", "splunk", "datadog", "opentelemetry"];

fn log_shipping(logging: Source<'_>, sheet: &mut Sheet<'_>) {
    let all = logging.all();
    let named = |key: &str| {
        let name = key.to_ascii_lowercase();
        let name = name.strip_prefix("enable").unwrap_or(&name).to_owned();
        DESTINATIONS.into_iter().find(|to| name.starts_with(to))
    };
    let on = |to: &str| {
        let mut switches = all.iter().filter(|(key, _)| key.starts_with("enable"));
        switches.any(|(key, said)| named(key) == Some(to) && said.value == &Value::Bool(true))
    };
    for (key, said) in &all {
        match named(key) {
            Some(to) if on(to) => {
                let why = "this version ships its log nowhere yet; it goes to standard error";
                sheet.not_carried(said, why);
            }
            Some(_) => sheet.without_effect(said, "it is off"),
            None => sheet.not_carried(said, "the format has no such key"),
        }
    }
}

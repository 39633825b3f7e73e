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

/// A service that logs were shipped to.
struct Sink {
    switch: &'static str,
    endpoint: &'static str,
    /// What its key is called there, and here.
    secret: Option<(&'static str, &'static str)>,
    /// Its section here.
    native: &'static str,
    /// What it needs that the format has no key for.
    lacks: Option<&'static str>,
}

const SINKS: [Sink; 3] = [
    Sink {
        switch: "enableElasticSearch",
        endpoint: "elasticSearchEndpoint",
        secret: Some(("elasticApiKey", "api_key")),
        native: "logging.elasticsearch",
        lacks: None,
    },
    Sink {
        switch: "enableSplunk",
        endpoint: "splunkEndpoint",
        secret: None,
        native: "logging.splunk",
        lacks: Some("Splunk wants a token: set logging.splunk.token"),
    },
    Sink {
        switch: "enableDatadog",
        endpoint: "datadogEndpoint",
        secret: None,
        native: "logging.datadog",
        lacks: Some("Datadog wants a key: set logging.datadog.api_key"),
    },
];

fn log_shipping(mut logging: Source<'_>, sheet: &mut Sheet<'_>) {
    let mut known = vec!["enableOpenTelemetry", "openTelemetryEndpoint"];
    for sink in SINKS {
        known.extend([sink.switch, sink.endpoint]);
        known.extend(sink.secret.map(|(key, _)| key));
        ship(&sink, &mut logging, sheet);
    }
    let traces = logging.get("enableOpenTelemetry");
    let is_on = traces
        .as_ref()
        .is_some_and(|said| said.value == &Value::Bool(true));
    let address = logging.get("openTelemetryEndpoint");
    for said in [traces, address].into_iter().flatten() {
        match is_on {
            true => sheet.not_carried(&said, "logs are not shipped by OpenTelemetry"),
            false => sheet.without_effect(&said, "it is off"),
        }
    }
    sheet.unknown_rest(&logging, &known);
}

fn ship(sink: &Sink, logging: &mut Source<'_>, sheet: &mut Sheet<'_>) {
    let switch = logging.get(sink.switch);
    let endpoint = logging.get(sink.endpoint);
    let secret = sink
        .secret
        .and_then(|(key, native)| Some((logging.get(key)?, native)));
    let is_on = switch.as_ref().and_then(|said| said.flag(sheet)) == Some(true);
    let is_there = endpoint.as_ref().is_some_and(|said| !said.is_off());
    let Some(endpoint) = endpoint.as_ref().filter(|_| is_on && is_there) else {
        let secret = secret.map(|(said, _)| said);
        for said in endpoint.into_iter().chain(secret) {
            sheet.without_effect(&said, "it is off");
        }
        match switch {
            Some(switch) if is_on => {
                let why = format!("it has no {}", sink.endpoint);
                sheet.not_carried(&switch, &why);
            }
            Some(switch) => sheet.without_effect(&switch, "it is off"),
            None => {}
        }
        return;
    };
    let native = |key: &str| format!("{}.{key}", sink.native);
    if let Some(switch) = &switch {
        sheet.copy(&native("enabled"), switch);
    }
    match sink.lacks {
        None => sheet.copy(&native("endpoint"), endpoint),
        Some(lack) => {
            let grade = Grade::Approximate(lack.to_owned());
            let value = endpoint.value.clone();
            sheet.set(&native("endpoint"), value, endpoint, grade);
        }
    }
    match secret {
        Some((said, _)) if said.is_off() => sheet.without_effect(&said, "it is empty"),
        Some((said, key)) => sheet.copy(&native(key), &said),
        None => {}
    }
}

//! The router with Triton's TOML: a daemon, backends, and models by what they do.
//! <https://github.com/toverainc/ai-router/blob/main/examples/config.toml>
//!
//! Triton is not spoken yet. A model there is left out with a warning, unless another model takes what nothing else
//! directs: then its requests would silently go there, and the start is refused.

use std::collections::BTreeMap;

use super::sheet::{Grade, Item, Sheet, place, text, texts};
use super::source::{Said, Source};
use super::{Format, kind};
use crate::config::document::{Entry, Node, Table, Value};
use crate::config::reading::did_you_mean;

pub(super) static FORMAT: Format = Format {
    name: "the router's with [daemon], [backends] and [models]",
    is: |document| document.get("daemon").is_some() || document.get("backends").is_some(),
    translate,
};

/// Tables of models, and the endpoints at which each is asked.
const KINDS: [(&str, &[&str]); 4] = [
    ("chat_completions", &["chat", "completions"]),
    ("embeddings", &["embeddings"]),
    ("audio_speech", &["speech"]),
    ("audio_transcriptions", &["transcription", "translation"]),
];
const TRITON: &str = "triton";
const TYPES: [&str; 2] = ["openai", TRITON];
/// Sets a backend, or keys of one: `AI_ROUTER_BACKENDS_OPENAI={api_key=…}`.
const VARIABLE: &str = "AI_ROUTER_BACKENDS_";
const UNSPOKEN: &str = "this version does not speak to Triton yet";

#[derive(Debug, Default)]
struct Backends {
    /// Each with whether it is a Triton.
    names: BTreeMap<String, bool>,
    default: Option<String>,
}

/// A model of one of the tables.
struct Model<'t> {
    name: &'t str,
    endpoints: &'static [&'static str],
    source: Source<'t>,
    backend: String,
    named_backend: Option<Said<'t>>,
    upstream: Option<Said<'t>>,
    default: Option<Said<'t>>,
}

impl Model<'_> {
    fn is_default(&self) -> bool {
        self.default
            .as_ref()
            .is_some_and(|said| said.value == &Value::Bool(true))
    }
}

fn translate(document: &Table, sheet: &mut Sheet<'_>) {
    let document = with_variables(document.clone(), sheet);
    let mut source = Source::root(&document);
    if let Some(title) = source.get("title") {
        sheet.without_effect(&title, "it is for people who read the file");
    }
    let mut has_keys = false;
    match source.table("daemon", sheet) {
        Some(daemon) => has_keys = listener(daemon, sheet),
        None => sheet.wrong_at(
            "daemon".to_owned(),
            1,
            "missing; expected listen_ip and listen_port",
        ),
    }
    let table = source.table("backends", sheet);
    let backends = backends(table, has_keys, sheet);
    let models = source.table("models", sheet);
    let models = models_of(models, &backends, sheet);
    write(models, &backends, sheet);
    super::not_carried_table(
        &mut source,
        "prompt_models",
        sheet,
        "this version has no prompt templates yet",
    );
    sheet.unknown_rest(
        &source,
        &["title", "daemon", "backends", "models", "prompt_models"],
    );
}

/// Gives whether clients need a key.
fn listener(mut daemon: Source<'_>, sheet: &mut Sheet<'_>) -> bool {
    if let Some(host) = sheet.needed(&mut daemon, "listen_ip", "an address such as \"0.0.0.0\"") {
        sheet.copy("server.host", &host);
    }
    if let Some(port) = sheet.needed(&mut daemon, "listen_port", "a port such as 3000") {
        sheet.copy("server.port", &port);
    }
    match daemon.get("max_body_size") {
        Some(size) => match size.value {
            Value::Integer(mebibytes) => {
                let native = text(format!("{mebibytes}MiB"));
                sheet.set("server.max_body_size", native, &size, Grade::Exact);
            }
            _ => sheet.wrong(&size, "expected a whole number of MiB such as 4"),
        },
        None => sheet.assume("server.max_body_size", text("2MiB")),
    }
    let keys = daemon.get("api_key");
    let keys = keys.map(|said| said.one_or_many(sheet)).unwrap_or_default();
    let count = keys.len();
    let mut any = false;
    for (i, key) in keys.iter().enumerate() {
        if key.text(sheet).is_none() {
            continue;
        }
        any = true;
        let mut item = sheet.item("keys", &key.path, key.line);
        let name = if count == 1 {
            "client".to_owned()
        } else {
            format!("client-{}", i + 1)
        };
        item.assume("name", text(name));
        item.copy(sheet, "key", key);
        sheet.put("keys", item);
    }
    for (key, why) in [
        ("otlp_endpoint", "this version sends no traces yet"),
        (
            "instance_id",
            "this version sends no traces yet, which it would be named in",
        ),
        ("template_dir", "this version has no prompt templates yet"),
    ] {
        if let Some(said) = daemon.get(key) {
            sheet.not_carried_if_on(&said, why);
        }
    }
    let known = [
        "listen_ip",
        "listen_port",
        "api_key",
        "instance_id",
        "max_body_size",
        "otlp_endpoint",
        "template_dir",
    ];
    sheet.unknown_rest(&daemon, &known);
    any
}

fn backends(table: Option<Source<'_>>, has_keys: bool, sheet: &mut Sheet<'_>) -> Backends {
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

fn models_of<'t>(
    table: Option<Source<'t>>,
    backends: &Backends,
    sheet: &mut Sheet<'_>,
) -> Vec<Model<'t>> {
    let mut models = Vec::new();
    for (word, said) in table.iter().flat_map(Source::all) {
        let words = KINDS.map(|(word, _)| word);
        let Some((_, endpoints)) = KINDS.iter().find(|(kind, _)| *kind == word) else {
            let hint = did_you_mean(word, &words);
            sheet.wrong(&said, format!("unknown kind of models \"{word}\"; {hint}"));
            continue;
        };
        let Some(of_kind) = said.table(sheet) else {
            continue;
        };
        let mut first_default: Option<String> = None;
        for (name, said) in of_kind.all() {
            let Some(source) = said.table(sheet) else {
                continue;
            };
            let Some(model) = model(name, endpoints, source, backends, sheet) else {
                continue;
            };
            if model.is_default() {
                match &first_default {
                    Some(first) => {
                        let said = model.default.as_ref().unwrap_or(&said);
                        sheet.wrong(
                            said,
                            format!("{first} is already the default; there can be one only"),
                        );
                    }
                    None => first_default = Some(model.source.path.clone()),
                }
            }
            models.push(model);
        }
    }
    if models.is_empty() && sheet.problems.is_empty() {
        sheet.wrong_at(
            "models".to_owned(),
            1,
            "there is none; write at least one, such as [models.chat_completions.NAME]",
        );
    }
    models
}

fn model<'t>(
    name: &'t str,
    endpoints: &'static [&'static str],
    mut source: Source<'t>,
    backends: &Backends,
    sheet: &mut Sheet<'_>,
) -> Option<Model<'t>> {
    let named_backend = source.get("backend");
    let backend = match &named_backend {
        Some(said) => {
            let backend = said.text(sheet)?;
            if !backends.names.contains_key(backend) {
                let names: Vec<&str> = backends.names.keys().map(String::as_str).collect();
                let hint = did_you_mean(backend, &names);
                sheet.wrong(said, format!("unknown backend \"{backend}\"; {hint}"));
                return None;
            }
            backend.to_owned()
        }
        // That there is none has been said.
        None if backends.names.is_empty() => return None,
        None => match &backends.default {
            Some(default) => default.clone(),
            None => {
                let message = "missing, and no backend is the default; name one, or write default = true in one of them";
                sheet.wrong_at(source.path_of("backend"), source.line, message);
                return None;
            }
        },
    };
    let upstream = source.get("backend_model");
    let default = source.get("default");
    if let Some(said) = &default {
        said.flag(sheet)?;
    }
    Some(Model {
        name,
        endpoints,
        source,
        backend,
        named_backend,
        upstream,
        default,
    })
}

fn write(models: Vec<Model<'_>>, backends: &Backends, sheet: &mut Sheet<'_>) {
    let is_triton = |model: &Model<'_>| backends.names.get(&model.backend) == Some(&true);
    let (left_out, kept): (Vec<_>, Vec<_>) = models.into_iter().partition(is_triton);
    if kept.is_empty() && !left_out.is_empty() {
        sheet.wrong_at(
            "models".to_owned(),
            left_out[0].source.line,
            format!("all of them are at Triton, and {UNSPOKEN}"),
        );
        return;
    }
    for model in &left_out {
        let taker = kept
            .iter()
            .find(|other| other.is_default() && other.endpoints == model.endpoints);
        match taker {
            Some(taker) => sheet.wrong_at(
                model.source.path.clone(),
                model.source.line,
                format!(
                    "its backend \"{}\" is a Triton, and {UNSPOKEN}; without it its requests would go to {}, \
                     the default: give it another backend, or remove one of the two",
                    model.backend, taker.source.path
                ),
            ),
            None => sheet.not_carried_at(
                &model.source.path,
                model.source.line,
                &format!(
                    "left out: its backend \"{}\" is a Triton, and {UNSPOKEN}",
                    model.backend
                ),
            ),
        }
    }
    let mut names: Vec<&str> = Vec::new();
    for model in &kept {
        if !names.contains(&model.name) {
            names.push(model.name);
        }
    }
    let mut kept = kept;
    for name in names {
        let (mut same, others): (Vec<_>, Vec<_>) =
            kept.into_iter().partition(|model| model.name == name);
        kept = others;
        write_model(&mut same, sheet);
    }
}

/// One model, which may be in several of the tables: then each of them says where its endpoints' requests go.
fn write_model(tables: &mut [Model<'_>], sheet: &mut Sheet<'_>) {
    let (path, line) = (tables[0].source.path.clone(), tables[0].source.line);
    let mut item = sheet.item("models", &path, line);
    item.assume("name", text(tables[0].name));
    let endpoints = tables.iter().flat_map(|model| model.endpoints);
    item.assume(
        "endpoints",
        texts(endpoints.map(|word| (*word).to_owned()), line),
    );
    let defaults = tables.iter().filter(|model| model.is_default());
    let defaults: Vec<String> = defaults
        .flat_map(|model| model.endpoints)
        .map(|word| (*word).to_owned())
        .collect();
    if !defaults.is_empty() {
        item.assume("default_for", texts(defaults, line));
    }
    item.assume("targets", target(&tables[0]));
    let rules = tables[1..]
        .iter()
        .filter(|model| target(model) != target(&tables[0]))
        .flat_map(|model| {
            model.endpoints.iter().map(|endpoint| {
                let mut rule = Table::default();
                let mut put = |key: &str, value: Value| {
                    place(&mut rule, key, Node::at(value, model.source.line));
                };
                put("when.endpoint", text(*endpoint));
                put("targets", target(model));
                Node::at(Value::Table(rule), model.source.line)
            })
        });
    let rules: Vec<Node> = rules.collect();
    if !rules.is_empty() {
        item.assume("rules", Value::List(rules));
    }
    for model in tables.iter_mut() {
        settings(model, &mut item, sheet);
    }
    sheet.put("models", item);
}

fn target(model: &Model<'_>) -> Value {
    let mut target = Table::default();
    let mut put =
        |key: &str, value: Value| place(&mut target, key, Node::at(value, model.source.line));
    put("provider", text(&model.backend));
    if let Some(upstream) = &model.upstream {
        put("model", upstream.value.clone());
    }
    Value::List(vec![Node::at(Value::Table(target), model.source.line)])
}

fn settings(model: &mut Model<'_>, item: &mut Item, sheet: &mut Sheet<'_>) {
    let targets = format!("{}.targets", item.path);
    for said in [&model.named_backend, &model.upstream]
        .into_iter()
        .flatten()
    {
        sheet.grade(said, &targets, Grade::Exact);
    }
    if let Some(said) = &model.default {
        match model.is_default() {
            true => sheet.grade(said, &format!("{}.default_for", item.path), Grade::Exact),
            false => sheet.without_effect(said, "it is off"),
        }
    }
    let tokenizer = model.source.get("hf_model_name");
    if let Some(said) = model.source.get("max_input") {
        let how = "tokens are estimated, not counted with the model's tokenizer".to_owned();
        item.set(
            sheet,
            "max_input_tokens",
            said.value.clone(),
            &said,
            Grade::Approximate(how),
        );
    }
    if let Some(said) = tokenizer {
        sheet.grade(
            &said,
            "",
            Grade::Approximate("tokens are estimated for every model alike".to_owned()),
        );
    }
    for key in ["max_tokens", "prompt_format"] {
        if let Some(said) = model.source.get(key) {
            sheet.without_effect(&said, "there it is heeded for models at Triton only");
        }
    }
    let known = [
        "backend",
        "backend_model",
        "default",
        "hf_model_name",
        "max_input",
        "max_tokens",
        "prompt_format",
    ];
    sheet.unknown_rest(&model.source, &known);
}

/// Backends that the environment sets come over those of the file.
fn with_variables(mut document: Table, sheet: &Sheet<'_>) -> Table {
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

/// As [`place`], but names may have dots.
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

//! `[models.KIND.NAME]`.

use super::super::sheet::{Grade, Item, Sheet, place, text, texts};
use super::super::source::{Said, Source};
use super::UNSPOKEN;
use super::backends::Backends;
use crate::config::document::{Node, Table, Value};
use crate::config::reading::did_you_mean;

/// Tables of models, and the endpoints at which each is asked.
const KINDS: [(&str, &[&str]); 4] = [
    ("chat_completions", &["chat", "completions"]),
    ("embeddings", &["embeddings"]),
    ("audio_speech", &["speech"]),
    ("audio_transcriptions", &["transcription", "translation"]),
];

/// A model of one of the tables.
pub(super) struct Model<'t> {
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

pub(super) fn read<'t>(
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

pub(super) fn write(models: Vec<Model<'_>>, backends: &Backends, sheet: &mut Sheet<'_>) {
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

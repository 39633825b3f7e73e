//! LiteLLM's `config.yaml`. <https://docs.litellm.ai/docs/proxy/config_settings>
//!
//! Deployments of the same `model_name` are the targets of one model.

mod budget;
mod deployment;
mod kinds;
mod limits;
mod settings;
mod target;
mod values;

use self::deployment::Deployments;
use self::settings::Routing;
use self::target::Deployment;
use self::values::Variables;
use super::Format;
use super::sheet::{Grade, Sheet, place, text, texts};
use super::source::{Said, Source};
use crate::config::document::{Node, Table, Value};
use crate::config::reading::did_you_mean;

pub(super) static FORMAT: Format = Format {
    name: "LiteLLM's with model_list",
    is: |document| {
        let keys = [
            "model_list",
            "litellm_settings",
            "router_settings",
            "general_settings",
        ];
        keys.iter().any(|key| document.get(key).is_some())
    },
    translate,
};

const KEYS: [&str; 5] = [
    "model_list",
    "litellm_settings",
    "router_settings",
    "general_settings",
    "environment_variables",
];

/// One name that clients ask for.
struct Group<'t> {
    name: String,
    line: usize,
    path: String,
    deployments: Vec<Deployment<'t>>,
    /// What wanted to be one and cannot.
    left_out: usize,
}

fn translate(document: &Table, sheet: &mut Sheet<'_>) {
    let mut source = Source::root(document);
    super::listen_everywhere(sheet);
    super::no_cache(sheet);
    sheet.assume("server.port", Value::Integer("4000".to_owned()));
    let variables = Variables::read(source.table("environment_variables", sheet), sheet);
    let list = source.get("model_list");
    let items = list.map(|said| said.items(sheet)).unwrap_or_default();
    let mut known = Deployments::default();
    let mut groups: Vec<Group<'_>> = Vec::new();
    for item in &items {
        if let Some(table) = item.table(sheet) {
            entry(table, &variables, &mut known, &mut groups, sheet);
        }
    }
    if items.is_empty() && sheet.problems.is_empty() {
        sheet.wrong_at(
            "model_list".to_owned(),
            1,
            "there is none; write at least one model with model_name and litellm_params",
        );
    }
    let names: Vec<String> = groups.iter().map(|group| group.name.clone()).collect();
    let routing = Routing::read(&mut source, &variables, &names, sheet);
    if let Some(include) = source.get("include") {
        sheet.wrong(
            &include,
            "other files are not read; write everything into one",
        );
    }
    settings::rest(&source, &KEYS, sheet);
    write(groups, known, &routing, sheet);
}

fn entry<'t>(
    mut table: Source<'t>,
    variables: &Variables,
    known: &mut Deployments,
    groups: &mut Vec<Group<'t>>,
    sheet: &mut Sheet<'_>,
) {
    let name = sheet.needed(&mut table, "model_name", "the name that clients ask for");
    let Some(params) = sheet.needed(&mut table, "litellm_params", "a table with at least model")
    else {
        return;
    };
    let Some(params) = params.table(sheet) else {
        return;
    };
    let Some(name) = name.and_then(|said| Some((said.text(sheet)?.to_owned(), said))) else {
        return;
    };
    let (name, said) = name;
    sheet.grade(&said, "models", Grade::Exact);
    let info = table.table("model_info", sheet);
    let deployment = known.read(params, info, variables, sheet);
    sheet.unknown_rest(&table, &["model_name", "litellm_params", "model_info"]);
    let at = groups.iter().position(|group| group.name == name);
    let at = at.unwrap_or_else(|| {
        groups.push(Group {
            name,
            line: table.line,
            path: table.path.clone(),
            deployments: Vec::new(),
            left_out: 0,
        });
        groups.len() - 1
    });
    match deployment {
        Some(deployment) => groups[at].deployments.push(deployment),
        None => groups[at].left_out += 1,
    }
}

fn write(groups: Vec<Group<'_>>, known: Deployments, routing: &Routing, sheet: &mut Sheet<'_>) {
    let catches_all = groups
        .iter()
        .any(|group| group.name == "*" && !group.deployments.is_empty());
    if groups.iter().all(|group| group.deployments.is_empty())
        && sheet.problems.is_empty()
        && !groups.is_empty()
    {
        sheet.wrong_at(
            "model_list".to_owned(),
            groups[0].line,
            "no model is left: none of them can be served by this version",
        );
    }
    let served: Vec<String> = groups
        .iter()
        .filter(|group| !group.deployments.is_empty())
        .map(|group| group.name.clone())
        .collect();
    let mut default = None;
    for group in groups {
        if group.deployments.is_empty() {
            if catches_all && group.left_out > 0 {
                sheet.wrong_at(
                    group.path,
                    group.line,
                    format!(
                        "\"{}\" cannot be served by this version, and without it its requests would go to \"*\": \
                         give it another provider, or remove one of the two",
                        group.name
                    ),
                );
            }
            continue;
        }
        let wildcard = wildcard(&group);
        if group.deployments.len() > 1
            && matches!(wildcard, Wildcard::Everything | Wildcard::Provider)
        {
            let why = "only the first of its deployments gets the requests of a wildcard";
            sheet.not_carried_at(&group.path, group.line, why);
        }
        match wildcard {
            Wildcard::Everything => default = Some(group.deployments[0].provider.clone()),
            // Its models are asked for as `provider/model` anyway.
            Wildcard::Provider => {}
            Wildcard::Renamed => sheet.not_carried_at(
                &group.path,
                group.line,
                &format!(
                    "left out: a wildcard's models are asked for by their own names here, not as \"{}\"",
                    group.name
                ),
            ),
            Wildcard::None => model(group, routing, &served, sheet),
        }
    }
    known.write(default.as_deref(), sheet);
    routing.write(sheet);
}

/// What a model's name with a star stands for.
enum Wildcard {
    /// Nothing, or a wildcard that is one here too: the upstream is asked for what the client asked for.
    None,
    /// `*`
    Everything,
    /// `openai/*`, at the provider of that name.
    Provider,
    /// The upstream calls its models otherwise than clients do.
    Renamed,
}

fn wildcard(group: &Group<'_>) -> Wildcard {
    let first = &group.deployments[0];
    let mut models = group.deployments.iter().map(|deployment| &deployment.model);
    let prefix = group.name.strip_suffix("/*");
    if models.clone().all(|model| !model.contains('*')) {
        Wildcard::None
    } else if group.name == "*" {
        Wildcard::Everything
    } else if prefix == Some(&first.provider) && first.model == "*" {
        Wildcard::Provider
    } else if models.all(|model| *model == group.name) {
        Wildcard::None
    } else {
        Wildcard::Renamed
    }
}

fn model(group: Group<'_>, routing: &Routing, served: &[String], sheet: &mut Sheet<'_>) {
    let mut item = sheet.item("models", &group.path, group.line);
    item.assume("name", text(&group.name));
    item.assume("strategy", text(routing.strategy));
    let aliases = routing
        .aliases
        .iter()
        .filter(|(_, model)| *model == group.name);
    let aliases: Vec<String> = aliases.map(|(alias, _)| alias.clone()).collect();
    let names: Vec<String> = std::iter::once(group.name.clone())
        .chain(aliases.iter().cloned())
        .collect();
    limits::write(&names, &group.deployments, routing.heeded, sheet);
    let scale = target::weight_scale(&group.deployments);
    let deployments = group.deployments.into_iter().enumerate();
    let targets: Vec<Node> = deployments
        .map(|(i, deployment)| {
            deployment.target(&format!("{}.targets[{i}]", item.path), scale, sheet)
        })
        .collect();
    item.assume("targets", Value::List(targets));
    if !aliases.is_empty() {
        item.assume("aliases", texts(aliases, group.line));
    }
    for (key, lists) in &routing.fallbacks {
        let own = lists.iter().find(|(model, _)| *model == group.name);
        let any = lists.iter().find(|(model, _)| model == "*");
        let Some((_, models)) = own.or(any) else {
            continue;
        };
        let models = models
            .iter()
            .filter(|model| **model != group.name && served.contains(model));
        let models: Vec<String> = models.cloned().collect();
        if !models.is_empty() {
            item.assume(key, texts(models, group.line));
        }
    }
    for (key, value) in &routing.of_each_model {
        item.assume(key, value.clone());
    }
    sheet.put("models", item);
}

/// A model's name that has to be one of the list.
fn known_model(said: &Said<'_>, name: &str, names: &[String], sheet: &mut Sheet<'_>) -> bool {
    if names.iter().any(|known| known == name) {
        return true;
    }
    let known: Vec<&str> = names.iter().map(String::as_str).collect();
    sheet.wrong(
        said,
        format!("unknown model \"{name}\"; {}", did_you_mean(name, &known)),
    );
    false
}

/// A table of the native tree with one more key.
fn put(table: &mut Table, key: &str, value: Value, line: usize) {
    place(table, key, Node::at(value, line));
}

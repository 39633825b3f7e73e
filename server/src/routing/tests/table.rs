//! From a client's words to targets.

use std::sync::Arc;
use std::time::Instant;

use super::super::{Endpoint, Moment, Next, NoFacts, RoutingTable, Wish};
use crate::config::{Model, Provider, Strategy, Target};

fn provider(name: &str, model: Option<&str>, enabled: bool) -> Provider {
    Provider {
        name: name.to_owned(),
        enabled,
        model: model.map(str::to_owned),
        ..Provider::default()
    }
}

fn target(provider: &str, model: Option<&str>) -> Target {
    Target {
        provider: provider.to_owned(),
        model: model.map(str::to_owned),
        ..Target::default()
    }
}

fn model(name: &str, strategy: Strategy, targets: Vec<Target>) -> Model {
    Model {
        name: name.to_owned(),
        strategy,
        targets,
        ..Model::default()
    }
}

fn table(default_provider: Option<usize>) -> RoutingTable {
    let mut providers = [
        provider("openai", Some("gpt-4o"), true),
        provider("local", None, true),
        provider("off", Some("off-model"), false),
    ];
    if let Some(index) = default_provider {
        providers[index].default = true;
    }
    let fast = vec![
        target("openai", Some("gpt-4o-mini")),
        target("local", Some("llama")),
    ];
    let models = [
        Model {
            aliases: vec!["quick".to_owned()],
            ..model("fast", Strategy::RoundRobin, fast)
        },
        model("gpt-*", Strategy::Priority, vec![target("openai", None)]),
        model("gpt-4o-*", Strategy::Priority, vec![target("local", None)]),
        model("local/q*", Strategy::Priority, vec![target("openai", None)]),
        model("empty", Strategy::Priority, vec![target("off", None)]),
        Model {
            endpoints: vec![Endpoint::Embeddings],
            default_for: vec![Endpoint::Embeddings],
            ..model(
                "vectors",
                Strategy::Priority,
                vec![target("local", Some("v"))],
            )
        },
    ];
    RoutingTable::new(&providers, &models, &|_, _| None, Arc::default())
}

fn moment() -> Moment {
    Moment {
        now: Instant::now(),
        at: chrono::DateTime::UNIX_EPOCH,
        random: 0,
    }
}

fn ask_at(
    endpoint: Endpoint,
    table: &RoutingTable,
    provider: Option<&str>,
    model: Option<&str>,
) -> Vec<String> {
    let wish = Wish {
        model,
        provider,
        endpoint,
        access: None,
        facts: &NoFacts,
    };
    let mut plan = match table.plan(wish, moment()) {
        Ok(plan) => plan,
        Err(error) => return vec![format!("{} {}", error.status(), error.message)],
    };
    let mut tried = Vec::new();
    while let Next::Try(c) = plan.next(moment()) {
        tried.push(format!(
            "{}:{}",
            table.providers()[c.provider].name,
            c.model
        ));
    }
    tried
}

fn ask(table: &RoutingTable, provider: Option<&str>, model: Option<&str>) -> Vec<String> {
    ask_at(Endpoint::Chat, table, provider, model)
}

#[test]
fn finds_by_header_name_pattern_prefix_and_owner() {
    let table = table(None);
    for (header, model, expected) in [
        (Some("openai"), Some("whatever"), "openai:gpt-4o"),
        (Some("local"), Some("whatever"), "local:whatever"),
        (None, Some("gpt-5"), "openai:gpt-5"),
        (None, Some("gpt-4o-mini"), "local:gpt-4o-mini"),
        (None, Some("local/llama/7b"), "local:llama/7b"),
        (None, Some("local/qwen"), "openai:local/qwen"),
        (None, Some("openai/o3"), "openai:o3"),
    ] {
        assert_eq!(
            ask(&table, header, model),
            [expected],
            "{header:?} {model:?}"
        );
    }
}

#[test]
fn targets_take_turns_and_the_rest_follow() {
    let table = table(None);
    assert_eq!(
        ask(&table, None, Some("fast")),
        ["openai:gpt-4o-mini", "local:llama"]
    );
    assert_eq!(
        ask(&table, None, Some("quick")),
        ["local:llama", "openai:gpt-4o-mini"]
    );
}

#[test]
fn the_default_provider_takes_what_nobody_knows() {
    let table = table(Some(1));
    assert_eq!(ask(&table, None, Some("unheard-of")), ["local:unheard-of"]);
    assert_eq!(
        ask(&table, None, None),
        ["400 The provider `local` has no model of its own: you must provide a model parameter"]
    );
}

#[test]
fn an_endpoint_has_its_own_models() {
    let table = table(Some(1));
    let at = |endpoint, model| ask_at(endpoint, &table, None, model);
    assert_eq!(at(Endpoint::Embeddings, Some("vectors")), ["local:v"]);
    assert_eq!(at(Endpoint::Embeddings, Some("unheard-of")), ["local:v"]);
    assert_eq!(at(Endpoint::Embeddings, None), ["local:v"]);
    assert_eq!(at(Endpoint::Chat, Some("vectors")), ["local:vectors"]);
}

#[test]
fn says_what_was_meant() {
    let table = table(None);
    for (header, model, expected) in [
        (
            None,
            Some("fats"),
            "404 The model `fats` does not exist. Did you mean `fast`?",
        ),
        (None, Some("zzz"), "404 The model `zzz` does not exist."),
        (None, None, "400 you must provide a model parameter"),
        (
            Some("opnai"),
            None,
            "404 There is no provider `opnai` (header x-llm-provider). Did you mean `openai`?",
        ),
        (
            Some("off"),
            None,
            "503 The provider `off` is disabled in the gateway's configuration.",
        ),
        (
            None,
            Some("empty"),
            "503 Every provider of the model `empty` is disabled in the gateway's configuration.",
        ),
    ] {
        assert_eq!(ask(&table, header, model), [expected]);
    }
}

#[test]
fn lists_what_can_be_asked_for() {
    let table = table(None);
    let models = table.models();
    let names: Vec<&str> = models.iter().map(|(name, _)| &**name).collect();
    assert_eq!(
        names,
        [
            "empty", "fast", "gpt-*", "gpt-4o", "gpt-4o-*", "local/q*", "quick", "vectors"
        ]
    );
}

//! What callers are limited to.

use std::sync::Arc;
use std::time::Instant;

use llm::error::{ApiError, ErrorKind, ErrorSource};

use super::super::{Access, Endpoint, Moment, Next, NoFacts, RoutingTable, Wish};
use crate::config::{Hedge, Model, Provider, Rule, Shadow, Share, Strategy, Target};

const PROVIDERS: [&str; 3] = ["red", "green", "blue"];

fn target(provider: &str) -> Target {
    Target {
        provider: provider.to_owned(),
        model: Some(format!("of-{provider}")),
        ..Target::default()
    }
}

fn model(name: &str, providers: &[&str]) -> Model {
    Model {
        name: name.to_owned(),
        strategy: Strategy::Priority,
        targets: providers.iter().map(|name| target(name)).collect(),
        ..Model::default()
    }
}

/// `red` takes what nobody knows, with its own model; `green` has none.
fn table() -> RoutingTable {
    let mut providers = PROVIDERS.map(|name| Provider {
        name: name.to_owned(),
        enabled: true,
        model: Some(format!("{name}-own")),
        ..Provider::default()
    });
    providers[0].default = true;
    providers[1].model = None;
    providers[2].fallbacks = vec!["red".to_owned()];
    let models = [
        Model {
            aliases: vec!["quick".to_owned()],
            fallbacks: vec!["rescue".to_owned()],
            ..model("fast", &["red", "green"])
        },
        model("rescue", &["red", "blue"]),
        Model {
            targets: vec![Target {
                model: None,
                ..target("green")
            }],
            ..model("gpt-*", &[])
        },
        Model {
            rules: vec![Rule {
                targets: vec![target("blue")],
                ..Rule::default()
            }],
            ..model("ruled", &["red"])
        },
        Model {
            default_for: vec![Endpoint::Embeddings],
            endpoints: vec![Endpoint::Embeddings],
            ..model("vectors", &["green"])
        },
        Model {
            shadow: Some(Shadow {
                provider: "blue".to_owned(),
                model: None,
                share: Share::ALL,
            }),
            hedge: Hedge {
                enabled: true,
                max_share: Share::ALL,
            },
            ..model("watched", &["red", "green"])
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

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

fn access(models: [&[&str]; 2], providers: [&[&str]; 2]) -> Access {
    let models = models.map(names);
    let providers = providers.map(names);
    Access::new(
        [&models[0], &models[1]],
        [&providers[0], &providers[1]],
        &PROVIDERS,
    )
    .expect("it is limited")
}

fn models(list: &[&str]) -> Access {
    access([list, &[]], [&[], &[]])
}

fn providers(list: &[&str]) -> Access {
    access([&[], &[]], [list, &[]])
}

/// Whom a request would be tried at if all failed; or the code it is refused with.
fn asked(
    access: &Access,
    endpoint: Endpoint,
    provider: Option<&str>,
    model: Option<&str>,
) -> Vec<String> {
    let table = table();
    let wish = Wish {
        model,
        provider,
        endpoint,
        access: Some(access),
        facts: &NoFacts,
    };
    let checked = table.check(wish).map_err(|error| error.code);
    let mut plan = match table.plan(wish, moment()) {
        Ok(plan) => plan,
        Err(error) => return vec![error.code.unwrap_or_default().into_owned()],
    };
    assert_eq!(checked, Ok(()), "what is planned was allowed before");
    let mut tried = Vec::new();
    let mut now = moment();
    loop {
        now.now += std::time::Duration::from_secs(1);
        match plan.next(now) {
            Next::Try(candidate) => {
                let provider = PROVIDERS[candidate.provider].to_owned();
                if !tried.contains(&provider) {
                    tried.push(provider);
                }
                let error = ApiError::new(ErrorKind::UpstreamFailed, ErrorSource::Provider, "no");
                plan.failed(&candidate, &error, now);
            }
            Next::Wait(until) => now.now = until,
            Next::GiveUp => return tried,
        }
    }
}

fn chat(access: &Access, model: &str) -> Vec<String> {
    asked(access, Endpoint::Chat, None, Some(model))
}

const NO_MODEL: [&str; 1] = ["model_not_allowed"];
const NO_PROVIDER: [&str; 1] = ["provider_not_allowed"];

#[test]
fn no_list_is_no_limit() {
    assert!(Access::new([&[], &[]], [&[], &[]], &PROVIDERS).is_none());
}

#[test]
fn a_model_goes_by_its_name_and_the_alias_that_was_asked_for() {
    for (list, model, allowed) in [
        (&["fast"][..], "fast", true),
        (&["fast"], "quick", true),
        (&["quick"], "quick", true),
        (&["quick"], "fast", false),
        (&["f*"], "quick", true),
        (&["slow", "q*"], "quick", true),
        (&["gpt-*"], "fast", false),
        (&["gpt-4*"], "gpt-4o", true),
        (&["gpt-4*"], "gpt-5", false),
        (&["*"], "gpt-5", true),
    ] {
        let tried = chat(&models(list), model);
        assert_eq!(tried != NO_MODEL, allowed, "{list:?} {model}: {tried:?}");
    }
}

#[test]
fn a_key_and_its_project_must_both_allow_it() {
    let both = access([&["fast", "gpt-*"], &["rescue", "gpt-*"]], [&[], &[]]);
    assert_eq!(chat(&both, "fast"), NO_MODEL);
    assert_eq!(chat(&both, "rescue"), NO_MODEL);
    assert_eq!(chat(&both, "gpt-5"), ["green"]);
    let both = access([&[], &[]], [&["red", "green"], &["green", "blue"]]);
    assert_eq!(chat(&both, "fast"), ["green", "blue"][..1]);
    assert_eq!(chat(&both, "watched"), ["green"]);
}

#[test]
fn choosing_a_provider_is_asking_for_its_model() {
    let limited = models(&["fast", "gpt-*", "nonsense", "green/llama"]);
    let choose = |provider, model| asked(&limited, Endpoint::Chat, provider, model);
    // The client's own name for it is of no account where the provider has a model.
    assert_eq!(choose(Some("blue"), Some("fast")), NO_MODEL);
    assert_eq!(choose(Some("green"), Some("fast")), NO_MODEL);
    assert_eq!(choose(Some("green"), Some("llama")), ["green"]);
    assert_eq!(choose(None, Some("green/llama")), ["green"]);
    assert_eq!(choose(None, Some("green/fast")), NO_MODEL);
    assert_eq!(choose(None, Some("blue/gpt-5")), NO_MODEL);
    // What nobody knows is answered by the default provider's model, and so is what names nothing.
    assert_eq!(choose(None, Some("nonsense")), NO_MODEL);
    assert_eq!(choose(None, None), NO_MODEL);

    for list in [["red-own"], ["red/red-own"], ["red/*"]] {
        let limited = models(&list);
        let choose = |provider, model| asked(&limited, Endpoint::Chat, provider, model);
        assert_eq!(choose(Some("red"), Some("x")), ["red"], "{list:?}");
        assert_eq!(choose(None, Some("nonsense")), ["red"], "{list:?}");
        assert_eq!(choose(None, Some("red-own")), ["red"], "{list:?}");
        assert_eq!(choose(None, None), ["red"], "{list:?}");
        assert_eq!(choose(Some("blue"), None), NO_MODEL, "{list:?}");
    }
}

#[test]
fn an_endpoints_default_model_counts_by_its_own_name() {
    let embed = |list: &[&str], model| asked(&models(list), Endpoint::Embeddings, None, model);
    assert_eq!(embed(&["vectors"], Some("vectors")), ["green"]);
    assert_eq!(embed(&["vectors"], Some("text-embedding-3")), ["green"]);
    assert_eq!(embed(&["vectors"], None), ["green"]);
    assert_eq!(embed(&["text-*"], Some("text-embedding-3")), NO_MODEL);
    assert_eq!(embed(&["fast"], None), NO_MODEL);
}

#[test]
fn no_way_leads_to_a_provider_that_is_not_allowed() {
    let green = providers(&["green"]);
    let choose = |provider, model| asked(&green, Endpoint::Chat, provider, model);
    assert_eq!(choose(None, Some("fast")), ["green"], "nor do fallbacks");
    assert_eq!(choose(None, Some("quick")), ["green"]);
    assert_eq!(choose(None, Some("gpt-5")), ["green"]);
    assert_eq!(choose(None, Some("rescue")), NO_PROVIDER);
    assert_eq!(choose(None, Some("ruled")), NO_PROVIDER);
    assert_eq!(choose(None, Some("blue/x")), NO_PROVIDER);
    assert_eq!(choose(None, Some("nonsense")), NO_PROVIDER);
    assert_eq!(choose(None, None), NO_PROVIDER);
    assert_eq!(choose(Some("red"), Some("fast")), NO_PROVIDER);
    assert_eq!(choose(Some("green"), Some("m")), ["green"]);

    let blue = providers(&["blue"]);
    let choose = |provider, model| asked(&blue, Endpoint::Chat, provider, model);
    assert_eq!(choose(None, Some("fast")), ["blue"], "by the fallback only");
    assert_eq!(choose(None, Some("ruled")), ["blue"]);
    assert_eq!(choose(Some("blue"), None), ["blue"], "not its fallback");
    let red = providers(&["red"]);
    let ruled = asked(&red, Endpoint::Chat, None, Some("ruled"));
    assert_eq!(ruled, NO_PROVIDER, "the rule holds, and leads elsewhere");
}

#[test]
fn hedges_and_shadows_go_to_allowed_providers_only() {
    let table = table();
    let plan = |access: &Access| {
        let wish = Wish {
            model: Some("watched"),
            provider: None,
            endpoint: Endpoint::Chat,
            access: Some(access),
            facts: &NoFacts,
        };
        table.plan(wish, moment()).unwrap()
    };
    let mut limited = plan(&providers(&["red"]));
    assert!(limited.shadow(moment()).is_none());
    let Next::Try(first) = limited.next(moment()) else {
        panic!("nobody is asked");
    };
    assert_eq!(PROVIDERS[first.provider], "red");
    assert!(limited.hedge(moment()).is_none());

    let mut free = plan(&providers(&["red", "green", "blue"]));
    assert!(free.shadow(moment()).is_some());
    free.next(moment());
    assert!(free.hedge(moment()).is_some());
}

#[test]
fn endpoints_of_the_providers_own_are_for_those_who_may_use_all_of_it() {
    let forward = |access: &Access, model| asked(access, Endpoint::Other, None, Some(model));
    assert_eq!(forward(&models(&["fast"]), "fast"), NO_PROVIDER);
    assert_eq!(forward(&models(&["green/llama"]), "green/llama"), NO_MODEL);
    assert_eq!(forward(&models(&["green/*"]), "green/llama"), ["green"]);
    assert_eq!(forward(&models(&["fast", "green/*"]), "fast"), ["green"]);
    assert_eq!(forward(&models(&["*"]), "fast"), ["red", "green", "blue"]);
    assert_eq!(forward(&providers(&["green"]), "fast"), ["green"]);
}

#[test]
fn callers_see_what_they_may_ask_for() {
    let table = table();
    let list = |access: &Access| {
        let models = table.models_for(access).into_iter();
        let models = models.map(|(name, providers)| {
            let providers = providers.iter().map(|index| PROVIDERS[*index]);
            format!("{name}: {}", providers.collect::<Vec<_>>().join(" "))
        });
        models.collect::<Vec<_>>()
    };
    assert_eq!(
        list(&models(&["fast", "gpt-4o", "red-own"])),
        [
            "fast: red green",
            "gpt-4o: green",
            "quick: red green",
            "red-own: red"
        ]
    );
    assert_eq!(
        list(&providers(&["blue"])),
        ["blue-own: blue", "rescue: blue", "ruled: blue"]
    );
    let limited = models(&["gpt-*"]);
    assert_eq!(list(&limited), ["gpt-*: green"]);
    let code = |model| {
        let providers = table.providers_of(model, Some(&limited));
        providers.map_err(|error| error.code.unwrap().into_owned())
    };
    assert_eq!(code("gpt-5"), Ok(vec![1]));
    assert_eq!(code("fast"), Err("model_not_allowed".to_owned()));
}

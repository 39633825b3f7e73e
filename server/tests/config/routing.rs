//! What can be said of routing, and the mistakes one can make there.

use std::time::Duration;

use server::config::{
    Day, Endpoint, Named, Rule, Share, StickyBy, Strategy, Target, TimeOfDay, UtcOffset,
};

use crate::setting::{Setting, shown, toml, warnings, yaml};

const HEAD: &str = "[[providers]]\nname = \"a\"\nkind = \"simulated\"\n[[keys]]\nname = \"team\"\nkey = \"k\"\n[[models]]\nname = \"other\"\ntargets = [{ provider = \"a\" }]\n[[models]]\nname = \"m\"\n";

/// Everything that a model may say, from line 12 on.
const EVERYTHING: &str = r#"
aliases = ["fast"]
endpoints = ["chat", "completions"]
default_for = ["chat"]
strategy = "sticky"
sticky = { by = "header", header = "x-session" }
max_attempts = 7
max_input_tokens = 8000
retry = { retries = 2, base = "100ms", max_wait = "3s", budget = 0.1 }
hedge = { enabled = true, max_share = 0.01 }
breaker = { failures = 3, error_rate = 0.25, window = "1m", cool_down = "1s", max_cool_down = "1m" }
fallbacks = ["other"]
context_length_fallbacks = ["other"]
content_filter_fallbacks = ["other"]
shadow = { provider = "a", model = "copy", share = 0.5 }
targets = [{ provider = "a", weight = 3, priority = 2, max_concurrent = 4, enabled = false, parameters = { temperature = 0, stop = ["x"], thinking = { type = "enabled" }, user = "${WHO}" } }, { provider = "a" }]
[[models.rules]]
when = { key = "team", endpoint = "chat", min_input_tokens = 1, max_input_tokens = 9, from = "22:00", until = "6:30", days = ["sat", "sun"], utc_offset = "-03:30", header = { name = "x-tier", value = "gold" } }
model = "other"
[[models.rules]]
when = { metadata = { name = "env" } }
targets = [{ provider = "a", model = "n" }]
"#;

fn named(name: &str, value: Option<&str>) -> Named {
    Named {
        name: Some(name.to_owned()),
        value: value.map(str::to_owned),
    }
}

#[test]
fn everything_arrives() {
    let loaded = Setting::new()
        .file("a.toml", &format!("{HEAD}{EVERYTHING}"))
        .variable("WHO", "me \"and\" you")
        .named("a.toml")
        .unwrap_or_else(|errors| panic!("{errors}"));
    let model = &loaded.config.models[1];
    assert_eq!(model.aliases, ["fast"]);
    assert_eq!(model.endpoints, [Endpoint::Chat, Endpoint::Completions]);
    assert_eq!(model.default_for, [Endpoint::Chat]);
    assert_eq!(model.strategy, Strategy::Sticky);
    assert_eq!(model.sticky.by, StickyBy::Header);
    assert_eq!(model.sticky.header.as_deref(), Some("x-session"));
    assert_eq!(
        (model.max_attempts, model.max_input_tokens),
        (Some(7), Some(8000))
    );
    assert_eq!(
        (model.retry.retries, model.retry.budget),
        (2, Share::percent(10))
    );
    assert_eq!(model.retry.base, Duration::from_millis(100));
    assert_eq!(model.retry.max_wait, Duration::from_secs(3));
    assert_eq!(
        (model.hedge.enabled, model.hedge.max_share),
        (true, Share::percent(1))
    );
    assert_eq!(
        (model.breaker.failures, model.breaker.error_rate),
        (3, Share::percent(25))
    );
    assert_eq!(model.breaker.window, Duration::from_secs(60));
    assert_eq!(model.breaker.cool_down, Duration::from_secs(1));
    assert_eq!(model.breaker.max_cool_down, Duration::from_secs(60));
    for fallbacks in [
        &model.fallbacks,
        &model.context_length_fallbacks,
        &model.content_filter_fallbacks,
    ] {
        assert_eq!(*fallbacks, ["other"]);
    }
    let shadow = model.shadow.as_ref().unwrap();
    assert_eq!(
        (shadow.provider.as_str(), shadow.model.as_deref()),
        ("a", Some("copy"))
    );
    assert_eq!(shadow.share, Share::percent(50));
    let target = &model.targets[0];
    assert_eq!(
        (target.weight, target.priority, target.enabled),
        (3, 2, false)
    );
    assert_eq!(target.max_concurrent, Some(4));
    let parameters = serde_json::to_value(&target.parameters).unwrap();
    let expected = serde_json::json!({
        "temperature": 0, "stop": ["x"], "thinking": {"type": "enabled"}, "user": "me \"and\" you"
    });
    assert_eq!(parameters, expected);
    assert_eq!(model.targets[1].weight, 1);
    let [first, second] = model.rules.as_slice() else {
        panic!("two rules");
    };
    assert_eq!(first.model.as_deref(), Some("other"));
    let when = &first.when;
    assert_eq!(when.key.as_deref(), Some("team"));
    assert_eq!(when.header, named("x-tier", Some("gold")));
    assert_eq!(when.endpoint, Some(Endpoint::Chat));
    assert_eq!(
        (when.min_input_tokens, when.max_input_tokens),
        (Some(1), Some(9))
    );
    assert_eq!(when.from, Some(TimeOfDay { minutes: 1320 }));
    assert_eq!(when.until, Some(TimeOfDay { minutes: 390 }));
    assert_eq!(when.days, [Day::Saturday, Day::Sunday]);
    assert_eq!(when.utc_offset, UtcOffset { minutes: -210 });
    let expected = Rule {
        when: server::config::When {
            metadata: named("env", None),
            ..Default::default()
        },
        targets: vec![Target {
            provider: "a".to_owned(),
            model: Some("n".to_owned()),
            ..Target::default()
        }],
        model: None,
    };
    assert_eq!(*second, expected);
    // As it is dumped it reads back the same.
    let dumped = loaded.effective.to_toml();
    let again = Setting::new()
        .file("b.toml", &dumped)
        .variable("GATEWAY_KEYS_TEAM_KEY", "k")
        .named("b.toml")
        .unwrap_or_else(|errors| panic!("{errors}\n{dumped}"));
    assert_eq!(again.config.models, loaded.config.models, "{dumped}");
}

#[test]
fn variables_override_it() {
    let loaded = Setting::new()
        .file(
            "a.toml",
            &format!("{HEAD}targets = [{{ provider = \"a\" }}]\n"),
        )
        .variable("GATEWAY_MODELS_M_STRATEGY", "least_busy")
        .variable("GATEWAY_MODELS_M_RETRY_BUDGET", "0.5")
        .variable("GATEWAY_MODELS_M_FALLBACKS", "other")
        .variable("GATEWAY_MODELS_M_TARGETS_0_PARAMETERS_MAX_TOKENS", "7")
        .variable("GATEWAY_PROVIDERS_A_API_KEYS", "k1, k2")
        .named("a.toml")
        .unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(warnings(&loaded), [""; 0]);
    let model = &loaded.config.models[1];
    assert_eq!(model.strategy, Strategy::LeastBusy);
    assert_eq!(model.retry.budget, Share::percent(50));
    assert_eq!(model.fallbacks, ["other"]);
    assert_eq!(model.targets[0].parameters["max_tokens"], 7);
    assert_eq!(loaded.config.providers[0].all_keys().len(), 2);
}

#[test]
fn yaml_says_the_same() {
    let model = "targets = [{ provider = \"a\", parameters = { temperature = 0.5 } }]\nretry = { budget = 0.1 }\nrules = [{ when = { days = [\"mon\"] }, model = \"other\" }]\n";
    let text = "providers: [{ name: a, kind: simulated }]\nkeys: [{ name: team, key: k }]\nmodels:\n  - { name: other, targets: [{ provider: a }] }\n  - name: m\n    targets: [{ provider: a, parameters: { temperature: 0.5 } }]\n    retry: { budget: 0.1 }\n    rules: [{ when: { days: [mon] }, model: other }]\n";
    let from_toml = toml(&format!("{HEAD}{model}")).unwrap();
    assert_eq!(yaml(text).unwrap().config, from_toml.config);
}

#[test]
fn mistakes() {
    const TARGETS: &str = "targets = [{ provider = \"a\" }]";
    for (text, expected) in [
        (
            "strategy = \"round-robbin\"",
            "a.toml:12: models[1].strategy: unknown strategy \"round-robbin\"; did you mean \"round_robin\"?",
        ),
        (
            "aliases = [\"other\"]",
            "a.toml:12: models[1].aliases[0]: \"other\" is already the name of models[0]; names must differ",
        ),
        (
            "aliases = [\"x-*\"]",
            "a.toml:12: models[1].aliases[0]: an alias has no wildcards; make it a model of its own",
        ),
        (
            "endpoints = [\"chats\"]",
            "a.toml:12: models[1].endpoints[0]: unknown endpoint \"chats\"; did you mean \"chat\"?",
        ),
        (
            "endpoints = [\"chat\"]\ndefault_for = [\"images\"]",
            "a.toml:13: models[1].default_for[0]: the model's endpoints do not hold this one",
        ),
        (
            "fallbacks = [\"othr\"]",
            "a.toml:12: models[1].fallbacks[0]: unknown model \"othr\"; did you mean \"other\"?",
        ),
        (
            "fallbacks = [\"m\"]",
            "a.toml:12: models[1].fallbacks[0]: a model cannot be its own fallback",
        ),
        (
            "retry = { budget = 20 }",
            "a.toml:12: models[1].retry.budget: expected a share from 0 to 1 such as 0.2, found \"20\"",
        ),
        (
            "retry = { retrys = 1 }",
            "a.toml:12: models[1].retry.retrys: unknown key; did you mean \"retries\"?",
        ),
        (
            "breaker = { failures = 0 }",
            "a.toml:12: models[1].breaker.failures: must be at least 1",
        ),
        (
            "breaker = { cool_down = \"0s\" }",
            "a.toml:12: models[1].breaker.cool_down: must be more than 0",
        ),
        (
            "max_input_tokens = 0",
            "a.toml:12: models[1].max_input_tokens: must be at least 1",
        ),
        (
            "shadow = { provider = \"b\" }",
            "a.toml:12: models[1].shadow.provider: unknown provider \"b\"; did you mean \"a\"?",
        ),
        (
            "shadow = { model = \"b\" }",
            "a.toml:12: models[1].shadow.provider: missing; expected the name of a provider",
        ),
        (
            "strategy = \"sticky\"\nsticky = { by = \"header\" }",
            "a.toml:13: models[1].sticky.header: missing; by = \"header\" needs the name of one, such as \"x-session\"",
        ),
        (
            "rules = [{ when = { key = \"team\" } }]",
            "a.toml:12: models[1].rules[0]: a rule needs targets, or the name of a model",
        ),
        (
            "rules = [{ model = \"m\" }]",
            "a.toml:12: models[1].rules[0].model: a rule cannot lead to its own model",
        ),
        (
            "rules = [{ when = { key = \"teem\" }, model = \"other\" }]",
            "a.toml:12: models[1].rules[0].when.key: unknown key \"teem\"; did you mean \"team\"?",
        ),
        (
            "rules = [{ when = { header = { value = \"x\" } }, model = \"other\" }]",
            "a.toml:12: models[1].rules[0].when.header.name: missing; expected text",
        ),
        (
            "rules = [{ when = { days = [\"someday\"] }, model = \"other\" }]",
            "a.toml:12: models[1].rules[0].when.days[0]: unknown day \"someday\"; valid: mon, tue, wed, thu, fri, sat, sun",
        ),
        (
            "rules = [{ when = { from = \"25:00\" }, model = \"other\" }]",
            "a.toml:12: models[1].rules[0].when.from: expected a time of the day such as \"22:00\", found \"25:00\"",
        ),
        (
            "rules = [{ when = { min_input_tokens = 5, max_input_tokens = 4 }, model = \"other\" }]",
            "a.toml:12: models[1].rules[0].when.max_input_tokens: is below min_input_tokens (5): the rule would never hold",
        ),
    ] {
        let errors = toml(&format!("{HEAD}{text}\n{TARGETS}")).expect_err(text);
        assert_eq!(shown(&errors), [expected], "{text}");
    }
}

#[test]
fn mistakes_of_providers() {
    for (text, expected) in [
        (
            "api_keys = [\"x\", \"x\"]",
            "a.toml:4: providers[0].api_keys[1]: the same key as one before; one of the two is of no use",
        ),
        (
            "health = { path = \"models\" }",
            "a.toml:4: providers[0].health.path: expected a path such as \"/models\", found \"models\"",
        ),
        (
            "health = { interval = 0 }",
            "a.toml:4: providers[0].health.interval: must be more than 0",
        ),
        (
            "max_concurrent = 0",
            "a.toml:4: providers[0].max_concurrent: must be at least 1",
        ),
    ] {
        let head = "[[providers]]\nname = \"a\"\nkind = \"simulated\"\n";
        let errors = toml(&format!("{head}{text}\n")).expect_err(text);
        assert_eq!(shown(&errors), [expected], "{text}");
    }
}

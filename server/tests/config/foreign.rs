//! Other gateways' files: read as they are, and imported.

use std::path::Path;

use server::config::{Config, Endpoint, Key, Loaded, LogFormat, Provider, Strategy};

use shared::CostNanos;
use shared::policies::{Per, Period};

use crate::setting::{Setting, warnings};

/// Every variable that the examples speak of.
const VARIABLES: [&str; 13] = [
    "ANTHROPIC_API_KEY",
    "AZURE_API_KEY",
    "DATABASE_URL",
    "DEEPSEEK_API_KEY",
    "GATEWAY_UPSTREAMS_CLAUDE_API_KEY",
    "LITELLM_MASTER_KEY",
    "OPENAI_API_KEY",
    "OPENROUTER_API_KEY",
    "TEAM_A_KEY",
    "TEAM_B_KEY",
    // What stands in an example without a variable, by the name that it gets.
    "VLLM_API_KEY",
    "MASTER_KEY",
    "CLIENT_KEY",
];

const EXAMPLES: [&str; 5] = [
    "ballerina.toml",
    "converter.toml",
    "litellm.yaml",
    "pool.yaml",
    "router.toml",
];

fn secret(key: &Key) -> &str {
    key.key.as_ref().unwrap().expose()
}

fn example(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    std::fs::read_to_string(path.join(name)).expect("an example")
}

fn with_variables(mut setting: Setting) -> Setting {
    for name in VARIABLES {
        let value = match name {
            "VLLM_API_KEY" => "EMPTY".to_owned(),
            name => format!("value-of-{name}"),
        };
        setting = setting.variable(name, &value);
    }
    setting
}

fn read(name: &str) -> Config {
    let setting = with_variables(Setting::new()).file(name, &example(name));
    match setting.named(name) {
        Ok(loaded) => loaded.config,
        Err(errors) => panic!("{name}: {errors}"),
    }
}

fn provider<'c>(config: &'c Config, name: &str) -> &'c Provider {
    let mut all = config.providers.iter();
    all.find(|provider| provider.name == name)
        .unwrap_or_else(|| panic!("no provider {name}"))
}

fn key_of(provider: &Provider) -> Option<&str> {
    provider.api_key.as_ref().map(|key| key.expose())
}

/// The file, and what its import reads as.
fn both(name: &str, text: &str, variables: &[(&str, &str)]) -> (Config, Config, String) {
    let mut setting = with_variables(Setting::new()).file(name, text);
    for (name, value) in variables {
        setting = setting.variable(name, value);
    }
    let before = match setting.named(name) {
        Ok(loaded) => loaded.config,
        Err(errors) => panic!("{name}: {errors}"),
    };
    let imported = setting.imported(name).expect("importable").toml;
    let setting = setting.file("imported.toml", &imported);
    match setting.named("imported.toml") {
        Ok(loaded) => (before, loaded.config, imported),
        Err(errors) => panic!("{errors}\n{imported}"),
    }
}

#[test]
fn every_example_means_the_same_when_it_is_imported() {
    for name in EXAMPLES {
        let (before, after, imported) = both(name, &example(name), &[]);
        assert_eq!(before, after, "{imported}");
        assert!(!imported.contains("value-of-"), "{imported}");
    }
}

#[test]
fn every_setting_has_a_grade() {
    for name in EXAMPLES {
        let setting = with_variables(Setting::new()).file(name, &example(name));
        let imported = setting.imported(name).expect("importable").toml;
        let graded = |line: usize| imported.contains(&format!("(line {line})"));
        for (i, line) in example(name).lines().enumerate() {
            let line = line.trim();
            let says = match name.ends_with("toml") {
                true => !line.starts_with(['#', '[']) && line.contains('='),
                // A list's or a table's own line says nothing yet.
                false => !line.starts_with('#') && line.contains(": "),
            };
            // What is inside of what is not carried goes with it.
            let inside = ["type: redis", "host: localhost"].contains(&line);
            assert!(!says || inside || graded(i + 1), "{name}:{}: {line}", i + 1);
        }
    }
}

#[test]
fn ballerina() {
    let config = read("ballerina.toml");
    assert_eq!(config.server.host.to_string(), "0.0.0.0");
    assert_eq!((config.server.port, config.admin.port), (8080, 8081));
    assert_eq!(
        (config.cache.enabled, config.cache.ttl_seconds),
        (true, 3600)
    );
    let names: Vec<&str> = config.providers.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["openai", "anthropic", "ollama"]);
    let openai = provider(&config, "openai");
    assert_eq!(
        openai.base_url.as_deref(),
        Some("https://api.openai.com/v1")
    );
    assert_eq!(openai.model.as_deref(), Some("gpt-4o"));
    assert_eq!(openai.fallbacks, ["anthropic", "ollama"]);
    assert_eq!(key_of(openai), Some("value-of-OPENAI_API_KEY"));
    assert!(openai.default);
    let ollama = provider(&config, "ollama");
    assert_eq!(
        ollama.base_url.as_deref(),
        Some("http://localhost:11434/api")
    );
    assert_eq!(key_of(ollama), None);
}

#[test]
fn ballerinas_gemini_is_spoken_to_in_its_own_protocol() {
    for (endpoint, base_url) in [
        (
            "https://generativelanguage.googleapis.com/v1/models",
            "https://generativelanguage.googleapis.com/v1beta",
        ),
        ("http://127.0.0.1:9", "http://127.0.0.1:9/v1beta"),
        (
            "http://127.0.0.1:9/g/v1beta/models/",
            "http://127.0.0.1:9/g/v1beta",
        ),
    ] {
        let text = format!(
            "[geminiConfig]\napiKey = \"k\"\nmodel = \"gemini-pro\"\nendpoint = \"{endpoint}\"\n"
        );
        let loaded = Setting::new().file("Config.toml", &text).found();
        let loaded = loaded.expect("found where it was looked for before");
        let gemini = provider(&loaded.config, "gemini");
        assert_eq!(gemini.base_url.as_deref(), Some(base_url));
        assert_eq!(gemini.kind, "gemini");
    }
}

#[test]
fn pool() {
    let config = read("pool.yaml");
    let [deepseek, gpt] = config.models.as_slice() else {
        panic!("two models")
    };
    assert_eq!(
        (deepseek.name.as_str(), deepseek.strategy),
        ("deepseek-r1", Strategy::RoundRobin)
    );
    let targets: Vec<(&str, bool)> = gpt
        .targets
        .iter()
        .map(|it| (it.provider.as_str(), it.enabled))
        .collect();
    assert_eq!(targets, [("openai", true), ("openrouter", false)]);
    // The other model has it switched on.
    assert!(provider(&config, "openrouter").enabled);
    assert_eq!(provider(&config, "deepseek").kind, "deepseek");
}

#[test]
fn a_pool_may_call_different_providers_the_same() {
    let text = "models:\n  a:\n    model_name: m\n    providers:\n      - {name: up, api_base: 'http://a/v1', api_key: one, enabled: true}\n  \
                b:\n    model_name: m\n    providers:\n      - {name: up, api_base: 'http://b/v1', api_key: two, enabled: true}\n      \
                - {name: off, api_base: 'http://c/v1', api_key: '${NOBODY_SET_IT}', enabled: false}\n";
    let (before, after, imported) = both(
        "config.yaml",
        text,
        &[("UP_API_KEY", "one"), ("UP_2_API_KEY", "two")],
    );
    assert_eq!(before, after);
    assert_eq!(
        provider(&before, "up-2").base_url.as_deref(),
        Some("http://b/v1")
    );
    assert!(!provider(&before, "off").enabled);
    for secret in ["\"one\"", "\"two\""] {
        assert!(!imported.contains(secret), "{imported}");
    }
    assert!(
        imported.contains("UP_2_API_KEY: models.b.providers[0].api_key"),
        "{imported}"
    );
}

#[test]
fn router() {
    let config = read("router.toml");
    assert_eq!(config.server.port, 3000);
    assert_eq!(config.server.max_body_size.as_usize(), 4 << 20);
    let keys: Vec<&str> = config.keys.iter().map(secret).collect();
    assert_eq!(keys, ["value-of-TEAM_A_KEY", "value-of-TEAM_B_KEY"]);
    let mistral = &config.models[0];
    assert_eq!(mistral.default_for, [Endpoint::Chat, Endpoint::Completions]);
    assert_eq!(mistral.targets[0].provider, "vllm");
    assert_eq!(mistral.max_input_tokens, Some(32768));
    // Keys of the gateway's own are not shown to anybody else.
    assert!(
        config
            .providers
            .iter()
            .all(|provider| !provider.pass_client_key)
    );
}

#[test]
fn a_router_without_keys_passes_the_clients_on() {
    let text = "title = \"t\"\n[daemon]\nlisten_ip = \"127.0.0.1\"\nlisten_port = 3000\napi_key = []\n\
                [backends.up]\ntype = \"openai\"\nbase_url = \"https://api.openai.com/v1\"\ndefault = true\n\
                [models.chat_completions.\"gpt-*\"]\n[models.embeddings.\"gpt-*\"]\nbackend_model = \"embed\"\n";
    let (before, after, _) = both("config.toml", text, &[]);
    assert_eq!(before, after);
    assert_eq!(before.server.max_body_size.as_usize(), 2 << 20);
    let up = provider(&before, "up");
    assert!(up.pass_client_key);
    assert_eq!(key_of(up), None, "not the variable's");
    let [model] = before.models.as_slice() else {
        panic!("one model")
    };
    assert_eq!(model.rules[0].when.endpoint, Some(Endpoint::Embeddings));
    assert_eq!(model.rules[0].targets[0].model.as_deref(), Some("embed"));

    let set = "{api_key=from-outside}";
    let (before, after, imported) = both(
        "config.toml",
        text,
        &[
            ("AI_ROUTER_BACKENDS_UP", set),
            ("UP_API_KEY", "from-outside"),
        ],
    );
    assert_eq!(before, after);
    assert_eq!(key_of(provider(&before, "up")), Some("from-outside"));
    assert!(!imported.contains("from-outside"));
}

#[test]
fn converter() {
    let config = read("converter.toml");
    assert_eq!(config.logging.format, LogFormat::Json);
    let claude = provider(&config, "claude");
    assert_eq!(claude.protocol.as_deref(), Some("anthropic"));
    assert_eq!(
        claude.base_url.as_deref(),
        Some("https://api.anthropic.com/v1")
    );
    assert_eq!(
        key_of(claude),
        Some("value-of-GATEWAY_UPSTREAMS_CLAUDE_API_KEY")
    );
    let routes: Vec<(&str, &str)> = config
        .routes
        .iter()
        .map(|it| (it.path.as_str(), it.provider.as_str()))
        .collect();
    assert_eq!(
        routes,
        [
            ("/v1/chat/completions", "claude"),
            ("/v1/messages", "openai"),
            ("/direct/v1/messages", "claude"),
        ]
    );
}

#[test]
fn litellm() {
    let config = read("litellm.yaml");
    assert_eq!((config.server.port, config.server.strict), (4000, false));
    let gpt = &config.models[0];
    assert_eq!(
        (gpt.name.as_str(), gpt.strategy),
        ("gpt-4o", Strategy::Random)
    );
    let weights: Vec<u32> = gpt.targets.iter().map(|target| target.weight).collect();
    assert_eq!(weights, [6, 12]);
    assert_eq!(gpt.aliases, ["gpt-4"]);
    assert_eq!(gpt.fallbacks, ["claude"]);
    assert_eq!((gpt.retry.retries, gpt.breaker.failures), (2, 4));
    let azure = provider(&config, "azure");
    assert_eq!(
        azure.base_url.as_deref(),
        Some("https://my-resource-eu.openai.azure.com/openai")
    );
    assert_eq!(
        config.models[2].context_length_fallbacks,
        ["gpt-4o", "claude"]
    );
    assert_eq!(config.prices[0].output.nanos_per_million, 200_000_000);
    assert_eq!(secret(&config.keys[0]), "value-of-LITELLM_MASTER_KEY");
    // `openai/…` is asked for as it is.
    assert_eq!(config.models.len(), 3);
}

#[test]
fn litellms_rates_are_limits_where_it_heeds_them() {
    let list = "model_list:\n\
                - {model_name: a, litellm_params: {model: openai/x, rpm: 6, tpm: 1000}}\n\
                - {model_name: a, litellm_params: {model: mistral/x, rpm: 12, tpm: 500}}\n\
                - {model_name: b, litellm_params: {model: openai/y, rpm: 7, default_api_key_rpm_limit: 3}}\n\
                - {model_name: b, litellm_params: {model: openai/z, default_api_key_tpm_limit: 90}}\n";
    type Found = (String, Option<u64>, Option<u64>, Per, Vec<String>);
    let limits = |more: &str| -> Vec<Found> {
        let setting = Setting::new().file("a.yaml", &format!("{list}{more}"));
        let limits = setting.named("a.yaml").expect("valid").config.limits;
        let limits = limits.into_iter();
        limits
            .map(|(name, limit)| {
                assert_eq!(limit.rate.window_seconds, 60);
                let rate = limit.rate;
                (
                    name,
                    rate.requests,
                    rate.tokens,
                    limit.per,
                    limit.applies_to.models,
                )
            })
            .collect()
    };
    let names = |names: &[&str]| {
        names
            .iter()
            .map(|&name| name.to_owned())
            .collect::<Vec<_>>()
    };
    let each_key = (
        "b for each key".to_owned(),
        Some(3),
        Some(90),
        Per::Key,
        names(&["b"]),
    );
    assert_eq!(limits(""), std::slice::from_ref(&each_key));
    let heeded =
        limits("router_settings: {enable_pre_call_checks: true, model_group_alias: {alias: a}}\n");
    let a = (
        "a".to_owned(),
        Some(18),
        None,
        Per::All,
        names(&["a", "alias"]),
    );
    assert_eq!(heeded, [a, each_key.clone()]);
    let enforced =
        limits("router_settings: {optional_pre_call_checks: [enforce_model_rate_limits]}\n");
    let a = (
        "a".to_owned(),
        Some(18),
        Some(1_500),
        Per::All,
        names(&["a"]),
    );
    assert_eq!(enforced, [a, each_key]);
}

#[test]
fn litellms_budget_is_one_where_its_periods_are_ours() {
    let list = "model_list: [{model_name: a, litellm_params: {model: openai/x, api_key: k}}]\n";
    let of_settings = |loaded: &Loaded| -> Vec<String> {
        let mut all = warnings(loaded);
        all.retain(|warning| warning.contains("litellm_settings"));
        all
    };
    let read = |settings: &str| {
        let text = format!("{list}litellm_settings: {{{settings}}}\n");
        let loaded = Setting::new().file("a.yaml", &text).named("a.yaml");
        loaded.expect("valid")
    };
    for (duration, period) in [
        ("1d", Period::Day),
        ("24h", Period::Day),
        ("7d", Period::Week),
        ("30d", Period::Month),
        ("1mo", Period::Month),
    ] {
        let found = read(&format!("max_budget: 12.5, budget_duration: {duration}"));
        let budgets: Vec<_> = found.config.budgets.iter().collect();
        let [(name, budget)] = budgets[..] else {
            panic!("{budgets:?}")
        };
        assert_eq!(name, "max_budget");
        let allowance = &budget.allowance;
        assert_eq!(allowance.cost_nanos, Some(CostNanos(12_500_000_000)));
        assert_eq!((allowance.requests, allowance.tokens), (None, None));
        assert_eq!(allowance.period, period, "{duration}");
        assert_eq!(budget.per, Per::All);
        assert!(budget.applies_to.models.is_empty());
        assert_eq!(of_settings(&found), [""; 0]);
    }
    let zoned = read("max_budget: 1, budget_duration: 1d, timezone: Europe/Berlin");
    assert_eq!(zoned.config.server.time_zone.0.name(), "Europe/Berlin");

    let not_carried = |settings: &str, keys: &[&str]| {
        let found = read(settings);
        assert!(found.config.budgets.is_empty(), "{settings}");
        let warnings = of_settings(&found);
        assert_eq!(warnings.len(), keys.len(), "{settings}: {warnings:?}");
        for (warning, key) in warnings.iter().zip(keys) {
            let expected = format!("litellm_settings.{key}: not carried over");
            assert!(warning.contains(&expected), "{warning}");
        }
    };
    not_carried("max_budget: 10", &["max_budget"]);
    not_carried(
        "max_budget: 10, budget_duration: 14d",
        &["max_budget", "budget_duration"],
    );
    not_carried("max_budget: 0, budget_duration: 1d", &[]);
    not_carried("budget_duration: 1d", &[]);
    not_carried(
        "max_internal_user_budget: 10",
        &["max_internal_user_budget"],
    );
}

#[test]
fn litellm_sets_variables_and_scales_weights() {
    let text = "model_list:\n\
                - {model_name: a, litellm_params: {model: openai/x, weight: 0.9}}\n\
                - {model_name: a, litellm_params: {model: mistral/x, weight: 0.1, order: 2, api_key: literal-secret}}\n\
                - {model_name: '*', litellm_params: {model: 'openai/*'}}\n\
                environment_variables:\n  OPENAI_API_KEY: set-in-the-file\n\
                general_settings:\n  master_key: sk-1234\n";
    let variables = [
        ("MISTRAL_API_KEY", "literal-secret"),
        ("MASTER_KEY", "sk-1234"),
        ("OPENAI_API_KEY", "set-in-the-file"),
    ];
    let (before, after, imported) = both("config.yaml", text, &variables);
    assert_eq!(before, after, "{imported}");
    let targets: Vec<(u32, u32)> = before.models[0]
        .targets
        .iter()
        .map(|it| (it.weight, it.priority))
        .collect();
    assert_eq!(targets, [(900, 0), (100, 2)]);
    let openai = provider(&before, "openai");
    assert_eq!(key_of(openai), Some("set-in-the-file"));
    assert!(openai.default);
    for secret in ["literal-secret", "set-in-the-file", "sk-1234"] {
        assert!(!imported.contains(secret), "{imported}");
    }
}

#[test]
fn litellms_models_without_a_provider_are_known_by_their_names() {
    let entry = |model: &str| {
        format!("- {{model_name: '{model}', litellm_params: {{model: '{model}', api_key: k}}}}\n")
    };
    let models = [
        "gpt-4o",
        "claude-3-5-sonnet-20241022",
        "dall-e-3",
        "whisper-1",
        "azure/",
    ];
    let text = format!("model_list:\n{}", models.map(entry).concat());
    let loaded = Setting::new()
        .file("a.yaml", &text)
        .named("a.yaml")
        .expect("valid");
    let targets: Vec<&str> = loaded
        .config
        .models
        .iter()
        .map(|model| model.targets[0].provider.as_str())
        .collect();
    assert_eq!(targets, ["openai", "anthropic", "openai", "openai"]);
    let expected = "a.yaml:6: model_list[4].litellm_params.model: not carried over: left out: it names no model of the \
                    provider";
    assert!(
        warnings(&loaded).contains(&expected.to_owned()),
        "{:#?}",
        warnings(&loaded)
    );
}

#[test]
fn litellms_wildcards_are_those_that_mean_the_same_here() {
    let entry = |name: &str, model: &str| {
        format!("- {{model_name: '{name}', litellm_params: {{model: '{model}', api_key: k}}}}\n")
    };
    let text = format!(
        "model_list:\n{}{}{}{}",
        entry("openai/*", "openai/*"),
        entry("gpt-*", "openai/gpt-*"),
        entry("mine/*", "openai/*"),
        entry("fixed-*", "openai/gpt-4o")
    );
    let loaded = Setting::new()
        .file("a.yaml", &text)
        .named("a.yaml")
        .expect("valid");
    let models: Vec<(&str, Option<&str>)> = loaded
        .config
        .models
        .iter()
        .map(|model| (model.name.as_str(), model.targets[0].model.as_deref()))
        .collect();
    assert_eq!(models, [("gpt-*", None), ("fixed-*", Some("gpt-4o"))]);
    let expected = "a.yaml:4: model_list[2]: not carried over: left out: a wildcard's models are asked for by their own \
                    names here, not as \"mine/*\"";
    assert!(
        warnings(&loaded).contains(&expected.to_owned()),
        "{:#?}",
        warnings(&loaded)
    );
}

#[test]
fn what_is_lost_is_said_at_the_start() {
    let setting = with_variables(Setting::new()).file("litellm.yaml", &example("litellm.yaml"));
    let found = warnings(&setting.named("litellm.yaml").expect("valid"));
    for expected in [
        "litellm.yaml:56: litellm_settings.cache_params.type: not carried over: answers are kept in the gateway's own memory",
        "litellm.yaml:62: general_settings.database_url: not carried over: keys and models that LiteLLM keeps in its \
         database are not read: write them into the file",
    ] {
        assert!(
            found.iter().any(|it| it == expected),
            "{expected} in {found:#?}"
        );
    }
    let text = "[openAIConfig]\napiKey = \"k\"\nmodel = \"m\"\nendpoint = \"http://127.0.0.1:9\"\n\
                [defaultLoggingConfig]\nenableSplunk = true\nsplunkEndpoint = \"http://127.0.0.1:8\"\n\
                enableOpenTelemetry = true\nenableDatadog = true\n\
                [gateway]\nport = 8081\n";
    let loaded = Setting::new().file("a.toml", text).named("a.toml");
    let loaded = loaded.expect("valid");
    let found = warnings(&loaded);
    for expected in [
        "a.toml:8: defaultLoggingConfig.enableOpenTelemetry: not carried over: logs are not shipped by OpenTelemetry",
        "a.toml:9: defaultLoggingConfig.enableDatadog: not carried over: it has no datadogEndpoint",
    ] {
        assert!(
            found.iter().any(|it| it == expected),
            "{expected} in {found:#?}"
        );
    }
    // Its admin port is the default of ours.
    assert_eq!(
        (loaded.config.server.port, loaded.config.admin.port),
        (8081, 8082)
    );
}

#[test]
fn the_log_is_shipped_where_it_was() {
    let text = |on: bool| {
        format!(
            "[openAIConfig]\napiKey = \"k\"\nmodel = \"m\"\nendpoint = \"http://127.0.0.1:9\"\n\
             [defaultLoggingConfig]\nenableElasticSearch = {on}\nelasticSearchEndpoint = \"http://127.0.0.1:9200\"\n\
             elasticApiKey = \"the-key-of-elastic\"\nenableSplunk = {on}\nsplunkEndpoint = \"http://127.0.0.1:8088\"\n\
             enableDatadog = {on}\ndatadogEndpoint = \"http://127.0.0.1:8089\"\nenableOpenTelemetry = false\n"
        )
    };
    let variables = [
        ("OPENAI_API_KEY", "k"),
        ("ELASTIC_API_KEY", "the-key-of-elastic"),
    ];
    let (before, after, imported) = both("a.toml", &text(true), &variables);
    assert_eq!(before, after, "{imported}");
    assert!(!imported.contains("the-key-of-elastic"), "{imported}");
    let logging = before.logging;
    let elastic = &logging.elasticsearch;
    assert_eq!(elastic.endpoint.as_deref(), Some("http://127.0.0.1:9200"));
    let key = elastic.api_key.as_ref().map(|key| key.expose());
    assert_eq!(key, Some("the-key-of-elastic"));
    assert_eq!(
        (elastic.enabled, elastic.index.as_str()),
        (true, "ai-gateway")
    );
    let splunk = logging.splunk.endpoint.as_deref();
    assert_eq!(splunk, Some("http://127.0.0.1:8088"));
    let datadog = logging.datadog.endpoint.as_deref();
    assert_eq!(datadog, Some("http://127.0.0.1:8089"));
    assert!(imported.contains("Splunk wants a token"), "{imported}");
    assert!(imported.contains("Datadog wants a key"), "{imported}");

    let (before, after, imported) = both("a.toml", &text(false), &variables);
    assert_eq!(before, after, "{imported}");
    assert_eq!(before.logging.endpoints().count(), 0);
    assert!(!imported.contains("the-key-of-elastic"), "{imported}");
}

#[test]
fn a_model_at_triton_is_left_out_where_nobody_else_takes_its_requests() {
    let text = "[daemon]\nlisten_ip = \"127.0.0.1\"\nlisten_port = 3000\n\
                [backends.triton]\ntype = \"triton\"\nbase_url = \"http://127.0.0.1:8001\"\n\
                [backends.up]\ntype = \"openai\"\nbase_url = \"http://127.0.0.1:9/v1\"\napi_key = \"k\"\n\
                [models.chat_completions.a]\nbackend = \"triton\"\n[models.chat_completions.b]\nbackend = \"up\"\n";
    let loaded = Setting::new().file("a.toml", text).named("a.toml");
    let loaded = loaded.expect("the other one is served");
    let names: Vec<&str> = loaded
        .config
        .models
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    assert_eq!(names, ["b"]);
    let found = warnings(&loaded);
    assert!(
        found.contains(
            &"a.toml:11: models.chat_completions.a: not carried over: left out: its backend \"triton\" is a Triton, \
              and this version does not speak to Triton yet"
                .to_owned()
        ),
        "{found:#?}"
    );
}

#[test]
fn a_file_nearby_is_only_read_if_it_is_another_gateways() {
    let found = Setting::new().file("config.yaml", "some: thing\n").found();
    let loaded = found.expect("the defaults");
    assert_eq!(loaded.file, None);
    assert_eq!(
        warnings(&loaded),
        [
            "config.yaml is not read: it is not of another gateway's format. Name it if it is meant: ai-gateway config.yaml"
        ]
    );
    let both = with_variables(Setting::new())
        .file("config.yaml", &example("pool.yaml"))
        .file("config/default.toml", "");
    let loaded = both.found().expect("the gateway's own");
    assert_eq!(loaded.config.models, []);
}

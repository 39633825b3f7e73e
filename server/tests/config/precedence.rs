//! The environment comes before the file, the file before the defaults.

use server::config::{Setting as Key, Source};

use crate::setting::{Setting, warnings};

const FILE: &str = r#"
[server]
port = 1000
trusted_proxies = ["10.0.0.0/8"]

[[providers]]
name = "open-ai.eu"
kind = "openai"
api_key = "${UNSET}"
headers = { X-Org = "file" }

[[models]]
name = "gpt-4o"
targets = [{ provider = "open-ai.eu" }, { provider = "open-ai.eu", model = "other" }]
"#;

#[test]
fn every_kind_of_key_can_be_overridden() {
    let loaded = Setting::new()
        .file("a.toml", FILE)
        .variable("GATEWAY_SERVER_PORT", "2000")
        .variable("GATEWAY_SERVER_TIMEOUTS_FIRST_BYTE", "7s")
        .variable("GATEWAY_SERVER_TRUSTED_PROXIES", "127.0.0.0/8, ::1")
        .variable("GATEWAY_ADMIN_TOKEN", "token")
        .variable("GATEWAY_DATABASE_URL", "sqlite:other.db")
        .variable("GATEWAY_RECORDING_FLUSH_INTERVAL", "0")
        .variable("GATEWAY_PROVIDERS_OPEN_AI_EU_API_KEY", "sk-1\n")
        .variable("GATEWAY_PROVIDERS_OPEN_AI_EU_HEADERS_X_ORG", "env")
        .variable("GATEWAY_PROVIDERS_OPEN_AI_EU_HEADERS_X_NEW", "new")
        .variable("GATEWAY_PROVIDERS_OPEN_AI_EU_TIMEOUTS_TOTAL", "9s")
        .variable("GATEWAY_MODELS_GPT_4O_STRATEGY", "priority")
        .variable("GATEWAY_MODELS_GPT_4O_TARGETS_1_WEIGHT", "5")
        .named("a.toml")
        .expect("valid");
    assert_eq!(warnings(&loaded), [""; 0]);
    let config = loaded.config;
    assert_eq!(config.server.port, 2000);
    assert_eq!(config.server.timeouts.first_byte.as_secs(), 7);
    assert_eq!(config.server.trusted_proxies.len(), 2);
    assert_eq!(
        config.admin.token.map(|token| token.expose().to_owned()),
        Some("token".to_owned())
    );
    assert_eq!(config.database.url, "sqlite:other.db");
    assert!(config.recording.flush_interval.is_zero());
    let [provider] = config.providers.as_slice() else {
        panic!("one provider")
    };
    assert_eq!(
        provider.api_key.as_ref().map(|key| key.expose()),
        Some("sk-1")
    );
    assert_eq!(provider.headers["X-Org"].expose(), "env");
    assert_eq!(provider.headers["x-new"].expose(), "new");
    assert_eq!(provider.headers.len(), 2);
    assert_eq!(
        provider.timeouts.total.map(|total| total.as_secs()),
        Some(9)
    );
    assert_eq!(
        config.models[0].strategy,
        server::config::Strategy::Priority
    );
    assert_eq!(config.models[0].targets[1].weight, 5);
    assert_eq!(config.models[0].targets[0].weight, 1);
}

#[test]
fn each_value_knows_who_said_it() {
    let loaded = Setting::new()
        .file("a.toml", FILE)
        .variable("UNSET", "now set")
        .variable("GATEWAY_ADMIN_PORT", "2001")
        .named("a.toml")
        .expect("valid");
    let find = |path: &str| -> Key {
        let mut settings = loaded.effective.settings();
        settings
            .find(|setting| setting.path == path)
            .expect(path)
            .clone()
    };
    let line = |line| Source::File {
        file: "a.toml".to_owned(),
        line,
    };
    assert_eq!(find("server.port").source, line(3));
    assert_eq!(find("server.port").literal.as_deref(), Some("1000"));
    assert_eq!(find("server.host").source, Source::Default);
    assert_eq!(
        find("admin.port").source,
        Source::Variable("GATEWAY_ADMIN_PORT".to_owned())
    );
    assert_eq!(find("providers[0].api_key").source, line(9));
    assert_eq!(
        find("providers[0].api_key").literal.as_deref(),
        Some("\"********\"")
    );
    assert_eq!(
        find("providers[0].base_url").variable,
        "GATEWAY_PROVIDERS_OPEN_AI_EU_BASE_URL"
    );
    assert_eq!(find("models[0].targets[1].model").source, line(14));
}

#[test]
fn the_environment_alone_is_enough() {
    let config = Setting::new()
        .variable("GATEWAY_PROVIDERS_MY_LLM_KIND", "openai-compatible")
        .variable("GATEWAY_PROVIDERS_MY_LLM_BASE_URL", "http://127.0.0.1:9/v1")
        .variable("GATEWAY_PROVIDERS_MY_LLM_DEFAULT", "true")
        .variable("GATEWAY_KEYS_TEAM_A_KEY", "secret")
        .found()
        .expect("valid")
        .config;
    assert_eq!(config.providers.len(), 1);
    assert_eq!(config.providers[0].name, "my-llm");
    assert!(config.providers[0].default);
    assert_eq!(
        (
            config.keys[0].name.as_str(),
            config.keys[0].key.as_ref().unwrap().expose()
        ),
        ("team-a", "secret")
    );
}

#[test]
fn what_only_the_environment_names_is_added_to_the_file() {
    let config = Setting::new()
        .file("a.toml", "[[providers]]\nname = \"a\"\nkind = \"openai\"\n")
        .variable("GATEWAY_PROVIDERS_A_KIND", "simulated")
        .variable("GATEWAY_PROVIDERS_B_KIND", "simulated")
        .named("a.toml")
        .expect("valid")
        .config;
    let providers: Vec<(&str, &str)> = config
        .providers
        .iter()
        .map(|provider| (provider.name.as_str(), provider.kind.as_str()))
        .collect();
    assert_eq!(providers, [("a", "simulated"), ("b", "simulated")]);
}

#[test]
fn the_built_in_provider_can_be_changed() {
    for created in [false, true] {
        let mut setting = Setting::new().variable(
            "GATEWAY_PROVIDERS_SIMULATED_SIMULATED_FIRST_TOKEN_MS",
            "250",
        );
        if created {
            setting = setting.variable("GATEWAY_PROVIDERS_SIMULATED_KIND", "simulated");
        }
        let loaded = setting.found().expect("valid");
        assert_eq!(warnings(&loaded), [""; 0]);
        assert_eq!(loaded.config.providers.len(), 1);
        assert_eq!(loaded.config.providers[0].simulated.first_token_ms, 250);
    }
}

#[test]
fn an_override_makes_up_for_a_wrong_or_missing_value() {
    let text = "[server]\nport = \"${UNSET}\"\n[[keys]]\nname = \"a\"\n";
    let setting = Setting::new()
        .file("a.toml", text)
        .variable("GATEWAY_SERVER_PORT", "1")
        .variable("GATEWAY_KEYS_A_KEY", "k");
    assert!(setting.named("a.toml").is_ok());
}

#[test]
fn an_empty_override_says_nothing() {
    let loaded = Setting::new()
        .file("a.toml", FILE)
        .variable("UNSET", "x")
        .variable("GATEWAY_SERVER_PORT", "")
        .variable("GATEWAY_UNKNOWN", "")
        .named("a.toml")
        .expect("valid");
    assert_eq!(loaded.config.server.port, 1000);
    assert_eq!(warnings(&loaded), [""; 0]);
}

#[test]
fn unknown_overrides_are_warned_of() {
    for (name, expected) in [
        (
            "GATEWAY_SERVER_PROT",
            "GATEWAY_SERVER_PROT: no key is overridden by this variable; did you mean GATEWAY_SERVER_PORT?",
        ),
        (
            "GATEWAY_PROVIDERS_SIMULATED_APIKEY",
            "GATEWAY_PROVIDERS_SIMULATED_APIKEY: no key is overridden by this variable; did you mean \
             GATEWAY_PROVIDERS_SIMULATED_API_KEY?",
        ),
        (
            "GATEWAY_ENVV",
            "GATEWAY_ENVV: no key is overridden by this variable; did you mean GATEWAY_ENV?",
        ),
        (
            "GATEWAY_TOTALLY_SOMETHING_ELSE_OF_ANOTHER_KIND",
            "GATEWAY_TOTALLY_SOMETHING_ELSE_OF_ANOTHER_KIND: no key is overridden by this variable",
        ),
    ] {
        let loaded = Setting::new()
            .variable(name, "hush")
            .found()
            .expect("valid");
        assert_eq!(warnings(&loaded), [expected]);
    }
}

#[test]
fn what_kubernetes_says_of_services_is_none_of_it() {
    let mut setting = Setting::new();
    for service in ["GATEWAY", "GATEWAY_SERVER", "GATEWAY_ADMIN"] {
        for (end, value) in [
            ("SERVICE_HOST", "10.0.0.1"),
            ("SERVICE_PORT", "80"),
            ("SERVICE_PORT_HTTP", "80"),
            ("PORT", "tcp://10.0.0.1:80"),
            ("PORT_80_TCP", "tcp://10.0.0.1:80"),
            ("PORT_80_TCP_PROTO", "tcp"),
            ("PORT_80_TCP_PORT", "80"),
            ("PORT_80_TCP_ADDR", "10.0.0.1"),
        ] {
            setting = setting.variable(&format!("{service}_{end}"), value);
        }
    }
    let loaded = setting.found().expect("valid");
    assert_eq!(loaded.config, server::config::Config::default());
    assert_eq!(warnings(&loaded), [""; 0]);
}

#[test]
fn a_kinds_own_variable_gives_the_key_that_nobody_says() {
    let key_and_source = |setting: Setting| {
        let loaded = setting
            .variable("OPENAI_API_KEY", "sk-ambient\n")
            .named("a.toml")
            .expect("valid");
        let mut settings = loaded.effective.settings();
        let source = settings.find(|one| one.path == "providers[0].api_key");
        let source = source.expect("every key is there").source.to_string();
        let key = loaded.config.providers[0].api_key.clone();
        (key.map(|key| key.expose().to_owned()), source)
    };
    let file = |text: &str| {
        let provider = "[[providers]]\nname = \"a\"\nkind = \"openai\"\n";
        Setting::new().file("a.toml", &format!("{provider}{text}"))
    };
    let key = |text: &str| Some(text.to_owned());
    assert_eq!(
        key_and_source(file("")),
        (key("sk-ambient"), "OPENAI_API_KEY".to_owned())
    );
    assert_eq!(
        key_and_source(file("api_key = \"sk-file\"")),
        (key("sk-file"), "a.toml:4".to_owned())
    );
    assert_eq!(
        key_and_source(file("").variable("GATEWAY_PROVIDERS_A_API_KEY", "sk-own")),
        (key("sk-own"), "GATEWAY_PROVIDERS_A_API_KEY".to_owned())
    );
    let own = "base_url = \"https://API.openai.com/v2/\"";
    assert_eq!(key_and_source(file(own)).0, key("sk-ambient"));
    // It is nobody else's.
    let elsewhere = "base_url = \"https://llm.example.com/v1\"";
    assert_eq!(
        key_and_source(file(elsewhere)),
        (None, "default".to_owned())
    );
}

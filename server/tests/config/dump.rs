//! The effective configuration as text.

use crate::document::TOML;
use crate::setting::{Setting, toml};

/// The variables of [`TOML`]'s secrets.
const SECRETS: [(&str, &str); 6] = [
    ("GATEWAY_ADMIN_TOKEN", "adm"),
    ("GATEWAY_PROVIDERS_ONE_API_KEY", "k1"),
    ("GATEWAY_PROVIDERS_ONE_HEADERS_X_ORG", "acme"),
    ("GATEWAY_PROVIDERS_ONE_HEADERS_X_TEAM", "a"),
    ("GATEWAY_KEYS_TEAM_A_KEY", "secret-a"),
    ("GATEWAY_KEYS_TEAM_B_KEY", "secret-b"),
];

#[test]
fn reads_back_the_same_with_secrets_from_the_environment() {
    let loaded = toml(TOML).expect("valid");
    let text = loaded.effective.to_toml();
    let again = |text: &str| {
        let mut setting = Setting::new().file("b.toml", text);
        for (name, value) in SECRETS {
            setting = setting.variable(name, value);
        }
        setting.named("b.toml").expect(text)
    };
    let reloaded = again(&text);
    assert_eq!(reloaded.config, loaded.config, "{text}");
    let twice = again(&reloaded.effective.to_toml());
    assert_eq!(twice.config, loaded.config);
}

#[test]
fn the_defaults_read_back_the_same() {
    let loaded = Setting::new().found().expect("valid");
    let text = loaded.effective.to_toml();
    // Its `[grpc]` is a section given, which is worth a warning: the values are the same.
    assert_eq!(toml(&text).expect(&text).config, loaded.config);
}

#[test]
fn secrets_are_masked() {
    let loaded = toml(TOML).expect("valid");
    let text = loaded.effective.to_toml();
    for (_, secret) in SECRETS {
        assert!(
            !text.contains(&format!("\"{secret}\"")),
            "{secret} in {text}"
        );
    }
    let debug = format!("{:?}", loaded.config);
    for secret in ["k1", "acme", "secret-a", "secret-b"] {
        assert!(
            !debug.contains(&format!("\"{secret}\"")),
            "{secret} in {debug}"
        );
    }
    // Without the environment the masks are not taken for secrets.
    let errors = toml(&text).expect_err("masks are no secrets");
    assert_eq!(errors.problems.len(), SECRETS.len(), "{errors}");
}

#[test]
fn shows_each_value_with_its_source() {
    let loaded = Setting::new()
        .file(
            "a.toml",
            "[server]\nport = 81\n[[providers]]\nname = \"a\"\nkind = \"simulated\"\napi_key = \"x\"\n",
        )
        .variable("GATEWAY_SERVER_MAX_BODY_SIZE", "1MB")
        .named("a.toml")
        .expect("valid");
    let text = loaded.effective.to_toml();
    let squeezed: Vec<String> = text
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    for line in [
        "[server]",
        "host = \"127.0.0.1\" # default",
        "port = 81 # a.toml:2",
        "max_body_size = \"1MB\" # GATEWAY_SERVER_MAX_BODY_SIZE",
        "[server.timeouts]",
        "first_byte = \"2m\" # default",
        "# token = # not set (GATEWAY_ADMIN_TOKEN)",
        "[[providers]]",
        "name = \"a\" # a.toml:4",
        "api_key = \"********\" # a.toml:6",
        "# base_url = # not set (GATEWAY_PROVIDERS_A_BASE_URL)",
        "[providers.simulated]",
        "fault = \"none\" # default",
    ] {
        assert!(
            squeezed.iter().any(|found| found == line),
            "{line} in {text}"
        );
    }
}

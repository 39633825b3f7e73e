//! `[[limits]]`: what they can say, and what is wrong with them.

use server::config::Loaded;
use shared::policies::{Algorithm, Per, Rate, RateLimit, Selector};

use crate::setting::{Setting, shown, toml, yaml};

const TOML: &str = r#"
[[limits]]
name = "default"
requests = 100
window = "1m"
per = "address"
addresses = ["*.*.*.*"]
except_addresses = ["10.0.0.0/8"]

[[limits]]
name = "models"
enabled = false
description = "Costly ones."
requests = 5
tokens = 10_000
window = "1h"
algorithm = "token_bucket"
keys = ["team-a"]
projects = ["web"]
models = ["gpt-*", "o3"]
"#;

const YAML: &str = r#"
limits:
  - name: default
    requests: 100
    window: 60s
    per: address
    addresses: ["*.*.*.*"]
    except_addresses: 10.0.0.0/8
  - name: models
    enabled: false
    description: Costly ones.
    requests: 5
    tokens: 10000
    window: 60m
    algorithm: token_bucket
    keys: [team-a]
    projects: [web]
    models: ["gpt-*", o3]
"#;

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

#[test]
fn every_key_arrives() {
    let default = RateLimit {
        enabled: true,
        description: None,
        applies_to: Selector {
            addresses: texts(&["*.*.*.*"]),
            except_addresses: texts(&["10.0.0.0/8"]),
            ..Selector::default()
        },
        per: Per::Address,
        rate: Rate {
            requests: Some(100),
            tokens: None,
            window_seconds: 60,
            algorithm: Algorithm::FixedWindow,
        },
    };
    let models = RateLimit {
        enabled: false,
        description: Some("Costly ones.".to_owned()),
        applies_to: Selector {
            keys: texts(&["team-a"]),
            projects: texts(&["web"]),
            models: texts(&["gpt-*", "o3"]),
            ..Selector::default()
        },
        per: Per::All,
        rate: Rate {
            requests: Some(5),
            tokens: Some(10_000),
            window_seconds: 3_600,
            algorithm: Algorithm::TokenBucket,
        },
    };
    let limits = |loaded: Loaded| loaded.config.limits.into_iter().collect::<Vec<_>>();
    let expected = [
        ("default".to_owned(), default),
        ("models".to_owned(), models),
    ];
    assert_eq!(limits(toml(TOML).expect("valid")), expected);
    assert_eq!(limits(yaml(YAML).expect("valid")), expected);
}

#[test]
fn variables_come_over_the_file() {
    let loaded = Setting::new()
        .file("a.toml", TOML)
        .variable("GATEWAY_LIMITS_DEFAULT_REQUESTS", "7")
        .variable("GATEWAY_LIMITS_MODELS_MODELS", "a, b")
        .named("a.toml")
        .expect("valid");
    let limits = loaded.config.limits;
    assert_eq!(limits["default"].rate.requests, Some(7));
    assert_eq!(limits["models"].applies_to.models, ["a", "b"]);
}

#[test]
fn mistakes_are_told_where_they_are() {
    for (text, expected) in [
        (
            "",
            vec![
                "a.toml:1: limits[0].window: missing; expected a duration such as \"100ms\", \"30s\", \"1m30s\" or \"12h\"",
                "a.toml:1: limits[0].requests: missing; say how many requests, how many tokens, or both",
            ],
        ),
        (
            "requests = 0\nwindow = \"1s\"",
            vec!["a.toml:3: limits[0].requests: must be at least 1"],
        ),
        (
            "tokens = 5\nwindow = \"0s\"",
            vec!["a.toml:4: limits[0].window: must be at least one second"],
        ),
        (
            "tokens = 5\nwindow = \"1500ms\"",
            vec!["a.toml:4: limits[0].window: must be whole seconds"],
        ),
        (
            "tokens = 5\nwindow = \"400d\"",
            vec!["a.toml:4: limits[0].window: must be at most 366 days; a quota counts longer"],
        ),
        (
            "tokens = 5\nwindow = \"1s\"\nper = \"addres\"",
            vec![
                "a.toml:5: limits[0].per: unknown way to count \"addres\"; did you mean \"address\"?",
            ],
        ),
        (
            "tokens = 5\nwindow = \"1s\"\nalgorithm = \"sliding\"",
            vec![
                "a.toml:5: limits[0].algorithm: unknown algorithm \"sliding\"; valid: fixed_window, sliding_window, token_bucket",
            ],
        ),
        (
            "tokens = 5\nwindow = \"1s\"\naddresses = [\"::1\", \"10.0.0\"]",
            vec![
                "a.toml:5: limits[0].addresses[1]: expected an address, a network such as \"10.0.0.0/8\", or \"*.*.*.*\" for everybody, found \"10.0.0\"",
            ],
        ),
        (
            "tokens = 5\nwindow = \"1s\"\n[[limits]]\nname = \"a\"\ntokens = 1\nwindow = \"1s\"",
            vec![
                "a.toml:6: limits[1].name: \"a\" is already the name of another; names must differ",
            ],
        ),
    ] {
        let text = format!("[[limits]]\nname = \"a\"\n{text}");
        assert_eq!(shown(&toml(&text).expect_err(&text)), expected, "{text}");
    }
}

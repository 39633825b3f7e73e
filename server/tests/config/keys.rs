//! Keys, and the projects that they share.

use server::config::Config;
use shared::policies::{Algorithm, ClientKey, Project, Rate};

use crate::setting::{toml, warnings};

const FULL: &str = r#"
[[providers]]
name = "up"
kind = "simulated"
model = "own"

[[models]]
name = "fast"
aliases = ["quick"]
targets = [{ provider = "up" }]

[[projects]]
name = "web"
description = "The web site"
models = ["fast", "gpt-*"]
providers = ["up"]
limits = [{ tokens = 100000, window = "1h", algorithm = "sliding_window" }]

[[keys]]
name = "team-a"
key = "sk-team-a"
owner = "Ada"
tags = ["internal", "beta"]
project = "web"
expires_at = 2999-01-31
models = ["quick", "own"]
providers = ["up"]
limits = [{ requests = 60, window = "1m" }]
"#;

fn config(text: &str) -> Config {
    match toml(text) {
        Ok(loaded) => {
            assert_eq!(warnings(&loaded), [""; 0]);
            loaded.config
        }
        Err(errors) => panic!("{errors}"),
    }
}

#[test]
fn all_of_a_key_and_a_project_is_read() {
    let config = config(FULL);
    let names = |list: &[&str]| -> Vec<String> { list.iter().map(|it| (*it).to_owned()).collect() };
    let key = &config.keys[0];
    assert_eq!(key.key.as_ref().unwrap().expose(), "sk-team-a");
    let expected = ClientKey {
        enabled: true,
        owner: Some("Ada".to_owned()),
        tags: names(&["internal", "beta"]),
        project: Some("web".to_owned()),
        expires_at: Some("2999-01-31T00:00:00Z".parse().unwrap()),
        models: names(&["quick", "own"]),
        providers: names(&["up"]),
        rates: vec![Rate {
            requests: Some(60),
            window_seconds: 60,
            ..Rate::default()
        }],
        ..ClientKey::default()
    };
    assert_eq!(key.settings, expected);
    let expected = Project {
        enabled: true,
        description: Some("The web site".to_owned()),
        models: names(&["fast", "gpt-*"]),
        providers: names(&["up"]),
        rates: vec![Rate {
            tokens: Some(100_000),
            window_seconds: 3600,
            algorithm: Algorithm::SlidingWindow,
            ..Rate::default()
        }],
        ..Project::default()
    };
    assert_eq!(config.projects["web"], expected);
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    for (from, to, message) in [
        (
            "project = \"web\"",
            "project = \"wbe\"",
            "a.toml:24: keys[0].project: unknown project \"wbe\"; did you mean \"web\"?",
        ),
        (
            "providers = [\"up\"]\nlimits = [{ requests",
            "providers = [\"upp\"]\nlimits = [{ requests",
            "a.toml:27: keys[0].providers[0]: unknown provider \"upp\"; did you mean \"up\"?",
        ),
        (
            "providers = [\"up\"]\nlimits = [{ tokens",
            "providers = [\"upp\"]\nlimits = [{ tokens",
            "a.toml:16: projects[0].providers[0]: unknown provider \"upp\"; did you mean \"up\"?",
        ),
        (
            "expires_at = 2999-01-31",
            "expires_at = \"soon\"",
            "a.toml:25: keys[0].expires_at: expected a day such as \"2027-01-31\", or a time such as \
             \"2027-01-31T18:00:00+01:00\", found \"soon\"",
        ),
        (
            "requests = 60, window",
            "requests = 0, window",
            "a.toml:28: keys[0].limits[0].requests: must be at least 1",
        ),
        (
            "[[keys]]",
            "[[projects]]\nname = \"web\"\n[[keys]]",
            "a.toml:20: projects[1].name: \"web\" is already the name of another; names must differ",
        ),
    ] {
        assert!(FULL.contains(from), "{from}");
        let errors = toml(&FULL.replace(from, to)).expect_err(message);
        let problems: Vec<String> = errors.problems.iter().map(ToString::to_string).collect();
        assert_eq!(problems, [message]);
    }
}

#[test]
fn what_allows_nothing_is_worth_a_word() {
    for (from, to, message) in [
        (
            "\"quick\", \"own\"",
            "\"quick\", \"fats\"",
            "a.toml:26: keys[0].models[1]: allows nothing: no model is called \"fats\"; did you mean \"fast\"?",
        ),
        (
            "2999-01-31",
            "2001-01-31",
            "a.toml:25: keys[0].expires_at: the key has expired: it is refused",
        ),
    ] {
        let loaded = toml(&FULL.replace(from, to)).expect("valid");
        assert_eq!(warnings(&loaded), [message]);
    }
}

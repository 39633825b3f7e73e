//! No text, however odd, makes the gateway panic: it is read or refused.

use proptest::prelude::*;
use server::config::{Choice, Environment, load_from};

use crate::document::TOML;
use crate::setting::Setting;

/// Loads `text` under both formats and in the environment; only returning matters.
fn survives(text: &str) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let level = ("GATEWAY_LOGGING_LEVEL", text);
    for (name, variables) in [("a.toml", &[][..]), ("a.yaml", &[]), ("a.yaml", &[level])] {
        std::fs::write(directory.path().join(name), text).expect("a file can be written");
        let environment = Environment::new(directory.path(), variables.iter().copied());
        let loaded = load_from(&Choice::Named(name.into()), &environment);
        match loaded {
            Ok(loaded) => assert!(loaded.effective.to_toml().contains("[server]")),
            Err(errors) => assert!(!errors.to_string().is_empty()),
        }
    }
}

/// Lines that look like a configuration.
fn lines() -> impl Strategy<Value = String> {
    let key = prop::sample::select(vec![
        "server",
        "port",
        "host",
        "providers",
        "name",
        "kind",
        "models",
        "targets",
        "keys",
        "key",
        "prices",
        "input",
        "timeouts",
        "total",
        "headers",
        "level",
        "trusted_proxies",
        "fault",
        "\"\"",
        "- name",
    ]);
    let value = prop_oneof![
        Just("[".to_owned()),
        Just("{ a = 1 }".to_owned()),
        Just("[[1], {}]".to_owned()),
        Just("99999999999999999999999999999999999999999".to_owned()),
        Just("-0x1".to_owned()),
        Just("\"${\"".to_owned()),
        Just("\"${A:-${B}}\"".to_owned()),
        Just("1979-05-27T07:32:00Z".to_owned()),
        Just("nan".to_owned()),
        Just("|".to_owned()),
        Just("&a *a".to_owned()),
        "[ -~]{0,12}",
        "\"\\PC{0,8}\"",
    ];
    let line = (0..3_usize, key, value, 0..6_usize).prop_map(|(indent, key, value, shape)| {
        let indent = "  ".repeat(indent);
        match shape {
            0 => format!("[{key}]"),
            1 => format!("[[{key}]]"),
            2 | 3 => format!("{key} = {value}"),
            4 => format!("{indent}{key}: {value}"),
            _ => format!("{indent}- {value}"),
        }
    });
    prop::collection::vec(line, 0..12).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text(text in "\\PC*|[\\x00-\\x7f]{0,200}") {
        survives(&text);
    }

    #[test]
    fn anything_like_a_configuration(text in lines()) {
        survives(&text);
    }

    #[test]
    fn a_configuration_cut_or_changed_anywhere(at in 0..TOML.len(), with in "[\\[\\]{}\"'=:,#\\n$. a-z0-9-]{0,3}") {
        let mut text = TOML.to_owned();
        text.insert_str(at, &with);
        survives(&text);
        survives(&TOML[..at]);
    }
}

#[test]
fn deep_nesting_is_refused() {
    for (name, text) in [
        ("a.toml", format!("a = {}", "[".repeat(100_000))),
        ("a.yaml", format!("a: {}", "[".repeat(100_000))),
        ("a.yaml", format!("a: {}", "{a: ".repeat(100_000))),
        (
            "a.yaml",
            (0..3000)
                .map(|i| format!("{}a:\n", " ".repeat(i)))
                .collect(),
        ),
    ] {
        assert!(Setting::new().file(name, &text).named(name).is_err());
    }
}

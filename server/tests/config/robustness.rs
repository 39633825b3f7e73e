//! No text, however odd, makes the gateway panic: it is read or refused.

use std::path::Path;

use proptest::prelude::*;
use server::config::{Choice, Environment, import, load_from};

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

/// Other gateways' files, each in the format of its example.
const FOREIGN: [(&str, &str); 5] = [
    ("a.toml", include_str!("../../../examples/ballerina.toml")),
    ("a.toml", include_str!("../../../examples/converter.toml")),
    ("a.yaml", include_str!("../../../examples/litellm.yaml")),
    ("a.yaml", include_str!("../../../examples/pool.yaml")),
    ("a.toml", include_str!("../../../examples/router.toml")),
];

/// Loads and imports; what the import prints is a configuration, once its variables are set.
fn survives_foreign(name: &str, text: &str) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(directory.path().join(name), text).expect("a file can be written");
    let nothing_set = Environment::new(directory.path(), [("", ""); 0]);
    let _ = load_from(&Choice::Named(name.into()), &nothing_set);
    let Ok(imported) = import(Path::new(name), &nothing_set) else {
        return;
    };
    let path = directory.path().join("imported.toml");
    std::fs::write(path, &imported.toml).expect("a file can be written");
    let named = imported.toml.split("${").skip(1);
    let named = named.filter_map(|rest| Some(rest.split_once('}')?.0));
    let named = named.map(|name| name.split_once(":-").map_or(name, |(name, _)| name));
    let all_set = Environment::new(directory.path(), named.map(|name| (name, name)));
    if let Err(errors) = load_from(&Choice::Named("imported.toml".into()), &all_set) {
        panic!("{errors}\n{}\nof\n{text}", imported.toml);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn another_gateways_file_cut_or_changed_anywhere(
        which in 0..FOREIGN.len(),
        at in 0.0..1.0_f64,
        removed in 0..12_usize,
        with in "[\\[\\]{}\"'=:,#\n$. a-z0-9ü/-]{0,3}",
    ) {
        let (name, example) = FOREIGN[which];
        let chars: Vec<char> = example.chars().collect();
        let at = (at * chars.len() as f64) as usize;
        let text: String = chars[..at].iter().chain(with.chars().collect::<Vec<_>>().iter())
            .chain(chars.iter().skip(at + removed)).collect();
        survives_foreign(name, &text);
        survives_foreign(name, &chars[..at].iter().collect::<String>());
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

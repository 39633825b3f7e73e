//! Which file is read.

use std::path::Path;

use server::config::{Config, Loaded};

use crate::setting::{Setting, shown, warnings};

fn port(loaded: &Loaded) -> u16 {
    loaded.config.server.port
}

#[test]
fn without_any_the_defaults_hold() {
    let loaded = Setting::new().found().expect("defaults are valid");
    assert_eq!(loaded.config, Config::default());
    assert_eq!(loaded.file, None);
    assert!(loaded.warnings.is_empty());
    let [provider] = loaded.config.providers.as_slice() else {
        panic!("one provider")
    };
    assert!(provider.default && provider.enabled);
    assert_eq!(
        (provider.name.as_str(), provider.kind.as_str()),
        ("simulated", "simulated")
    );
    assert_eq!(provider.model.as_deref(), Some("simulated"));
}

#[test]
fn the_default_file_is_found() {
    let setting = Setting::new().file("config/default.toml", "[server]\nport = 1\n");
    let loaded = setting.found().expect("valid");
    assert_eq!(port(&loaded), 1);
    assert_eq!(
        loaded.file.as_deref(),
        Some(Path::new("config/default.toml"))
    );

    for ending in ["yaml", "yml"] {
        let name = format!("config/default.{ending}");
        let loaded = Setting::new().file(&name, "server:\n  port: 2\n").found();
        assert_eq!(port(&loaded.expect("valid")), 2);
    }
}

#[test]
fn toml_comes_before_yaml() {
    let setting = Setting::new()
        .file("config/default.toml", "[server]\nport = 1\n")
        .file("config/default.yaml", "server:\n  port: 2\n");
    let loaded = setting.found().expect("valid");
    assert_eq!(port(&loaded), 1);
    assert_eq!(
        warnings(&loaded)[1],
        "config/default.yaml is not read, since config/default.toml is"
    );
}

#[test]
fn the_environment_chooses() {
    let setting = || {
        Setting::new()
            .file("config/default.toml", "[server]\nport = 1\n")
            .file("config/production.toml", "[server]\nport = 2\n")
            .file("other.yaml", "server:\n  port: 3\n")
    };
    for (name, value, expected) in [
        ("GATEWAY_ENV", "production", 2),
        ("GATEWAY_ENV", "", 1),
        ("GATEWAY_CONFIG", "other.yaml", 3),
        ("GATEWAY_CONFIG", "", 1),
    ] {
        let loaded = setting().variable(name, value).found().expect("valid");
        assert_eq!(port(&loaded), expected, "{name}={value}");
    }
    let both = setting()
        .variable("GATEWAY_ENV", "production")
        .variable("GATEWAY_CONFIG", "other.yaml");
    assert_eq!(port(&both.found().expect("valid")), 3);
    let named = both.named("config/default.toml").expect("valid");
    assert_eq!(port(&named), 1, "the command line comes first");
}

#[test]
fn what_is_named_must_be_there() {
    let setting = Setting::new()
        .file("config/default.toml", "")
        .file("gateway.conf", "");
    for (file, expected) in [
        ("gone.toml", "gone.toml: there is no such file"),
        (
            "gateway.conf",
            "gateway.conf: expected a file whose name ends in .toml, .yaml or .yml",
        ),
    ] {
        let errors = setting.named(file).expect_err(file);
        assert_eq!(shown(&errors), [expected]);
    }
    for (name, value, expected) in [
        (
            "GATEWAY_ENV",
            "staging",
            "GATEWAY_ENV: config/staging.toml is missing (and .yaml, and .yml)",
        ),
        (
            "GATEWAY_ENV",
            "../secret",
            "GATEWAY_ENV: \"../secret\" is no name of an environment; expected one such as \"production\"",
        ),
        (
            "GATEWAY_CONFIG",
            "gone.toml",
            "gone.toml: there is no such file",
        ),
        (
            "GATEWAY_CONFIG",
            "gone",
            "GATEWAY_CONFIG: gone: expected a file whose name ends in .toml, .yaml or .yml",
        ),
    ] {
        let setting = Setting::new()
            .file("config/default.toml", "")
            .variable(name, value);
        assert_eq!(shown(&setting.found().expect_err(value)), [expected]);
    }
}

#[test]
fn a_file_that_is_no_text_is_named() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("a.toml");
    std::fs::write(&path, [0xff, 0xfe, 0]).expect("a file can be written");
    let errors = Setting::new()
        .named(path.to_str().expect("UTF-8"))
        .expect_err("no text");
    assert_eq!(
        shown(&errors),
        [format!("{}: the file is not UTF-8", path.display())]
    );
}

//! `docs/configuration.md` and the examples say what is true.

use std::path::{Path, PathBuf};

use server::config::{Choice, Environment, Source, load_from};

use crate::setting::{toml, warnings};

/// One of everything that has keys.
const ONE_OF_EACH: &str = r#"
[[providers]]
name = "name"
kind = "openai"
headers = { header = "x" }
[[routes]]
path = "/x"
dialect = "anthropic"
provider = "name"
[[models]]
name = "name"
targets = [{ provider = "name", parameters = { parameter = 0 } }]
[[models.rules]]
targets = [{ provider = "name", parameters = { parameter = 0 } }]
[[keys]]
name = "name"
key = "x"
[[system_prompts]]
name = "name"
text = "x"
[[egress]]
name = "name"
endpoint = "https://example.com"
[[guardrails]]
name = "name"
check = { kind = "phrases", phrases = ["x"] }
action = { kind = "block" }
[[guardrails]]
name = "name1"
check = { kind = "patterns", patterns = ["x"] }
action = { kind = "replace", with = "x" }
[[guardrails]]
name = "name2"
check = { kind = "length", max = 1 }
action = { kind = "truncate" }
[[guardrails]]
name = "name3"
check = { kind = "disclaimer", text = "x" }
action = { kind = "append" }
[[guardrails]]
name = "name4"
check = { kind = "pii" }
action = { kind = "redact" }
[[guardrails]]
name = "name5"
check = { kind = "injection" }
action = { kind = "flag" }
[[guardrails]]
name = "name6"
check = { kind = "json_schema", schema = true }
action = { kind = "flag" }
[[guardrails]]
name = "name7"
check = { kind = "moderation", model = "x" }
action = { kind = "flag" }
[[guardrails]]
name = "name8"
check = { kind = "webhook", url = "http://x/" }
action = { kind = "flag" }
[[cache.overrides]]
ttl = "1h"
[[payloads.overrides]]
[[keys.limits]]
requests = 1
window = "1m"
[[keys.budgets]]
requests = 1
[[projects]]
name = "name"
[[projects.budgets]]
requests = 1
[[projects.limits]]
requests = 1
window = "1m"
[[limits]]
name = "name"
requests = 1
window = "1s"
[[budgets]]
name = "name"
requests = 1
[[prices]]
model = "x"
input = 1
output = 1
[[unit_prices]]
model = "x"
unit = "image"
each = 1
"#;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// How each key's row in the document begins: its path, its default and its variable.
fn rows() -> Vec<String> {
    let loaded = toml(ONE_OF_EACH).expect("valid");
    let settings = loaded.effective.settings().map(|setting| {
        let mut path = setting.path.clone();
        for i in 0..9 {
            path = path.replace(&format!("[{i}]"), "");
        }
        let path = path
            .replace("headers.header", "headers.<header>")
            .replace("parameters.parameter", "parameters.<parameter>");
        let default = match (&setting.source, &setting.literal) {
            (Source::Default, Some(literal)) => format!("`{literal}`"),
            (Source::Default, None) => "none".to_owned(),
            _ if ["header", "parameter", "ttl", "requests", "max", "with"]
                .contains(&setting.key.as_str()) =>
            {
                "none".to_owned()
            }
            _ => "required".to_owned(),
        };
        let mut variable = setting.variable.clone();
        for i in 1..9 {
            variable = variable.replace(&format!("_NAME{i}_"), "_NAME_");
        }
        let variable = variable
            .replace("_NAME_", "_<NAME>_")
            .replace("_0_", "_<N>_")
            .replace("HEADERS_HEADER", "HEADERS_<HEADER>")
            .replace("PARAMETERS_PARAMETER", "PARAMETERS_<PARAMETER>");
        let variable = match path.as_str() {
            // What is found by its name is not renamed by a variable.
            path if path.ends_with("s.name") => "–".to_owned(),
            _ => format!("`{variable}`"),
        };
        format!("| `{path}` | {default} | {variable} | ")
    });
    settings.collect()
}

#[test]
fn every_key_has_its_row() {
    let document =
        std::fs::read_to_string(root().join("docs/configuration.md")).expect("it exists");
    let found: Vec<&str> = document
        .lines()
        .filter(|line| line.starts_with("| `"))
        .collect();
    let rows = rows();
    let missing: Vec<&String> = rows
        .iter()
        .filter(|row| !found.iter().any(|line| line.starts_with(row.as_str())))
        .collect();
    let stale: Vec<&&str> = found
        .iter()
        .filter(|line| !rows.iter().any(|row| line.starts_with(row.as_str())))
        .collect();
    assert!(missing.is_empty(), "rows that are missing: {missing:#?}");
    assert!(stale.is_empty(), "rows that no key has: {stale:#?}");
}

#[test]
fn the_examples_are_valid() {
    let variables = [
        "ADMIN_TOKEN",
        "AZURE_PROXY_KEY",
        "OPENAI_API_KEY",
        "TEAM_A_KEY",
        "TEAM_B_KEY",
    ];
    let environment = Environment::new(
        root(),
        variables.map(|name| (name, format!("{name}-value"))),
    );
    let files = std::fs::read_dir(root().join("deploy/examples")).expect("examples exist");
    let mut read = 0;
    for file in files {
        let path = file.expect("a file").path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        if !matches!(extension, Some("toml" | "yaml" | "yml")) {
            continue;
        }
        match load_from(&Choice::Named(path.clone()), &environment) {
            Ok(loaded) => assert_eq!(warnings(&loaded), [""; 0], "{}", path.display()),
            Err(errors) => panic!("{errors}"),
        }
        read += 1;
    }
    assert!(read >= 4, "{read} examples");
}

/// Every TOML block of the document that has a provider is a configuration.
#[test]
fn the_documents_toml_is_valid() {
    let document =
        std::fs::read_to_string(root().join("docs/configuration.md")).expect("it exists");
    let blocks = document.split("```toml\n").skip(1);
    let blocks: Vec<&str> = blocks.filter_map(|rest| rest.split("```").next()).collect();
    assert!(!blocks.is_empty());
    for block in blocks {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("a.toml");
        std::fs::write(&path, block).expect("a file can be written");
        let variables = [
            ("OPENAI_API_KEY", "k1"),
            ("TEAM_A_KEY", "k2"),
            ("ELASTIC_API_KEY", "k3"),
        ];
        let environment = Environment::new(directory.path(), variables);
        if let Err(errors) = load_from(&Choice::Named(path), &environment) {
            panic!("{errors}\n{block}");
        }
    }
}

#[test]
fn every_fault_is_described() {
    let document =
        std::fs::read_to_string(root().join("docs/configuration.md")).expect("it exists");
    let described: Vec<&str> = document
        .lines()
        .skip_while(|line| *line != "### Faults to rehearse with")
        .skip(1)
        .take_while(|line| !line.starts_with('#'))
        .filter_map(|line| line.strip_prefix("- `")?.split('`').next())
        .collect();
    let faults: Vec<&str> = llm::simulated::Fault::all()
        .map(llm::simulated::Fault::name)
        .collect();
    assert_eq!(described, faults);
}

//! What the log says when providers fail.

use std::fs::{self, File};

use serde_json::Value;

use crate::process::{Gateway, command, folder, soon};

const CONFIG: &str = r#"
[logging]
format = "json"
[[providers]]
name = "up"
kind = "simulated"
simulated = { fault = "overloaded" }
[[providers]]
name = "backup"
kind = "simulated"
[[models]]
name = "simulated"
strategy = "priority"
targets = [{ provider = "up" }, { provider = "backup" }]
"#;

#[test]
fn tells_who_failed_and_who_was_tried_instead() {
    let folder = folder();
    fs::write(folder.path().join("gateway.toml"), CONFIG).unwrap();
    let log = folder.path().join("log");
    let mut command = command(folder.path(), "exec \"$@\" gateway.toml");
    command.stderr(File::create(&log).unwrap());
    let gateway = Gateway::run(command);
    let response = gateway.chat(false).unwrap();
    assert_eq!(response.status(), 200);
    let id = response.headers()["x-request-id"]
        .to_str()
        .unwrap()
        .to_owned();
    let said = |what: &str| -> Option<Value> {
        let log = fs::read_to_string(&log).unwrap();
        let line = log.lines().find(|line| line.contains(what))?;
        Some(serde_json::from_str(line).unwrap())
    };
    soon("the log is written", || {
        said("Attempting failover").is_some()
    });
    for (what, provider) in [
        ("Primary provider failed", "up"),
        ("Attempting failover", "backup"),
    ] {
        let line = said(what).unwrap();
        let fields = line.get("fields").unwrap_or(&line);
        assert_eq!(fields["requestId"], id.as_str(), "{line}");
        assert_eq!(fields["provider"], provider, "{line}");
        assert!(fields["error"].is_string(), "{line}");
    }
}

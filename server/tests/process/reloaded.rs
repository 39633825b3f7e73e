//! The configuration, changed while the gateway runs.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;

use reqwest::blocking::Response;
use serde_json::json;

use crate::process::{Gateway, command, folder, soon};

/// Written slowly enough that a reload falls into the middle of a reply.
const SLOW: &str = "[[providers]]\nname = \"slow\"\nkind = \"simulated\"\nmodel = \"slow\"\n\
                    simulated = { between_chunks_ms = 100 }\n";

fn key(name: &str) -> String {
    format!("[[keys]]\nname = \"{name}\"\nkey = \"the-key-of-{name}\"\n")
}

/// A gateway that serves `text`, and logs to `log` in the same folder.
fn serving(folder: &Path, text: &str) -> Gateway {
    fs::write(folder.join("gateway.toml"), text).unwrap();
    logging(folder)
}

fn logging(folder: &Path) -> Gateway {
    let mut command = command(folder, "exec \"$@\" gateway.toml");
    command
        .env("TEAM_KEY", "the-key-of-the-team")
        .stderr(File::create(folder.join("log")).unwrap());
    Gateway::run(command)
}

fn log(folder: &Path) -> String {
    fs::read_to_string(folder.join("log")).unwrap()
}

/// As editors do: beside it, then over it.
fn replace(folder: &Path, text: &str) {
    fs::write(folder.join("new"), text).unwrap();
    fs::rename(folder.join("new"), folder.join("gateway.toml")).unwrap();
}

fn ask(gateway: &Gateway, key: &str, model: &str, stream: bool) -> Response {
    let body = json!({
        "model": model,
        "stream": stream,
        "messages": [{"role": "user", "content": "Hello"}],
    });
    let request = gateway
        .client
        .post(format!("{}/v1/chat/completions", gateway.url));
    let request = request.bearer_auth(format!("the-key-of-{key}"));
    request.body(body.to_string()).send().unwrap()
}

fn models(gateway: &Gateway, key: &str) -> String {
    let request = gateway.client.get(format!("{}/v1/models", gateway.url));
    let request = request.bearer_auth(format!("the-key-of-{key}"));
    request.send().and_then(Response::text).unwrap()
}

fn status(gateway: &Gateway, key: &str) -> u16 {
    ask(gateway, key, "simulated", false).status().as_u16()
}

#[test]
fn a_signal_puts_the_new_file_in_force() {
    let folder = folder();
    let gateway = serving(folder.path(), &key("a"));
    assert_eq!((status(&gateway, "a"), status(&gateway, "b")), (200, 401));
    replace(folder.path(), &key("b"));
    gateway.signal("HUP");
    soon("b is let in", || status(&gateway, "b") == 200);
    assert_eq!(status(&gateway, "a"), 401, "revoked");
}

#[test]
fn a_change_is_noticed_without_a_signal() {
    let folder = folder();
    let gateway = serving(folder.path(), &key("a"));
    for (before, after) in [("a", "b"), ("b", "c")] {
        replace(folder.path(), &key(after));
        soon("the new key is let in", || status(&gateway, after) == 200);
        assert_eq!(status(&gateway, before), 401);
    }
    fs::write(folder.path().join("gateway.toml"), key("d")).unwrap();
    soon("written in place", || status(&gateway, "d") == 200);
}

#[cfg(unix)]
#[test]
fn the_links_of_a_config_map_are_followed() {
    use std::os::unix::fs::symlink;
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    for (name, text) in [("..1", key("a")), ("..2", key("b"))] {
        fs::create_dir(at(name)).unwrap();
        fs::write(at(name).join("gateway.toml"), text).unwrap();
    }
    symlink("..1", at("..data")).unwrap();
    symlink("..data/gateway.toml", at("gateway.toml")).unwrap();
    let gateway = logging(folder.path());
    assert_eq!(status(&gateway, "a"), 200);
    symlink("..2", at("..data_tmp")).unwrap();
    fs::rename(at("..data_tmp"), at("..data")).unwrap();
    soon("b is let in", || status(&gateway, "b") == 200);
    assert_eq!(status(&gateway, "a"), 401);
}

#[test]
fn an_invalid_file_changes_nothing_and_every_problem_is_logged() {
    let folder = folder();
    let gateway = serving(folder.path(), &key("a"));
    let wrong = format!(
        "{}[server]\nprot = 1\n[logging]\nformat = \"x\"\n",
        key("b")
    );
    replace(folder.path(), &wrong);
    gateway.signal("HUP");
    soon("it is refused", || {
        log(folder.path()).contains("the one before stays in force")
    });
    let said = log(folder.path());
    for problem in [
        "gateway.toml:5: server.prot: unknown key",
        "gateway.toml:7: logging.format: unknown format",
    ] {
        assert!(said.contains(problem), "{said}");
    }
    assert_eq!((status(&gateway, "a"), status(&gateway, "b")), (200, 401));

    replace(folder.path(), &key("b"));
    soon("b is let in", || status(&gateway, "b") == 200);
    fs::remove_file(folder.path().join("gateway.toml")).unwrap();
    soon("it is missed", || log(folder.path()).contains("is gone"));
    assert_eq!(status(&gateway, "b"), 200);
}

#[test]
fn requests_under_way_go_on_as_they_began() {
    let folder = folder();
    let gateway = serving(folder.path(), &format!("{SLOW}{}", key("a")));
    assert!(models(&gateway, "a").contains("slow"));
    let reply = ask(&gateway, "a", "slow", true);
    assert_eq!(reply.status(), 200);
    let mut lines = BufReader::new(reply).lines();
    assert!(lines.next().unwrap().unwrap().starts_with("data: "));
    replace(folder.path(), &key("b"));
    gateway.signal("HUP");
    soon("b is let in", || status(&gateway, "b") == 200);
    assert!(!models(&gateway, "b").contains("slow"), "it is gone");
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert!(rest.contains(&"data: [DONE]".to_owned()), "{rest:?}");
}

#[test]
fn what_waits_for_the_next_start_is_named() {
    let folder = folder();
    let gateway = serving(folder.path(), &key("a"));
    let text = "[[keys]]\nname = \"team\"\nkey = \"${TEAM_KEY}\"\n\
                [server]\ndrain_timeout = \"1s\"\n[recording]\nqueue_size = 1000\n";
    replace(folder.path(), text);
    gateway.signal("HUP");
    soon("the variable is read", || {
        status(&gateway, "the-team") == 200
    });
    let said = || log(folder.path());
    soon("it is logged", || said().contains("is in force"));
    for key in ["server.drain_timeout", "recording"] {
        assert!(said().contains(&format!("{key} was changed")), "{}", said());
    }
    assert!(!said().contains("admin was changed"), "{}", said());
}

#[test]
fn the_logs_level_is_changed_with_the_file() {
    let folder = folder();
    let gateway = serving(folder.path(), &key("a"));
    let said = || log(folder.path());
    for (name, level) in [("b", "warn"), ("c", "info")] {
        let text = format!("{}[logging]\nlevel = \"{level}\"\n", key(name));
        replace(folder.path(), &text);
        gateway.signal("HUP");
        soon("the new key is let in", || status(&gateway, name) == 200);
    }
    soon("the second is logged", || said().contains("is in force"));
    assert_eq!(said().matches("is in force").count(), 1, "{}", said());
    assert!(!said().contains("logging was changed"), "{}", said());
}

#[test]
fn another_gateways_file_is_read_again_too() {
    let folder = folder();
    let pool = |model: &str| {
        format!(
            "models:\n  {model}:\n    model_name: {model}\n    providers:\n      - {{name: up, api_base: \
             'http://127.0.0.1:9/v1', api_key: k, enabled: true}}\n"
        )
    };
    let write = |model: &str| fs::write(folder.path().join("config.yaml"), pool(model)).unwrap();
    write("first");
    let gateway = Gateway::run(command(folder.path(), "exec \"$@\""));
    assert!(models(&gateway, "nobody").contains("first"));
    write("second");
    soon("it is read", || {
        models(&gateway, "nobody").contains("second")
    });
    assert!(!models(&gateway, "nobody").contains("first"));
}

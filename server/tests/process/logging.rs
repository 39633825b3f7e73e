//! The log of a process: its level changed while it runs, and its lines shipped.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use reqwest::blocking::Response;
use serde_json::{Value, json};

use crate::process::{Gateway, command, folder, soon};

/// What a service has been sent, request by request.
type Bodies = Arc<Mutex<Vec<String>>>;

/// A service that takes everything, one connection at a time.
fn service() -> (String, Bodies) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let bodies = Bodies::default();
    let log = bodies.clone();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut received = Vec::new();
            let mut chunk = [0; 8192];
            while let Ok(count @ 1..) = stream.read(&mut chunk) {
                received.extend_from_slice(&chunk[..count]);
                let text = String::from_utf8_lossy(&received).into_owned();
                let Some((head, body)) = text.split_once("\r\n\r\n") else {
                    continue;
                };
                let length = head.lines().find_map(|line| {
                    line.to_ascii_lowercase()
                        .strip_prefix("content-length: ")?
                        .parse()
                        .ok()
                });
                if body.len() < length.unwrap_or(0_usize) {
                    continue;
                }
                log.lock().unwrap().push(body.to_owned());
                received.clear();
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}");
            }
        }
    });
    (url, bodies)
}

fn logging(folder: &Path, variables: &[(&str, &str)]) -> Gateway {
    let mut command = command(folder, "exec \"$@\"");
    let log = File::options()
        .create(true)
        .append(true)
        .open(folder.join("log"));
    command.envs(variables.iter().copied()).stderr(log.unwrap());
    Gateway::run(command)
}

fn log(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("log")).unwrap()
}

fn change(gateway: &Gateway, change: &Value) -> Value {
    let url = format!("{}/api/v1/logging", gateway.admin_url);
    let request = gateway.client.patch(url).bearer_auth("the-admin-token");
    let changed = request.json(change).send().unwrap();
    assert_eq!(changed.status(), 200);
    changed.json().unwrap()
}

/// Something that is logged at the level `info`.
fn be_logged(gateway: &Gateway, name: &str) {
    let url = format!("{}/api/v1/projects/{name}", gateway.admin_url);
    let request = gateway.client.put(url).bearer_auth("the-admin-token");
    let put = request
        .json(&json!({}))
        .send()
        .and_then(Response::error_for_status);
    put.unwrap();
}

#[test]
fn a_level_acts_at_once_and_outlives_a_restart() {
    let folder = folder();
    let gateway = logging(folder.path(), &[]);
    be_logged(&gateway, "first");
    soon("a line of the first", || {
        log(folder.path()).contains("first")
    });
    change(&gateway, &json!({"level": "warn"}));
    be_logged(&gateway, "second");
    let changed = change(&gateway, &json!({"level": "info", "format": "json"}));
    assert_eq!(changed["in_file"]["value"]["level"], "info");
    be_logged(&gateway, "third");
    soon("a line of the third", || {
        log(folder.path()).contains("third")
    });
    let lines = log(folder.path());
    assert!(!lines.contains("second"), "{lines}");
    let third = lines.lines().find(|line| line.contains("third")).unwrap();
    let third: Value = serde_json::from_str(third).unwrap();
    assert_eq!(
        (&third["level"], &third["name"], &third["message"]),
        (
            &json!("INFO"),
            &json!("third"),
            &json!("A policy was changed")
        )
    );
    change(&gateway, &json!({"level": "error"}));
    drop(gateway);

    let before = log(folder.path()).len();
    let gateway = logging(folder.path(), &[]);
    be_logged(&gateway, "fourth");
    change(&gateway, &json!({"level": "info"}));
    be_logged(&gateway, "fifth");
    soon("a line of the fifth", || {
        log(folder.path()).contains("fifth")
    });
    let lines = log(folder.path());
    let lines = &lines[before..];
    assert!(!lines.contains("fourth"), "{lines}");
}

#[test]
fn lines_are_shipped_but_those_of_shipping() {
    let folder = folder();
    let (url, bodies) = service();
    let variables = [
        ("GATEWAY_LOGGING_DATADOG_ENDPOINT", url.as_str()),
        ("GATEWAY_LOGGING_DATADOG_API_KEY", "the-key-of-datadog"),
        // Where nobody is.
        ("GATEWAY_LOGGING_SPLUNK_ENDPOINT", "http://127.0.0.1:1"),
        ("GATEWAY_LOGGING_LEVEL", "trace"),
    ];
    let mut gateway = logging(folder.path(), &variables);
    be_logged(&gateway, "first");
    gateway.chat(false).unwrap();
    let shipped = || bodies.lock().unwrap().concat();
    soon("a shipped line", || {
        shipped().contains("A policy was changed")
    });
    soon("a shipped request", || {
        shipped().contains("Request finished")
    });
    soon("trouble with the other service", || {
        log(folder.path()).contains("The log cannot be shipped just now")
    });
    gateway.signal("TERM");
    assert!(gateway.wait().success());
    let shipped = shipped();
    let logs: Vec<Value> = bodies
        .lock()
        .unwrap()
        .iter()
        .flat_map(|body| serde_json::from_str::<Vec<Value>>(body).unwrap())
        .collect();
    let line = logs
        .iter()
        .find(|line| line["message"] == "A policy was changed");
    let line = line.unwrap();
    assert_eq!(line["status"], "info");
    let component = line["component"].as_str().unwrap();
    assert!(component.starts_with("server::in_force"), "{component}");
    assert_eq!(
        (&line["metadata"]["name"], &line["metadata"]["version"]),
        (&json!("first"), &json!(1))
    );
    // Whatever has to do with shipping stays here, at the level `trace` as well.
    assert!(!shipped.contains("cannot be shipped"), "{shipped}");
    let told = log(folder.path()) + &shipped;
    assert!(!told.contains("the-key-of-datadog"));
}

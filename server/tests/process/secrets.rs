//! What the log says, at its most talkative, while secrets are given, mistyped, replaced and used.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::thread;

use reqwest::Method;
use serde_json::{Value, json};

use crate::process::{Gateway, command, folder, soon};

const ADMIN: &str = "the-admin-token";
const FIRST: &str = "sk-first-0123456789-aaaa";
const SECOND: &str = "sk-second-0123456789-bbbb";
const HEADER: &str = "header-secret-0123456789";
const MISPLACED: &str = "sk-misplaced-0123456789";
const PASSWORD: &str = "correct horse battery";

/// An upstream that refuses every request, and says again which key it was shown, as some do.
fn telltale() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let mut key = String::new();
            while let Some(Ok(line)) = lines.next() {
                if line.to_ascii_lowercase().starts_with("authorization") {
                    key = line;
                } else if line.is_empty() {
                    break;
                }
            }
            let body =
                json!({"error": {"message": format!("Incorrect API key: {key}")}}).to_string();
            let length = body.len();
            let _ = write!(
                stream,
                "HTTP/1.1 401 Unauthorized\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
                 connection: close\r\n\r\n{body}"
            );
        }
    });
    url
}

fn ask(gateway: &Gateway, method: Method, path: &str, body: &Value) -> (u16, Value) {
    let request = gateway
        .client
        .request(method, format!("{}/api/v1/{path}", gateway.admin_url))
        .bearer_auth(ADMIN)
        .json(body);
    let answer = request.send().unwrap();
    (answer.status().as_u16(), answer.json().unwrap_or_default())
}

#[test]
fn no_level_of_the_log_tells_a_secret() {
    let folder = folder();
    let log = folder.path().join("log");
    let mut command = command(folder.path(), "exec \"$@\"");
    command
        .env("GATEWAY_LOGGING_LEVEL", "trace")
        .stderr(File::create(&log).unwrap());
    let gateway = Gateway::run(command);
    let url = telltale();
    let provider = |key: &str| {
        json!({"kind": "openai-compatible", "base_url": url, "api_key": key, "headers": {"x-token": HEADER},
               "health": {"enabled": false}})
    };
    let put = |name: &str, body: &Value| {
        let path = format!("providers/{name}");
        ask(&gateway, Method::PUT, &path, body).0
    };
    assert_eq!(put("up", &provider(FIRST)), 201);
    assert_eq!(put("up", &provider(SECOND)), 200);
    // Mistakes: another field is wrong, the secret is where it does not belong, the body is no JSON.
    let mut wrong = provider(FIRST);
    wrong["queue"] = json!(MISPLACED);
    assert_eq!(put("up", &wrong), 422);
    let mut wrong = provider(FIRST);
    wrong["api_keys"] = json!(MISPLACED);
    assert_eq!(put("up", &wrong), 422);
    let mut wrong = provider(FIRST);
    wrong[MISPLACED] = json!(1);
    assert_eq!(put("up", &wrong), 422);
    let mut wrong = provider(FIRST);
    wrong["base_url"] = json!(format!("http://169.254.169.254/?key={MISPLACED}"));
    assert_eq!(put("up", &wrong), 422);
    let broken = gateway
        .client
        .put(format!("{}/api/v1/providers/up", gateway.admin_url))
        .bearer_auth(ADMIN)
        .header("content-type", "application/json")
        .body(format!("{{\"api_key\": \"{MISPLACED}"));
    assert_eq!(broken.send().unwrap().status(), 400);
    let post = |path: &str, body: &Value| ask(&gateway, Method::POST, path, body);
    assert_eq!(post("providers/up/versions/1/restore", &json!({})).0, 200);
    // Users, tokens and client keys.
    let user = json!({"role": "viewer", "password": PASSWORD});
    assert_eq!(ask(&gateway, Method::PUT, "users/alice", &user).0, 201);
    let login = gateway.client.post(format!("{}/login", gateway.admin_url));
    let login = login.form(&[("username", "alice"), ("password", PASSWORD)]);
    login.send().unwrap();
    let told = |(status, answer): (u16, Value)| {
        assert!(status < 300, "{answer}");
        answer["secret"].as_str().unwrap().to_owned()
    };
    let token = told(post("tokens", &json!({"name": "ci", "role": "viewer"})));
    let key = told(post("keys", &json!({"name": "team"})));
    let rotated = told(post("keys/team/rotate", &json!({"grace_seconds": 60})));
    // The provider's keys are used, and the upstream says them again.
    for key in [&key, &rotated, &MISPLACED.to_owned()] {
        let body = json!({"model": "up/m", "messages": [{"role": "user", "content": "Hello"}]});
        let chat = gateway
            .client
            .post(format!("{}/v1/chat/completions", gateway.url))
            .bearer_auth(key)
            .body(body.to_string());
        let answer = chat.send().unwrap();
        assert!(!answer.status().is_success());
        let answer = answer.text().unwrap();
        assert!(
            !answer.contains(FIRST) && !answer.contains(HEADER),
            "{answer}"
        );
    }
    ask(&gateway, Method::DELETE, "providers/up", &json!({}));
    let said = || fs::read_to_string(&log).unwrap();
    // Three edits and the deletion: the log is talkative, and has come as far as this.
    soon("the deletion is logged", || {
        said().matches("A policy was changed").count() >= 6
    });
    let said = said();
    assert!(said.contains("DEBUG"), "{said}");
    for secret in [
        ADMIN, FIRST, SECOND, HEADER, MISPLACED, PASSWORD, &token, &key, &rotated,
    ] {
        let line = said.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret}");
    }
}

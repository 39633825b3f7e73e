//! The first words.

use std::process::Command;

use crate::process::{Gateway, folder};

#[test]
fn it_says_where_everything_is() {
    let folder = folder();
    let gateway = Gateway::start(folder.path());
    let said = gateway.lines.concat();
    for word in [
        &format!("{}/v1", gateway.url),
        &format!("{}/login", gateway.admin_url),
        "simulated",
        "curl ",
    ] {
        assert!(said.contains(word), "{word} in {said}");
    }
    assert!(!said.contains("the-admin-token"), "{said}");
}

#[test]
fn the_printed_curl_line_works() {
    let folder = folder();
    let gateway = Gateway::start(folder.path());
    let line = gateway
        .lines
        .iter()
        .find(|line| line.contains("curl"))
        .unwrap();
    let line = line.replacen("curl", "curl -sS --fail", 1);
    let output = Command::new("sh").args(["-c", &line]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("simulated"), "{said} {:?}", output.stderr);
}

#[test]
fn a_port_that_is_taken_is_named() {
    let folder = folder();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let output = Command::new(env!("CARGO_BIN_EXE_ai-gateway"))
        .current_dir(folder.path())
        .env("GATEWAY_SERVER_PORT", port.to_string())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(&port.to_string()), "{said}");
    assert!(said.contains("server.port"), "{said}");
}

#[test]
fn certificates_that_cannot_be_used_are_named() {
    let folder = folder();
    std::fs::write(folder.path().join("empty.pem"), "nothing\n").unwrap();
    for (file, word) in [("gone.pem", "gone.pem"), ("empty.pem", "no certificate")] {
        let output = Command::new(env!("CARGO_BIN_EXE_ai-gateway"))
            .current_dir(folder.path())
            .env("GATEWAY_SERVER_CA_FILE", file)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            said.contains("server.ca_file") && said.contains(word),
            "{said}"
        );
    }
}

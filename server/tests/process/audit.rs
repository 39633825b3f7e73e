//! `ai-gateway audit verify`, beside a gateway that runs.

use std::process::{Command, Output};

use serde_json::json;

use crate::process::{Gateway, database, folder};

fn verify(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ai-gateway"))
        .args(["audit", "verify"])
        .args(arguments)
        .output()
        .unwrap()
}

#[test]
fn it_says_whether_the_log_is_whole() {
    let folder = folder();
    let file = database(folder.path());
    let file = file.to_str().unwrap();
    let missing = verify(&["--database", file]);
    assert_eq!(missing.status.code(), Some(1));

    let gateway = Gateway::start(folder.path());
    for text in ["one", "two"] {
        let path = format!("{}/api/v1/system-prompts/p", gateway.admin_url);
        let put = gateway.client.put(path).bearer_auth("the-admin-token");
        let put = put.json(&json!({ "text": text })).send().unwrap();
        assert!(put.status().is_success());
    }
    let whole = verify(&["--database", file]);
    let said = String::from_utf8(whole.stdout).unwrap();
    assert_eq!(whole.status.code(), Some(0), "{said}");
    assert!(said.contains("OK") && said.contains("2 entries"), "{said}");

    crate::process::execute(
        folder.path(),
        "UPDATE changes SET changed_by = 'eve' WHERE seq = 1",
    );
    let broken = verify(&["--database", file]);
    let said = String::from_utf8(broken.stderr).unwrap();
    assert_eq!(broken.status.code(), Some(1), "{said}");
    assert!(
        said.contains("entry 1 (system_prompt \"p\", version 1, by eve)"),
        "{said}"
    );
}

//! `ai-gateway backup` and `restore`, beside a gateway that runs.

use std::path::Path;
use std::process::{Command, Output};

use crate::process::{Gateway, database, folder, recorded, soon};

fn run(folder: &Path, arguments: &[&str]) -> (Output, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_ai-gateway"))
        .args(arguments)
        .env("GATEWAY_DATABASE_URL", "sqlite:gateway.db")
        .current_dir(folder)
        .output()
        .unwrap();
    let said = [&output.stdout[..], &output.stderr[..]].concat();
    (output, String::from_utf8(said).unwrap())
}

#[test]
fn what_was_backed_up_is_restored() {
    let folder = folder();
    let folder = folder.path();
    let mut gateway = Gateway::start(folder);
    let chat = |gateway: &Gateway| assert!(gateway.chat(false).unwrap().status().is_success());
    for _ in 0..3 {
        chat(&gateway);
    }
    soon("three records", || recorded(folder).0 == 3);
    let (backup, said) = run(folder, &["backup", "my.backup"]);
    assert!(backup.status.success(), "{said}");
    let (again, _) = run(folder, &["backup", "my.backup"]);
    assert_eq!(again.status.code(), Some(1), "it is there already");
    chat(&gateway);
    soon("four records", || recorded(folder).0 == 4);
    let (refused, said) = run(folder, &["restore", "my.backup"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(said.contains("stop the gateway"), "{said}");
    assert_eq!(recorded(folder).0, 4);

    gateway.signal("TERM");
    assert!(gateway.wait().success());
    let (dry, said) = run(folder, &["migrate", "--dry-run"]);
    assert!(dry.status.success() && said.contains("already"), "{said}");
    let (restored, said) = run(folder, &["restore", "my.backup"]);
    assert!(restored.status.success(), "{said}");
    assert!(said.contains("before-restore"), "{said}");
    assert_eq!(recorded(folder).0, 3);
    let gateway = Gateway::start(folder);
    chat(&gateway);
    soon("a fourth record", || recorded(folder).0 == 4);
    assert!(database(folder).exists());
}

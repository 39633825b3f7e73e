//! No room for the database: requests are served on, records wait, and are written later.

use std::process::Command;

use crate::process::{Gateway, folder, recorded, soon};

#[test]
fn records_wait_until_there_is_room() {
    let folder = folder();
    // No file may grow beyond about 1.6 MB, which an empty database fits in with its log, and a write that would is an error, not a signal.
    let limited = "trap '' XFSZ; ulimit -S -f 3200; exec \"$@\"";
    let mut gateway = Gateway::run(crate::process::command(folder.path(), limited));
    let mut served = 0;
    while gateway.recording()["trouble"].is_null() {
        for _ in 0..100 {
            assert_eq!(gateway.chat(false).unwrap().status(), 200);
            served += 1;
        }
        assert!(served < 20_000, "the database never grew too large");
    }
    for _ in 0..50 {
        assert_eq!(gateway.chat(false).unwrap().status(), 200);
        served += 1;
    }
    let raised = Command::new("prlimit")
        .args(["--pid", &gateway.id().to_string(), "--fsize=unlimited"])
        .status();
    assert!(raised.unwrap().success());
    soon("every record is written", || {
        recorded(folder.path()).0 == served
    });
    soon("the trouble is over", || {
        gateway.recording()["trouble"].is_null()
    });
    assert_eq!(gateway.recording()["lost"], 0);
    gateway.signal("TERM");
    assert!(gateway.wait().success());
    assert_eq!(recorded(folder.path()), (served, served));
}

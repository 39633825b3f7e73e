//! SIGTERM.

use crate::process::{Gateway, folder, recorded};

#[test]
fn every_record_is_written() {
    let folder = folder();
    let mut gateway = Gateway::start(folder.path());
    for _ in 0..50 {
        assert_eq!(gateway.chat(false).unwrap().status(), 200);
    }
    gateway.signal("TERM");
    assert!(gateway.wait().success());
    assert_eq!(recorded(folder.path()), (50, 50));
}

#[test]
fn an_interrupt_is_as_good() {
    let folder = folder();
    let mut gateway = Gateway::start(folder.path());
    assert_eq!(gateway.chat(true).unwrap().status(), 200);
    gateway.signal("INT");
    assert!(gateway.wait().success());
    assert_eq!(recorded(folder.path()), (1, 1));
}

//! kill -9.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use crate::process::{Gateway, command, folder, locked, recorded, soon};

#[test]
fn at_most_the_last_flush_interval_is_lost() {
    let folder = folder();
    let mut gateway = Gateway::start(folder.path());
    let done = AtomicI64::new(0);
    // What was answered this long ago must be there: the flush interval, and some for a busy machine.
    let safe_after = Duration::from_millis(500);
    let mut answers: Vec<Instant> = Vec::new();
    let until = Instant::now() + Duration::from_secs(1);
    while Instant::now() < until {
        assert_eq!(gateway.chat(false).unwrap().status(), 200);
        done.fetch_add(1, Ordering::Relaxed);
        answers.push(Instant::now());
    }
    gateway.signal("KILL");
    let killed = Instant::now();
    gateway.wait();
    let safe = answers
        .iter()
        .filter(|at| **at + safe_after < killed)
        .count();
    let (rows, _) = recorded(folder.path());
    let all = done.load(Ordering::Relaxed);
    assert!(
        rows >= safe as i64,
        "{rows} of {all}, {safe} of them in good time"
    );
    assert!(rows <= all);

    // The next run counts what was not counted yet, and nothing twice.
    let mut gateway = Gateway::start(folder.path());
    assert_eq!(gateway.chat(true).unwrap().status(), 200);
    soon("the rollups catch up", || {
        recorded(folder.path()) == (rows + 1, rows + 1)
    });
    gateway.signal("TERM");
    assert!(gateway.wait().success());
    assert_eq!(recorded(folder.path()), (rows + 1, rows + 1));
}

#[test]
fn with_no_flush_interval_nothing_that_was_answered_is_lost() {
    let folder = folder();
    let mut command = command(folder.path(), "exec \"$@\"");
    command.env("GATEWAY_RECORDING_FLUSH_INTERVAL", "0s");
    let mut gateway = Gateway::run(command);
    for n in 0..20 {
        let text = gateway.chat(n % 2 == 0).unwrap().text().unwrap();
        assert!(text.contains("simulated"));
    }
    gateway.signal("KILL");
    gateway.wait();
    assert_eq!(recorded(folder.path()).0, 20);
}

#[test]
fn the_same_holds_while_another_process_locks_the_database() {
    for interval in ["100ms", "0s"] {
        let folder = folder();
        let mut command = command(folder.path(), "exec \"$@\"");
        command.env("GATEWAY_RECORDING_FLUSH_INTERVAL", interval);
        let mut gateway = Gateway::run(command);
        assert_eq!(gateway.chat(false).unwrap().status(), 200);
        soon("the first is written", || recorded(folder.path()).0 == 1);
        // An interval, the wait for the lock, and some for a busy machine.
        let safe_after = match interval {
            "0s" => Duration::ZERO,
            _ => Duration::from_millis(500),
        };
        let mut answers: Vec<Instant> = Vec::new();
        let killed = locked(folder.path(), || {
            let until = Instant::now() + Duration::from_secs(1);
            while Instant::now() < until {
                let text = gateway.chat(false).unwrap().text().unwrap();
                assert!(text.contains("simulated"), "{text}");
                answers.push(Instant::now());
            }
            gateway.signal("KILL");
            let killed = Instant::now();
            gateway.wait();
            killed
        });
        assert_eq!(recorded(folder.path()).0, 1, "the database was locked");
        let safe = answers.iter().filter(|at| **at + safe_after <= killed);
        let safe = 1 + safe.count() as i64;
        let all = 1 + answers.len() as i64;
        assert!(safe > 1);

        let mut gateway = Gateway::start(folder.path());
        soon("the spool is written", || {
            gateway.recording()["spooled"] == 0 && recorded(folder.path()).0 > 1
        });
        gateway.signal("TERM");
        assert!(gateway.wait().success());
        let (rows, counted) = recorded(folder.path());
        assert!(
            (safe..=all).contains(&rows),
            "{interval}: {rows} of {all}, {safe} of them in good time"
        );
        assert_eq!(counted, rows);
    }
}

//! Many clients, targets that fail and recover at random, one that is always well: every request is
//! answered, and nothing is kept of it.
//!
//! Ten seconds here; `cargo xtask soak` runs five minutes with 200 clients.

mod clients;
mod measure;
mod target;

use std::fmt::Write;
use std::time::{Duration, Instant};
use std::{env, fs};

use self::clients::Clients;
use self::measure::{Held, Memory, Random};
use self::target::Target;
use crate::process::{Gateway, command, folder, recorded};

/// Beside the one that is always well.
const FAILING: usize = 5;
/// One model a strategy.
const STRATEGIES: &[&str] = &[
    "round_robin",
    "priority",
    "random",
    "least_busy",
    "lowest_latency",
    "cheapest",
    "sticky",
];

fn number(variable: &str, default: u64) -> u64 {
    env::var(variable).map_or(default, |value| value.parse().expect(variable))
}

/// Failing targets first, so that strategies have every reason to go there.
fn configuration(targets: &[Target]) -> String {
    let mut file = String::from(
        "[logging]\nlevel = \"error\"\n\
         [server.timeouts]\nconnect = \"1s\"\nfirst_byte = \"1s\"\nbetween_chunks = \"1s\"\n",
    );
    let mut list = String::new();
    for (at, target) in targets.iter().enumerate() {
        let _ = write!(
            file,
            "[[providers]]\nname = \"t{at}\"\nkind = \"openai-compatible\"\nbase_url = \"{}\"\nhealth = {{ interval = \"1s\" }}\n",
            target.base_url()
        );
        let _ = write!(list, "{{ provider = \"t{at}\", model = \"simulated\" }}, ");
    }
    for strategy in STRATEGIES {
        let _ = write!(
            file,
            "[[models]]\nname = \"{strategy}\"\nstrategy = \"{strategy}\"\ntargets = [{list}]\n"
        );
    }
    file
}

#[test]
fn every_request_is_answered_and_nothing_leaks() {
    let length = Duration::from_secs(number("SOAK_SECONDS", 10));
    let count = number("SOAK_CLIENTS", 50) as usize;
    let seed = number("SOAK_SEED", 4);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let targets: Vec<Target> = (0..=FAILING)
        .map(|_| runtime.block_on(Target::start()))
        .collect();
    let folder = folder();
    let file = folder.path().join("gateway.toml");
    fs::write(&file, configuration(&targets)).unwrap();
    let mut gateway = Gateway::run(command(folder.path(), "exec \"$@\" gateway.toml"));

    // What is made once and kept, such as connections to the database, is there before anything is compared.
    let warm = Clients::start(&runtime, &gateway.url, STRATEGIES, count, seed);
    std::thread::sleep(length / 5);
    let warm = runtime.block_on(warm.stop());
    let before = Held::settled(&gateway, &targets, None);

    let clients = Clients::start(&runtime, &gateway.url, STRATEGIES, count, seed + 1);
    let mut random = Random(seed);
    let until = Instant::now() + length;
    let mut peak = before;
    let mut memory = Memory::default();
    while Instant::now() < until {
        std::thread::sleep(Duration::from_millis(50 + random.next() % 200));
        let one = random.next() as usize % FAILING;
        targets[one].change(random.next());
        let held = Held::by(&gateway);
        memory.add(held.memory);
        peak = peak.or_more(held);
    }
    for target in &targets {
        target.recover();
    }
    let soaked = runtime.block_on(clients.stop());
    let after = Held::settled(&gateway, &targets, Some(before));

    let calls: u64 = targets.iter().map(Target::calls).sum();
    let requests = warm.requests + soaked.requests;
    println!(
        "soak: {count} clients for {length:?}: {} requests, {} answered, {calls} calls for {requests} requests; \
         slowest {:?}, mean {:?}; before {before:?}, at most {peak:?}, after {after:?}; {memory}",
        soaked.requests,
        soaked.answered,
        soaked.slowest,
        soaked.mean(),
    );
    assert!(soaked.failures.is_empty(), "{:#?}", soaked.failures);
    assert_eq!(soaked.answered, soaked.requests);
    let failed_over = calls > requests + requests / 100;
    assert!(
        failed_over,
        "the targets failed: {calls} calls for {requests}"
    );
    after.assert_no_more_than(&before);
    memory.assert_level();

    gateway.signal("TERM");
    assert!(gateway.wait().success());
    let (rows, _) = recorded(folder.path());
    assert_eq!(rows, requests as i64, "each has its record");
}

//! What routing costs a request: `cargo run --release -p server --example routing_bench`
//!
//! A plan, its first target, the call's beginning and its answer, for a model with so many healthy targets. The clock
//! and the dice are read as the gateway reads them, and counted in.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use server::config::{Model, Provider, Strategy, Target};
use server::routing::{Endpoint, Moment, Next, NoFacts, RoutingTable, States, Wish};

const ROUNDS: u32 = 200_000;

const STRATEGIES: [(&str, Strategy); 7] = [
    ("round_robin", Strategy::RoundRobin),
    ("priority", Strategy::Priority),
    ("random", Strategy::Random),
    ("least_busy", Strategy::LeastBusy),
    ("lowest_latency", Strategy::LowestLatency),
    ("cheapest", Strategy::Cheapest),
    ("sticky", Strategy::Sticky),
];

fn table(strategy: Strategy, targets: usize) -> RoutingTable {
    let names: Vec<String> = (0..targets).map(|n| format!("provider-{n}")).collect();
    let providers: Vec<Provider> = names
        .iter()
        .map(|name| Provider {
            name: name.clone(),
            enabled: true,
            ..Provider::default()
        })
        .collect();
    let targets = names.into_iter().enumerate().map(|(n, provider)| Target {
        provider,
        model: Some("upstream-model".to_owned()),
        weight: 1 + n as u32 % 5,
        ..Target::default()
    });
    let model = Model {
        name: "m".to_owned(),
        strategy,
        targets: targets.collect(),
        ..Model::default()
    };
    let price = |provider: usize, _: &str| Some(1000 - provider as u64);
    let states = Arc::new(States::default());
    RoutingTable::new(&providers, &[model], &price, states)
}

fn moment(random: &mut u64) -> Moment {
    *random = random
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    Moment {
        now: Instant::now(),
        at: Utc::now(),
        random: *random,
    }
}

fn request(table: &RoutingTable, model: &str, random: &mut u64) {
    let wish = Wish {
        model: Some(model),
        provider: None,
        endpoint: Endpoint::Chat,
        access: None,
        facts: &NoFacts,
    };
    let mut plan = table.plan(wish, moment(random)).expect("there is a model");
    let Next::Try(candidate) = plan.next(moment(random)) else {
        panic!("there is a target");
    };
    let mut in_use = candidate.state.begin(candidate.key, moment(random));
    in_use.answered(Duration::from_micros(300 + *random % 100), moment(random));
    black_box(&plan);
}

/// Nanoseconds a request.
fn cost(table: &RoutingTable, model: &str) -> u128 {
    let mut random = 1;
    for _ in 0..ROUNDS / 10 {
        request(table, model, &mut random);
    }
    let start = Instant::now();
    for _ in 0..ROUNDS {
        request(table, model, &mut random);
    }
    start.elapsed().as_nanos() / u128::from(ROUNDS)
}

fn main() {
    println!(
        "{:<16}{:>12}{:>12}",
        "ns a request", "1 target", "50 targets"
    );
    for (name, strategy) in STRATEGIES {
        let [one, fifty] = [1, 50].map(|targets| cost(&table(strategy, targets), "m"));
        println!("{name:<16}{one:>12}{fifty:>12}");
    }
    let unnamed = cost(&table(Strategy::Priority, 50), "provider-49/any");
    println!("{:<16}{unnamed:>12}", "provider/model");
}

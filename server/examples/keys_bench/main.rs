//! What client keys cost a request: `cargo run --release -p server --example keys_bench`
//!
//! From the credential to the caller, with so many keys in force, and from there to whether it may ask for its model.
//! Then what edits cost beside so many keys; that alone with the argument `edits`.

mod edits;

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use server::auth::{KeySecrets, KeyTable};
use server::config::{Config, Key, Provider, Secret};
use server::routing::{Endpoint, NoFacts, RoutingTable, States, Wish};
use shared::policies::ClientKey;

const ROUNDS: u32 = 200_000;

fn secret(n: usize) -> String {
    format!("gw-{n:047}")
}

fn config(keys: usize, models: &[&str]) -> Config {
    let keys = (0..keys).map(|n| Key {
        name: format!("key-{n}"),
        key: Some(Secret::new(secret(n))),
        settings: ClientKey {
            enabled: true,
            models: models.iter().map(|name| (*name).to_owned()).collect(),
            ..ClientKey::default()
        },
    });
    Config {
        keys: keys.collect(),
        providers: vec![Provider {
            name: "p".to_owned(),
            enabled: true,
            default: true,
            ..Provider::default()
        }],
        ..Config::default()
    }
}

fn main() {
    if std::env::args().nth(1).as_deref() != Some("edits") {
        look_ups();
    }
    edits::edits();
}

fn look_ups() {
    for keys in [1, 100, 10_000] {
        for (what, models) in [("all models", &[][..]), ("some models", &["gpt-*", "m"])] {
            let config = config(keys, models);
            let began = Instant::now();
            let table = KeyTable::new(&config, Arc::<KeySecrets>::default());
            let built = began.elapsed();
            let states = Arc::new(States::default());
            let routing = RoutingTable::new(&config.providers, &[], &|_, _| None, states);
            let secrets: Vec<String> = (0..keys).map(secret).collect();
            let (mut known, mut unknown) = (Duration::ZERO, Duration::ZERO);
            let began = Instant::now();
            for round in 0..ROUNDS as usize {
                // Another key each time, as far away as can be.
                let credential = &secrets[round.wrapping_mul(7919) % keys];
                let caller = table.authenticate(Some(credential), Utc::now());
                let caller = caller.expect("the key is known");
                let allowed = match caller.access() {
                    None => Ok(()),
                    access => routing.check(Wish {
                        model: Some("m"),
                        provider: None,
                        endpoint: Endpoint::Chat,
                        access,
                        facts: &NoFacts,
                    }),
                };
                allowed.expect("the model is allowed");
                black_box(caller);
            }
            known += began.elapsed();
            let began = Instant::now();
            for _ in 0..ROUNDS {
                let refused = table.authenticate(Some("sk-of-somebody-else"), Utc::now());
                let _ = black_box(refused);
            }
            unknown += began.elapsed();
            println!(
                "{keys:>6} keys, {what:<11}  known {:>7.3} µs  unknown {:>7.3} µs  all put in force {built:?}",
                micros(known),
                micros(unknown),
            );
        }
    }
}

fn micros(all: Duration) -> f64 {
    all.as_secs_f64() * 1e6 / f64::from(ROUNDS)
}

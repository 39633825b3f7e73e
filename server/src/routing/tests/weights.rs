//! Which target is chosen when all are well.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use proptest::prelude::*;
use proptest::strategy::Strategy as Generator;

use super::super::{Candidate, Facts};
use super::world::{World, model, number};
use crate::config::{Endpoint, Model, Strategy, When};

const PICKS: u32 = 100_000;

/// A request of a client.
struct Client(String);

impl Facts for Client {
    fn key(&self) -> Option<&str> {
        Some(&self.0)
    }

    fn header(&self, _: &str) -> Option<&str> {
        None
    }

    fn metadata(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }

    fn user(&self) -> Option<Cow<'_, str>> {
        None
    }

    fn input_tokens(&self) -> u64 {
        500
    }

    fn prefix(&self) -> u64 {
        0
    }
}

fn first_for(world: &mut World, client: usize) -> Candidate {
    let mut plan = world.plan_with("m", &Client(format!("client-{client}")));
    world.next(&mut plan).unwrap()
}

/// The share of each target, and the one it should have.
fn shares(counts: &[u32], weights: &[u32]) -> Vec<(f64, f64)> {
    let total = f64::from(weights.iter().sum::<u32>());
    let picks = f64::from(counts.iter().sum::<u32>());
    let counts = counts.iter().zip(weights);
    let shares =
        counts.map(|(count, weight)| (f64::from(*count) / picks, f64::from(*weight) / total));
    shares.collect()
}

fn weights() -> impl Generator<Value = Vec<u32>> {
    prop::collection::vec(0..20_u32, 1..12)
        .prop_filter("one has a weight", |weights| weights.iter().any(|w| *w > 0))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn round_robin_holds_the_weights_exactly(weights in weights()) {
        let mut world = World::new(&[model("m", Strategy::RoundRobin, &weights)], 0);
        let total: u32 = weights.iter().sum();
        let rounds = PICKS / 10 / total;
        let mut counts = vec![0; weights.len()];
        for _ in 0..rounds * total {
            counts[number(&world.first("m"))] += 1;
        }
        let expected: Vec<u32> = weights.iter().map(|weight| weight * rounds).collect();
        prop_assert_eq!(counts, expected);
    }

    #[test]
    fn chance_holds_the_weights(weights in weights()) {
        let mut world = World::new(&[model("m", Strategy::Random, &weights)], 0);
        let mut counts = vec![0; weights.len()];
        for _ in 0..PICKS {
            counts[number(&world.first("m"))] += 1;
        }
        for (share, expected) in shares(&counts, &weights) {
            prop_assert!((share - expected).abs() < 0.01, "{counts:?} of {weights:?}");
        }
    }

    #[test]
    fn clients_are_spread_by_weight_and_stay(weights in weights()) {
        let mut world = World::new(&[model("m", Strategy::Sticky, &weights)], 0);
        let clients = PICKS as usize / 2;
        let mut counts = vec![0; weights.len()];
        for client in 0..clients {
            counts[number(&first_for(&mut world, client))] += 1;
        }
        for (share, expected) in shares(&counts, &weights) {
            prop_assert!((share - expected).abs() < 0.01, "{counts:?} of {weights:?}");
        }
        for client in 0..100 {
            let before = number(&first_for(&mut world, client));
            prop_assert_eq!(number(&first_for(&mut world, client)), before);
        }
    }
}

#[test]
fn a_hundred_thousand_turns_are_exact() {
    let weights = [5, 3, 1, 1];
    let mut world = World::new(&[model("m", Strategy::RoundRobin, &weights)], 0);
    let mut counts = [0; 4];
    for _ in 0..PICKS {
        counts[number(&world.first("m"))] += 1;
    }
    assert_eq!(counts, [50_000, 30_000, 10_000, 10_000]);
}

#[test]
fn of_the_sticky_only_the_share_of_a_target_moves_that_comes_or_goes() {
    let four = model("m", Strategy::Sticky, &[1, 1, 1, 1]);
    let mut without = four.clone();
    without.targets.remove(2);
    let mut world = World::new(&[four], 0);
    let clients = 0..2000;
    let before: Vec<usize> = clients
        .clone()
        .map(|n| number(&first_for(&mut world, n)))
        .collect();
    world.reload(&[without], 0);
    let mut moved = 0;
    for client in clients {
        let now = number(&first_for(&mut world, client));
        if before[client] == 2 {
            moved += 1;
        } else {
            assert_eq!(now, before[client]);
        }
    }
    assert!((400..600).contains(&moved), "{moved} of 2000");
}

#[test]
fn lower_numbers_come_first_and_weight_0_last() {
    let mut prioritised = model("m", Strategy::RoundRobin, &[1, 1, 0, 1]);
    prioritised.targets[0].priority = 1;
    let mut world = World::new(&[prioritised], 0);
    let mut order = Vec::new();
    for _ in 0..2 {
        let mut plan = world.plan("m");
        while let Some(candidate) = world.next(&mut plan) {
            order.push(number(&candidate));
        }
    }
    assert_eq!(order, [1, 3, 2, 0, 3, 1, 2, 0]);
}

#[test]
fn the_cheapest_is_first_and_unknown_prices_last() {
    let mut priced = model("m", Strategy::Cheapest, &[1, 1, 1]);
    priced.targets[2].model = Some("free".to_owned());
    let mut world = World::new(&[priced], 0);
    let mut plan = world.plan("m");
    let order: Vec<usize> = std::iter::from_fn(|| world.next(&mut plan))
        .map(|candidate| number(&candidate))
        .collect();
    assert_eq!(order, [1, 0, 2]);
}

#[test]
fn the_least_busy_gets_the_next_call() {
    let mut world = World::new(&[model("m", Strategy::LeastBusy, &[1, 1, 2])], 0);
    let mut calls = Vec::new();
    let mut counts = [0; 3];
    for _ in 0..400 {
        let candidate = world.first("m");
        counts[number(&candidate)] += 1;
        calls.push(world.begin(&candidate));
    }
    assert_eq!(counts, [100, 100, 200]);
    calls.retain(|call| &**call.target().provider().name() != "p1");
    for _ in 0..99 {
        let candidate = world.first("m");
        assert_eq!(number(&candidate), 1);
        calls.push(world.begin(&candidate));
    }
}

#[test]
fn the_quicker_gets_more_and_the_unmeasured_is_found_out() {
    let mut world = World::new(&[model("m", Strategy::LowestLatency, &[1, 1, 1])], 0);
    let mut counts = [0_u64; 3];
    for n in 0..2000 {
        let candidate = world.first("m");
        let target = number(&candidate);
        counts[target] += u64::from(n >= 100);
        let mut call = world.begin(&candidate);
        let took = Duration::from_millis([50, 200, 400][target]);
        world.later(Duration::from_millis(1));
        let moment = world.moment();
        call.answered(took, moment);
    }
    assert!(counts[0] > counts[1] && counts[1] > counts[2], "{counts:?}");
    // Of two picked by chance the slowest is never the quicker one, until what was measured is old.
    assert!(counts[0] > 1100, "{counts:?}");
}

#[test]
fn the_first_rule_that_holds_decides() {
    let mut ruled = model("m", Strategy::Priority, &[1, 1, 1]);
    let to = |n: usize| vec![ruled.targets[n].clone()];
    let (first, second) = (to(1), to(2));
    let rule = |when: When, targets| crate::config::Rule {
        when,
        targets,
        model: None,
    };
    let nobody = When {
        key: Some("nobody".to_owned()),
        ..When::default()
    };
    let large = When {
        min_input_tokens: Some(400),
        endpoint: Some(Endpoint::Chat),
        ..When::default()
    };
    let elsewhere = crate::config::Rule {
        model: Some("other".to_owned()),
        ..crate::config::Rule::default()
    };
    ruled.rules = vec![rule(nobody, first), rule(large, second), elsewhere];
    let mut world = World::new(&[ruled, model("other", Strategy::Priority, &[1])], 0);
    assert_eq!(number(&first_for(&mut world, 1)), 2);
    // Without facts it has no tokens: the last rule leads to the other model, which has one target.
    assert_eq!(number(&world.first("m")), 0);
}

#[test]
fn a_copy_goes_to_the_share_that_is_wanted() {
    let mut shadowed: Model = model("m", Strategy::Priority, &[1]);
    shadowed.shadow = Some(crate::config::Shadow {
        provider: "p9".to_owned(),
        model: None,
        share: crate::config::Share::percent(20),
    });
    let mut world = World::new(&[shadowed], 0);
    let mut counts: HashMap<String, u32> = HashMap::new();
    for _ in 0..PICKS {
        let mut plan = world.plan("m");
        let moment = world.moment();
        if let Some(copy) = plan.shadow(moment) {
            *counts
                .entry(format!("{}:{}", number(&copy), copy.model))
                .or_default() += 1;
            assert!(plan.shadow(moment).is_none());
        }
        assert_eq!(number(&world.next(&mut plan).unwrap()), 0);
    }
    let share = f64::from(counts["9:m"]) / f64::from(PICKS);
    assert!((share - 0.2).abs() < 0.01, "{share}");
}

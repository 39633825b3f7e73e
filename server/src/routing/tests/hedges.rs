//! A second target for a request whose first is slow.

use std::time::Duration;

use super::world::{World, model, number};
use crate::config::{Model, Share, Strategy};

fn hedged(percent: u32) -> Model {
    let mut hedged = model("m", Strategy::Priority, &[1, 1]);
    hedged.hedge.enabled = true;
    hedged.hedge.max_share = Share::percent(percent);
    hedged
}

/// So many requests that are answered quickly.
fn warm(world: &mut World, requests: usize) {
    for _ in 0..requests {
        assert!(world.request("m", |_| Ok(())).1);
    }
}

#[test]
fn it_waits_for_the_targets_own_95th_percentile() {
    let mut world = World::new(&[hedged(100)], 0);
    warm(&mut world, 19);
    let mut plan = world.plan("m");
    world.next(&mut plan);
    assert_eq!(plan.hedge_after(), None);
    warm(&mut world, 1);
    let mut plan = world.plan("m");
    assert_eq!(number(&world.next(&mut plan).unwrap()), 0);
    assert_eq!(plan.hedge_after(), Some(Duration::from_millis(100)));
    let moment = world.moment();
    assert_eq!(number(&plan.hedge(moment).unwrap()), 1);
    // There is no third one.
    assert!(plan.hedge(moment).is_none());
}

#[test]
fn it_is_off_by_default() {
    let mut world = World::new(&[model("m", Strategy::Priority, &[1, 1])], 0);
    warm(&mut world, 30);
    let mut plan = world.plan("m");
    world.next(&mut plan);
    assert_eq!(plan.hedge_after(), None);
    let moment = world.moment();
    assert!(plan.hedge(moment).is_none());
}

#[test]
fn the_extra_cost_has_a_cap() {
    let mut world = World::new(&[hedged(5)], 0);
    let mut hedges = 0;
    for _ in 0..10_000 {
        let mut plan = world.plan("m");
        let candidate = world.next(&mut plan).unwrap();
        let mut call = world.begin(&candidate);
        if plan.hedge_after().is_some() {
            let moment = world.moment();
            hedges += u32::from(plan.hedge(moment).is_some());
        }
        let moment = world.moment();
        call.answered(Duration::from_millis(100), moment);
    }
    assert!((450..=500).contains(&hedges), "{hedges} of 10,000");
}

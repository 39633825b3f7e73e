//! An outage is not multiplied.

use std::time::Duration;

use llm::error::ErrorKind;
use proptest::prelude::*;

use super::world::{World, error, model};
use crate::config::{Share, Strategy};

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// Calls beyond the first try of each available target are paid for by the budget: what there was at the start,
    /// three a second, and a share of the requests. And one request makes `max_attempts` at most.
    #[test]
    fn calls_never_exceed_the_budget(
        targets in 1..5_usize,
        retries in 0..4_u32,
        percent in 0..50_u32,
        max_attempts in prop::option::of(1..6_u32),
        gaps in prop::collection::vec(0..300_u64, 1..300),
        kind in prop::sample::select(vec![ErrorKind::UpstreamFailed, ErrorKind::RateLimited, ErrorKind::Unreachable]),
    ) {
        let mut failing = model("m", Strategy::RoundRobin, &vec![1; targets]);
        failing.retry.retries = retries;
        failing.retry.budget = Share::percent(percent);
        failing.max_attempts = max_attempts;
        let most = max_attempts.map_or(5.max(targets), |most| most as usize);
        let mut world = World::new(&[failing], 0);
        let began = world.now;
        let mut calls = 0;
        let mut free = 0;
        for gap in &gaps {
            world.later(Duration::from_millis(*gap));
            let states = world.table.states().targets();
            let now = world.now;
            let available = states.iter().filter(|state| state.view(now).available).count();
            let (tried, answered) = world.request("m", |_| Err(error(kind)));
            prop_assert!(!answered);
            prop_assert!(tried.len() <= most, "{} of {most}", tried.len());
            calls += tried.len();
            free += available.max(1).min(most);
        }
        let seconds = (world.now - began).as_secs_f64();
        let share = f64::from(percent) / 100.0 * gaps.len() as f64;
        let budget = 10.0 + 3.0 * seconds + share;
        prop_assert!(calls as f64 <= free as f64 + budget + 1.0, "{calls} calls, {free} free, {budget} paid for");
    }
}

#[test]
fn a_lasting_outage_is_multiplied_by_little() {
    let mut down = model("m", Strategy::RoundRobin, &[1, 1, 1]);
    down.retry.retries = 3;
    let mut world = World::new(&[down], 0);
    let requests = 10_000;
    let began = world.now;
    let mut calls = 0;
    for _ in 0..requests {
        world.later(Duration::from_millis(10));
        calls += world
            .request("m", |_| Err(error(ErrorKind::UpstreamFailed)))
            .0
            .len();
    }
    let seconds = (world.now - began).as_secs_f64();
    assert!(
        (calls as f64) < 1.2 * f64::from(requests) + 3.0 * seconds + 50.0,
        "{calls} calls"
    );
}

//! Which target is chosen when some are not well.

use std::collections::HashSet;
use std::time::Duration;

use llm::error::ErrorKind;
use proptest::prelude::*;
use proptest::strategy::Strategy as Generator;

use super::world::{World, error, model, number};
use crate::config::Strategy;

const SECOND: Duration = Duration::from_secs(1);

const STRATEGIES: [Strategy; 7] = [
    Strategy::RoundRobin,
    Strategy::Priority,
    Strategy::Random,
    Strategy::LeastBusy,
    Strategy::LowestLatency,
    Strategy::Cheapest,
    Strategy::Sticky,
];

const KINDS: [ErrorKind; 9] = [
    ErrorKind::Unreachable,
    ErrorKind::Timeout,
    ErrorKind::UpstreamFailed,
    ErrorKind::BadReply,
    ErrorKind::Overloaded,
    ErrorKind::RateLimited,
    ErrorKind::QuotaExceeded,
    ErrorKind::Authentication,
    ErrorKind::NotFound,
];

/// What happens between two requests, and to them.
#[derive(Clone, Debug)]
struct Step {
    later: Duration,
    /// The targets that fail, a bit each.
    failing: u8,
    kind: ErrorKind,
    retry_after: Option<u64>,
}

fn step() -> impl Generator<Value = Step> {
    let kinds = prop::sample::select(KINDS.to_vec());
    let waits = prop::option::of(0..120_u64);
    (0..20_000_u64, any::<u8>(), kinds, waits).prop_map(|(later, failing, kind, retry_after)| {
        Step {
            later: Duration::from_millis(later),
            failing,
            kind,
            retry_after,
        }
    })
}

fn steps() -> impl Generator<Value = Vec<Step>> {
    prop::collection::vec(step(), 0..60)
}

fn strategies() -> impl Generator<Value = Strategy> {
    prop::sample::select(STRATEGIES.to_vec())
}

/// Requests as the steps say; `look` sees the world before each.
fn play(world: &mut World, steps: &[Step], mut look: impl FnMut(&mut World)) {
    for step in steps {
        world.later(step.later);
        look(world);
        let mut failure = error(step.kind);
        failure.retry_after = step.retry_after.map(Duration::from_secs);
        world.request("m", |candidate| {
            let fails = step.failing & (1 << number(candidate)) != 0;
            if fails { Err(failure.clone()) } else { Ok(()) }
        });
    }
}

fn available(world: &World) -> HashSet<usize> {
    let states = world.table.states().targets();
    let available = states
        .iter()
        .filter(|state| state.view(world.now).available);
    available
        .map(|state| state.provider().name()[1..].parse().unwrap())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// No request goes to a target in trouble while another is available; and none to one that is disabled, ever.
    #[test]
    fn the_healthy_come_first(
        strategy in strategies(),
        steps in steps(),
        targets in 2..6_usize,
        keys in 0..3_usize,
        disabled in 0..6_usize,
    ) {
        let mut some = model("m", strategy, &vec![1; targets]);
        if let Some(target) = some.targets.get_mut(disabled) {
            target.enabled = false;
        }
        let mut world = World::new(&[some], keys);
        play(&mut world, &steps, |world| {
            let mut available = available(world);
            let mut plan = world.plan("m");
            // Without a failure that ends it, a plan goes through all that are available first.
            while !available.is_empty() {
                let candidate = world.next(&mut plan).unwrap();
                let target = number(&candidate);
                assert!(available.remove(&target), "{target} before {available:?}");
                assert_ne!(target, disabled);
            }
        });
    }

    /// Whatever has happened: once all is well again, every target gets requests again, at the latest when the
    /// longest of all waits is over.
    #[test]
    fn all_come_back(steps in steps(), targets in 1..6_usize, keys in 0..3_usize) {
        let mut world = World::new(&[model("m", Strategy::RoundRobin, &vec![1; targets])], keys);
        play(&mut world, &steps, |_| {});
        world.later(SECOND * 3600);
        let mut reached = HashSet::new();
        for _ in 0..targets * 2 {
            let (tried, answered) = world.request("m", |_| Ok(()));
            assert!(answered);
            assert_eq!(tried.len(), 1);
            reached.insert(number(&tried[0]));
        }
        prop_assert_eq!(reached.len(), targets);
        prop_assert_eq!(available(&world).len(), targets);
    }

    /// After failures that are not about quotas or keys the wait is no longer than the breaker's longest.
    #[test]
    fn most_come_back_within_five_minutes(mut steps in steps(), targets in 1..6_usize) {
        for step in &mut steps {
            if matches!(step.kind, ErrorKind::QuotaExceeded | ErrorKind::Authentication) {
                step.kind = ErrorKind::UpstreamFailed;
            }
        }
        let mut world = World::new(&[model("m", Strategy::RoundRobin, &vec![1; targets])], 0);
        play(&mut world, &steps, |_| {});
        world.later(SECOND * 300);
        prop_assert_eq!(available(&world).len(), targets);
    }

    /// One that is always well is enough for every request to be answered.
    #[test]
    fn one_healthy_target_answers_everything(
        strategy in strategies(),
        mut steps in steps(),
        targets in 2..6_usize,
        healthy in 0..6_usize,
    ) {
        let healthy = healthy % targets;
        for step in &mut steps {
            step.failing &= !(1 << healthy);
        }
        let mut world = World::new(&[model("m", strategy, &vec![1; targets])], 1);
        for step in steps {
            world.later(step.later);
            let (_, answered) = world.request("m", |candidate| {
                let fails = step.failing & (1 << number(candidate)) != 0;
                if fails { Err(error(step.kind)) } else { Ok(()) }
            });
            prop_assert!(answered);
        }
    }
}

#[test]
fn a_target_that_fails_is_left_alone_and_comes_back_by_one_probe() {
    let mut world = World::new(&[model("m", Strategy::Priority, &[1, 1])], 0);
    let mut first_is_well = false;
    let mut tries = Vec::new();
    for _ in 0..12 {
        let (tried, answered) = world.request("m", |candidate| {
            let fails = number(candidate) == 0 && !first_is_well;
            if fails {
                Err(error(ErrorKind::UpstreamFailed))
            } else {
                Ok(())
            }
        });
        assert!(answered);
        tries.push(tried.len());
    }
    assert_eq!(tries, [2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1]);
    world.later(SECOND * 5);
    first_is_well = true;
    // While the probe is under way the others go elsewhere.
    let probe = world.first("m");
    assert_eq!(number(&probe), 0);
    let mut call = world.begin(&probe);
    assert_eq!(number(&world.first("m")), 1);
    let moment = world.moment();
    call.answered(SECOND, moment);
    assert_eq!(number(&world.first("m")), 0);
    assert!(
        world
            .request("m", |_| if first_is_well {
                Ok(())
            } else {
                Err(error(ErrorKind::BadReply))
            })
            .1
    );
    let seen = world.seen.lock().unwrap();
    assert_eq!(
        *seen,
        [
            "p0/m closed open",
            "p0/m open half_open",
            "p0/m half_open closed"
        ]
    );
}

#[test]
fn a_probe_whose_client_leaves_is_given_back() {
    let mut world = World::new(&[model("m", Strategy::Priority, &[1, 1])], 0);
    for _ in 0..5 {
        world.request("m", |candidate| match number(candidate) {
            0 => Err(error(ErrorKind::Timeout)),
            _ => Ok(()),
        });
    }
    world.later(SECOND * 5);
    let probe = world.first("m");
    let call = world.begin(&probe);
    assert_eq!(number(&world.first("m")), 1);
    drop(call);
    assert_eq!(number(&world.first("m")), 0);
}

#[test]
fn one_429_condemns_nobody_and_a_quota_does() {
    for (kind, seconds) in [(ErrorKind::RateLimited, 1), (ErrorKind::QuotaExceeded, 600)] {
        let mut world = World::new(&[model("m", Strategy::Priority, &[1, 1])], 1);
        let (tried, _) = world.request("m", |candidate| match number(candidate) {
            0 => Err(error(kind)),
            _ => Ok(()),
        });
        assert_eq!(tried.len(), 2);
        assert_eq!(number(&world.first("m")), 1);
        world.later(SECOND * (seconds - 1));
        assert_eq!(number(&world.first("m")), 1, "{kind}");
        world.later(SECOND);
        assert_eq!(number(&world.first("m")), 0, "{kind}");
        let opened = !world.seen.lock().unwrap().is_empty();
        assert_eq!(opened, kind == ErrorKind::QuotaExceeded);
    }
}

#[test]
fn another_key_is_tried_at_once() {
    for kind in [
        ErrorKind::Authentication,
        ErrorKind::PermissionDenied,
        ErrorKind::QuotaExceeded,
        ErrorKind::RateLimited,
    ] {
        let mut world = World::new(&[model("m", Strategy::Priority, &[1, 1])], 3);
        let began = world.now;
        let bad = 0;
        let (tried, answered) = world.request("m", |candidate| {
            let fails = candidate.key == Some(bad);
            if fails { Err(error(kind)) } else { Ok(()) }
        });
        assert!(answered);
        let tried: Vec<_> = tried.iter().map(|c| (number(c), c.key)).collect();
        assert_eq!(tried, [(0, Some(0)), (0, Some(1))], "{kind}");
        assert_eq!(world.now, began);
        // From then on the key has no turn.
        for _ in 0..6 {
            assert_ne!(world.first("m").key, Some(bad), "{kind}");
        }
    }
}

#[test]
fn the_same_target_is_tried_again_only_when_no_other_is_left() {
    let mut world = World::new(&[model("m", Strategy::Priority, &[1, 1])], 0);
    let began = world.now;
    let (tried, answered) = world.request("m", |_| Err(error(ErrorKind::UpstreamFailed)));
    let tried: Vec<usize> = tried.iter().map(number).collect();
    assert!(!answered);
    assert_eq!(tried[..2], [0, 1]);
    assert_eq!(tried.len(), 4);
    assert!(world.now - began <= Duration::from_millis(500));

    // It may still be at work after a timeout, and what the client did wrong stays wrong.
    for (kind, tries) in [(ErrorKind::Timeout, 2), (ErrorKind::InvalidRequest, 1)] {
        let mut world = World::new(&[model("m", Strategy::Priority, &[1, 1])], 0);
        let (tried, _) = world.request("m", |_| Err(error(kind)));
        assert_eq!(tried.len(), tries, "{kind}");
    }
}

#[test]
fn a_reload_keeps_what_is_known() {
    let models = [model("m", Strategy::Priority, &[1, 1])];
    let mut world = World::new(&models, 0);
    for _ in 0..5 {
        world.request("m", |candidate| match number(candidate) {
            0 => Err(error(ErrorKind::Unreachable)),
            _ => Ok(()),
        });
    }
    world.reload(&models, 0);
    assert_eq!(number(&world.first("m")), 1);
    world.reload(&[model("other", Strategy::Priority, &[1])], 0);
    assert_eq!(world.table.states().targets().len(), 1);
}

#[test]
fn without_an_alternative_the_request_is_the_probe() {
    let mut world = World::new(&[model("m", Strategy::Priority, &[1])], 0);
    for _ in 0..10 {
        world.request("m", |_| Err(error(ErrorKind::UpstreamFailed)));
    }
    let (tried, answered) = world.request("m", |_| Ok(()));
    assert!(answered);
    assert_eq!(tried.len(), 1);
    assert_eq!(available(&world).len(), 1);
}

//! Several rates at once, by several clients at once.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use shared::policies::{Algorithm, ClientKey, Per, Project, Rate, RateLimit};

use super::count::{Refused, Taken};
use super::permit::Tokens;
use super::rates::Rates;
use super::shown::Shown;
use super::window::{Nanos, Room};
use crate::config::Key;
use crate::selection::Subject;

const SECOND: Nanos = 1_000_000_000;

fn requests(requests: u64) -> Rate {
    Rate {
        requests: Some(requests),
        window_seconds: 60,
        ..Rate::default()
    }
}

fn tokens(tokens: u64) -> Rate {
    Rate {
        tokens: Some(tokens),
        window_seconds: 60,
        ..Rate::default()
    }
}

fn limit(per: Per, rate: Rate) -> RateLimit {
    RateLimit {
        enabled: true,
        per,
        rate,
        ..RateLimit::default()
    }
}

fn of_models(models: &[&str], rate: Rate) -> RateLimit {
    let mut limit = limit(Per::All, rate);
    limit.applies_to.models = models.iter().map(|&model| model.to_owned()).collect();
    limit
}

fn named(
    limits: impl IntoIterator<Item = (&'static str, RateLimit)>,
) -> BTreeMap<String, RateLimit> {
    let limits = limits.into_iter();
    limits
        .map(|(name, limit)| (name.to_owned(), limit))
        .collect()
}

fn rates(limits: impl IntoIterator<Item = (&'static str, RateLimit)>) -> Rates {
    Rates::new(&named(limits), &[], &BTreeMap::new(), None)
}

fn key(name: &str, project: Option<&str>, rates: Vec<Rate>) -> Key {
    Key {
        name: name.to_owned(),
        key: None,
        settings: ClientKey {
            enabled: true,
            project: project.map(str::to_owned),
            rates,
            ..ClientKey::default()
        },
    }
}

fn address(address: &str) -> Subject<'static> {
    Subject {
        address: Some(address.parse::<IpAddr>().unwrap()),
        ..Subject::default()
    }
}

fn asking<'a>(model: &'a str) -> Subject<'a> {
    Subject {
        model: Some(model),
        ..Subject::default()
    }
}

fn admit(rates: &Rates, subject: Subject<'_>, now: Nanos) -> Result<Vec<Taken>, Refused> {
    let mut taken = Vec::new();
    rates.admit(subject, now, &mut taken)?;
    Ok(taken)
}

/// Both passes of a request.
fn pass(
    rates: &Rates,
    subject: Subject<'_>,
    tokens: u64,
    now: Nanos,
) -> Result<Vec<Taken>, Refused> {
    let head = Subject {
        model: None,
        ..subject
    };
    let mut taken = admit(rates, head, now)?;
    rates.ask(subject, tokens, now, &mut taken)?;
    Ok(taken)
}

/// Requests and tokens used of each limit, by its name and subject.
fn used(rates: &Rates, now: Nanos) -> BTreeMap<(String, Option<String>), (u64, u64)> {
    let states = rates.states(now, chrono::DateTime::UNIX_EPOCH, usize::MAX);
    let states = states.into_iter();
    states
        .map(|state| {
            let used = (state.requests_used, state.tokens_used);
            ((state.limit, state.subject), used)
        })
        .collect()
}

fn of(limit: &str, subject: Option<&str>) -> (String, Option<String>) {
    (limit.to_owned(), subject.map(str::to_owned))
}

#[test]
fn exactly_so_many_of_all_pass_whoever_comes_at_the_same_time() {
    const ALLOWED: u64 = 300;
    for algorithm in [
        Algorithm::FixedWindow,
        Algorithm::SlidingWindow,
        Algorithm::TokenBucket,
    ] {
        let rate = |requests: u64| Rate {
            algorithm,
            window_seconds: 86_400 * 300,
            ..self::requests(requests)
        };
        let rates = rates([
            ("all", limit(Per::All, rate(ALLOWED))),
            ("each", limit(Per::Address, rate(ALLOWED / 2))),
            ("models", of_models(&["m"], rate(ALLOWED * 10))),
        ]);
        let passed = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let (rates, passed) = (&rates, &passed);
                let client = address(["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"][thread % 4]);
                scope.spawn(move || {
                    let subject = Subject {
                        model: Some("m"),
                        ..client
                    };
                    for now in 0..200 {
                        if pass(rates, subject, 1, now).is_ok() {
                            passed.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        assert_eq!(passed.into_inner(), ALLOWED, "{algorithm:?}");
        let used = used(&rates, 200);
        assert_eq!(used[&of("all", None)].0, ALLOWED);
        assert_eq!(used[&of("models", None)].0, ALLOWED);
        let each = used.iter().filter(|((limit, _), _)| limit == "each");
        let each: Vec<u64> = each.map(|(_, (requests, _))| *requests).collect();
        assert_eq!(each.iter().sum::<u64>(), ALLOWED);
        assert!(each.iter().all(|used| *used <= ALLOWED / 2));
    }
}

#[test]
fn a_refused_request_uses_nothing_of_any() {
    let rates = rates([
        ("a", limit(Per::All, requests(10))),
        ("b", limit(Per::Address, requests(1))),
        ("c", of_models(&["m"], requests(1))),
        ("t", limit(Per::All, tokens(100))),
    ]);
    let first = Subject {
        model: Some("m"),
        ..address("10.0.0.1")
    };
    let second = Subject {
        model: Some("m"),
        ..address("10.0.0.2")
    };
    pass(&rates, first, 40, 0).unwrap();
    // The address has none left: the head decides.
    let refused = admit(&rates, address("10.0.0.1"), 1).unwrap_err();
    assert_eq!(refused.rule.identity.owner.label(), "b");
    // The model has none left.
    let refused = pass(&rates, second, 1, 1).unwrap_err();
    assert_eq!(refused.rule.identity.owner.label(), "c");
    // There are not so many tokens.
    let other = Subject {
        model: Some("other"),
        ..second
    };
    let refused = pass(&rates, other, 61, 1).unwrap_err();
    assert_eq!(refused.rule.identity.owner.label(), "t");
    let used = used(&rates, 1);
    assert_eq!(used[&of("a", None)], (1, 0));
    assert_eq!(used[&of("b", Some("10.0.0.1"))], (1, 0));
    assert_eq!(used.get(&of("b", Some("10.0.0.2"))), None);
    assert_eq!(used[&of("c", None)], (1, 0));
    assert_eq!(used[&of("t", None)], (1, 40));
    pass(&rates, other, 60, 1).unwrap();
}

#[test]
fn the_one_that_is_used_up_for_longest_refuses() {
    let long = Rate {
        window_seconds: 600,
        ..requests(1)
    };
    let rates = rates([
        ("long", limit(Per::All, long)),
        ("short", limit(Per::All, requests(1))),
    ]);
    admit(&rates, Subject::default(), 0).unwrap();
    let refused = admit(&rates, Subject::default(), SECOND).unwrap_err();
    assert_eq!(refused.room, Room::In(599 * SECOND));
    let error = refused.error();
    assert_eq!(
        error.message,
        "The rate limit `long` is used up: it allows 1 request in 10 min. There is room again in 599 s."
    );
    assert_eq!(error.retry_after.unwrap().as_secs(), 599);
    assert_eq!(error.code.as_deref(), Some("rate_limit_exceeded"));
}

#[test]
fn a_key_and_its_project_hold_both() {
    let keys = [
        key("a", Some("p"), vec![requests(3), tokens(100)]),
        key("b", Some("p"), vec![]),
        key("c", None, vec![]),
    ];
    let project = Project {
        enabled: true,
        rates: vec![requests(4)],
        ..Project::default()
    };
    let projects = BTreeMap::from([("p".to_owned(), project)]);
    let rates = Rates::new(&BTreeMap::new(), &keys, &projects, None);
    let caller = |key: &'static str, project| Subject {
        key: Some(key),
        project,
        model: Some("m"),
        ..Subject::default()
    };
    let (a, b) = (caller("a", Some("p")), caller("b", Some("p")));
    for _ in 0..3 {
        pass(&rates, a, 1, 0).unwrap();
    }
    let refused = pass(&rates, a, 1, 0).unwrap_err();
    assert_eq!(refused.rule.identity.owner.label(), "key a");
    pass(&rates, b, 1, 0).unwrap();
    let refused = pass(&rates, b, 1, 0).unwrap_err();
    assert_eq!(refused.rule.identity.owner.label(), "project p");
    assert!(refused.error().message.contains("project `p`"));
    for _ in 0..10 {
        assert!(
            pass(&rates, caller("c", None), 1_000, 0)
                .unwrap()
                .is_empty()
        );
    }
}

#[test]
fn tokens_are_settled_with_what_they_were() {
    let rates = rates([("t", limit(Per::All, tokens(100)))]);
    let settle = |taken: Vec<Taken>, actual, now| {
        Tokens::new(taken, tokio::time::Instant::now()).settle_at(actual, now);
    };
    let now_used = |now| {
        used(&rates, now)
            .values()
            .map(|(_, tokens)| *tokens)
            .sum::<u64>()
    };
    let taken = pass(&rates, asking("m"), 30, 0).unwrap();
    assert_eq!(now_used(0), 30);
    settle(taken, 10, SECOND);
    assert_eq!(now_used(SECOND), 10);
    let taken = pass(&rates, asking("m"), 30, 2 * SECOND).unwrap();
    settle(taken, 120, 3 * SECOND);
    assert_eq!(now_used(3 * SECOND), 130);
    let refused = pass(&rates, asking("m"), 0, 4 * SECOND).unwrap_err();
    assert_eq!(refused.room, Room::In(56 * SECOND));
    assert!(refused.error().message.contains("100 tokens in 60 s"));
    // What an answer took that is known only when its window is over counts in the next one.
    let taken = pass(&rates, asking("m"), 10, 60 * SECOND).unwrap();
    settle(taken, 25, 130 * SECOND);
    assert_eq!(now_used(130 * SECOND), 15);
    // What was estimated too high is nothing to the next one.
    let taken = pass(&rates, asking("m"), 20, 140 * SECOND).unwrap();
    settle(taken, 0, 300 * SECOND);
    assert_eq!(now_used(300 * SECOND), 0);
}

#[test]
fn a_request_that_is_too_long_is_told_so() {
    let rates = rates([("t", limit(Per::Model, tokens(100)))]);
    let error = pass(&rates, asking("m"), 101, 0).unwrap_err().error();
    assert!(
        error.message.contains("takes about 101 and never fits"),
        "{error}"
    );
    assert_eq!(error.retry_after, None);
    pass(&rates, asking("m"), 100, 0).unwrap();
    pass(&rates, asking("n"), 100, 0).unwrap();
    assert!(pass(&rates, asking("n"), 1, 0).is_err());
}

#[test]
fn clients_are_shown_what_is_used_up_first() {
    let rates = rates([
        ("all", limit(Per::All, requests(5))),
        ("each", limit(Per::Address, requests(2))),
        ("t", limit(Per::All, tokens(1))),
    ]);
    let shown = |subject, now| {
        let shown: Shown = rates.shown(subject, now).unwrap();
        (shown.limit, shown.remaining, shown.reset)
    };
    let client = address("10.0.0.1");
    assert_eq!(shown(client, 0), (2, 2, 0));
    admit(&rates, client, 0).unwrap();
    assert_eq!(shown(client, SECOND / 2), (2, 1, 60));
    admit(&rates, client, SECOND).unwrap();
    assert_eq!(shown(client, SECOND), (2, 0, 59));
    assert_eq!(shown(address("10.0.0.2"), SECOND), (2, 2, 0));
    for last in 3..=5 {
        admit(&rates, address(&format!("10.0.0.{last}")), SECOND).unwrap();
    }
    assert_eq!(shown(address("10.0.0.9"), SECOND), (5, 0, 59));
    assert_eq!(used(&rates, SECOND)[&of("all", None)].0, 5);
}

#[test]
fn an_edit_keeps_what_has_been_counted() {
    let before = rates([
        ("same", limit(Per::All, requests(10))),
        ("other", limit(Per::All, requests(10))),
    ]);
    for _ in 0..4 {
        admit(&before, Subject::default(), 0).unwrap();
    }
    let sliding = Rate {
        algorithm: Algorithm::SlidingWindow,
        ..requests(10)
    };
    let limits = named([
        ("same", limit(Per::All, requests(5))),
        ("other", limit(Per::All, sliding)),
        ("third", limit(Per::All, requests(10))),
    ]);
    let after = Rates::new(&limits, &[], &BTreeMap::new(), Some(&before));
    admit(&after, Subject::default(), 1).unwrap();
    let used = used(&after, 1);
    assert_eq!(used[&of("same", None)].0, 5);
    assert_eq!(used[&of("other", None)].0, 1);
    assert_eq!(used[&of("third", None)].0, 1);
    assert!(admit(&after, Subject::default(), 1).is_err());
    // A request that came before the edit counts all the same.
    let taken = admit(&before, Subject::default(), 1).unwrap();
    assert_eq!(taken.len(), 2);
    assert_eq!(self::used(&after, 1)[&of("same", None)].0, 6);
}

#[test]
fn a_keys_rates_are_told_apart_by_their_windows() {
    let minute = requests(5);
    let hour = Rate {
        window_seconds: 3_600,
        ..requests(100)
    };
    let caller = Subject {
        key: Some("a"),
        ..Subject::default()
    };
    let of_key = |rates: Vec<Rate>, before: Option<&Rates>| {
        Rates::new(
            &BTreeMap::new(),
            &[key("a", None, rates)],
            &BTreeMap::new(),
            before,
        )
    };
    let before = of_key(vec![minute.clone(), hour.clone()], None);
    for now in [0, 30 * SECOND, 70 * SECOND] {
        admit(&before, caller, now).unwrap();
    }
    let more = Rate {
        requests: Some(200),
        ..hour
    };
    let after = of_key(vec![more, minute], Some(&before));
    let states = after.states(71 * SECOND, chrono::DateTime::UNIX_EPOCH, 10);
    let states: Vec<_> = states
        .iter()
        .map(|state| (state.rate.window_seconds, state.requests_used))
        .collect();
    assert_eq!(states, [(60, 1), (3_600, 3)]);
}

#[test]
fn states_are_told_fullest_first() {
    let rates = rates([("each", limit(Per::Address, requests(4)))]);
    for (client, requests) in [("10.0.0.1", 1), ("10.0.0.2", 3), ("2001:db8::1", 2)] {
        for _ in 0..requests {
            admit(&rates, address(client), 0).unwrap();
        }
    }
    for _ in 0..2 {
        admit(&rates, address("2001:db8::2"), 0).unwrap();
    }
    assert!(admit(&rates, address("2001:db8::3"), 0).is_err());
    let states = rates.states(SECOND, chrono::DateTime::UNIX_EPOCH, 2);
    let told: Vec<_> = states
        .iter()
        .map(|state| (state.subject.as_deref(), state.requests_used, state.refused))
        .collect();
    assert_eq!(
        told,
        [(Some("2001:db8::/64"), 4, 1), (Some("10.0.0.2"), 3, 0)]
    );
    assert_eq!(states[0].resets_at.timestamp(), 59);
}

//! Other models, when a model's own targets do not answer.

use llm::error::{ApiError, ErrorKind, ErrorSource};
use proptest::prelude::*;

use super::super::{Candidate, Endpoint, Facts, NoFacts, Wish};
use super::world::{World, error, model};
use crate::config::{Model, Strategy, Target};

/// A model whose targets have names of their own: `a` at `p0`, `p1` … is served as `a`.
fn named(name: &str, targets: usize, fallbacks: &[&str]) -> Model {
    let mut named = model(name, Strategy::Priority, &vec![1; targets]);
    for target in &mut named.targets {
        target.model = Some(name.to_owned());
    }
    named.fallbacks = fallbacks.iter().map(|name| (*name).to_owned()).collect();
    named
}

fn names(tried: &[Candidate]) -> Vec<&str> {
    tried.iter().map(|candidate| &*candidate.model).collect()
}

#[test]
fn they_come_after_all_targets_and_each_once() {
    let models = [
        named("a", 2, &["b", "c"]),
        named("b", 1, &["a", "d"]),
        named("c", 1, &["b"]),
        named("d", 1, &["a", "b", "c"]),
    ];
    let mut world = World::new(&models, 0);
    let (tried, _) = world.request("a", |_| Err(error(ErrorKind::Timeout)));
    assert_eq!(names(&tried), ["a", "a", "b", "c", "d"]);
}

#[test]
fn a_request_that_is_too_long_goes_to_a_longer_model_at_once() {
    let mut short = named("short", 3, &["other"]);
    short.context_length_fallbacks = vec!["long".to_owned()];
    short.content_filter_fallbacks = vec!["lenient".to_owned()];
    let models = [
        short,
        named("long", 1, &[]),
        named("lenient", 1, &[]),
        named("other", 1, &[]),
    ];
    for (kind, expected) in [
        (ErrorKind::ContextLengthExceeded, ["short", "long"]),
        (ErrorKind::ContentFiltered, ["short", "lenient"]),
    ] {
        for origin in [ErrorSource::Caller, ErrorSource::Provider] {
            let mut world = World::new(&models, 0);
            let (tried, answered) = world.request("short", |candidate| match &*candidate.model {
                "short" => Err(ApiError::new(kind, origin, "")),
                _ => Ok(()),
            });
            assert!(answered);
            assert_eq!(names(&tried), expected);
            // Where nothing is configured it is the client's to mend.
            let (tried, _) = world.request("other", |_| Err(ApiError::new(kind, origin, "")));
            assert_eq!(names(&tried), ["other"]);
        }
    }
}

/// A request of so many tokens.
struct Tokens(u64);

impl Facts for Tokens {
    fn key(&self) -> Option<&str> {
        None
    }

    fn header(&self, _: &str) -> Option<&str> {
        None
    }

    fn metadata(&self, _: &str) -> Option<std::borrow::Cow<'_, str>> {
        None
    }

    fn user(&self) -> Option<std::borrow::Cow<'_, str>> {
        None
    }

    fn input_tokens(&self) -> u64 {
        self.0
    }

    fn prefix(&self) -> u64 {
        0
    }
}

#[test]
fn a_limit_on_tokens_refuses_or_leads_to_a_longer_model() {
    let mut short = named("short", 1, &[]);
    short.max_input_tokens = Some(100);
    short.context_length_fallbacks = vec!["long".to_owned()];
    let mut long = named("long", 1, &[]);
    long.max_input_tokens = Some(1000);
    let mut world = World::new(&[short, long], 0);
    for (tokens, expected) in [(100, "short"), (101, "long"), (1000, "long")] {
        let mut plan = world.plan_with("short", &Tokens(tokens));
        assert_eq!(&*world.next(&mut plan).unwrap().model, expected);
    }
    let wish = Wish {
        model: Some("short"),
        provider: None,
        endpoint: Endpoint::Chat,
        access: None,
        facts: &Tokens(1001),
    };
    let moment = world.moment();
    let refused = world.table.plan(wish, moment).unwrap_err();
    assert_eq!(
        (refused.status(), refused.kind),
        (400, ErrorKind::ContextLengthExceeded)
    );
    assert!(
        refused.message.contains("1001") && refused.message.contains("100 "),
        "{refused}"
    );
}

#[test]
fn a_model_without_a_target_that_is_enabled_has_its_fallbacks() {
    let mut off = named("off", 1, &["on"]);
    off.targets[0].enabled = false;
    let mut world = World::new(&[off, named("on", 1, &[])], 0);
    let (tried, answered) = world.request("off", |_| Ok(()));
    assert!(answered);
    assert_eq!(names(&tried), ["on"]);
}

#[test]
fn a_wildcard_sends_the_clients_name() {
    let mut any = named("gpt-*", 1, &["b"]);
    any.targets[0].model = None;
    let mut world = World::new(&[any, named("b", 1, &[])], 0);
    let (tried, _) = world.request("gpt-9", |_| Err(error(ErrorKind::Timeout)));
    assert_eq!(names(&tried), ["gpt-9", "b"]);
    let wish = Wish {
        model: Some("p0/anything"),
        provider: None,
        endpoint: Endpoint::Other,
        access: None,
        facts: &NoFacts,
    };
    let moment = world.moment();
    let mut plan = world.table.plan(wish, moment).unwrap();
    assert_eq!(&*world.next(&mut plan).unwrap().model, "anything");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Whatever leads to whatever, a plan ends, and goes to each model once.
    #[test]
    fn plans_end(
        links in prop::collection::vec(prop::collection::vec(0..6_usize, 0..4), 6),
        kinds in prop::collection::vec(
            prop::sample::select(vec![
                ErrorKind::Timeout,
                ErrorKind::UpstreamFailed,
                ErrorKind::ContextLengthExceeded,
                ErrorKind::ContentFiltered,
                ErrorKind::Authentication,
                ErrorKind::RateLimited,
            ]),
            1..20,
        ),
        unfit in any::<u32>(),
        keys in 0..4_usize,
    ) {
        let model_names = ["a", "b", "c", "d", "e", "f"];
        let models: Vec<Model> = links
            .iter()
            .enumerate()
            .map(|(n, links)| {
                let links: Vec<&str> = links.iter().map(|to| model_names[*to]).collect();
                let mut model = named(model_names[n], 2, &links);
                model.context_length_fallbacks = model.fallbacks.clone();
                model.content_filter_fallbacks = model.fallbacks.clone();
                model.max_attempts = Some(u32::MAX);
                model.targets.push(Target { provider: "p7".to_owned(), ..Target::default() });
                model
            })
            .collect();
        let mut world = World::new(&models, keys);
        let mut plan = world.plan("a");
        let mut tries = std::collections::HashMap::<_, u32>::new();
        let mut made = 0;
        while let Some(candidate) = world.next(&mut plan) {
            made += 1;
            if unfit & (1 << (made % 32)) != 0 {
                plan.unfit(&candidate);
            } else {
                let moment = world.moment();
                plan.failed(&candidate, &error(kinds[made % kinds.len()]), moment);
            }
            let target = (candidate.provider, candidate.model.clone());
            let tries = tries.entry(target).or_default();
            *tries += 1;
            // Each of its keys once, and once again.
            prop_assert!(*tries as usize <= keys.max(1) + 1);
        }
        prop_assert!(tries.len() <= 18);
        let moment = world.moment();
        prop_assert!(matches!(plan.next(moment), super::super::Next::GiveUp));
    }
}

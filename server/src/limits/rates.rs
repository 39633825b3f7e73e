//! The rates in force: which of them a request is about, and taking them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use foldhash::{HashMap, HashMapExt};
use shared::dry_run::LimitOutlook;
use shared::policies::{LimitState, Per, Project, Rate, RateLimit};

use super::count::{Count, Refused, Taken, take};
use super::counts::Counts;
use super::rule::{Identity, Owner, Rule};
use super::shown::Shown;
use super::window::{Amount, Nanos, Room, Size};
use crate::config::Key;
use crate::selection::{Selection, Subject};

/// Everything that says so much in a window.
#[derive(Debug, Default)]
pub(super) struct Rates {
    /// Those that a request's head decides.
    early: Selection<Arc<Rule>>,
    /// Those that are about its model.
    late: Selection<Arc<Rule>>,
    keys: HashMap<String, Vec<Arc<Rule>>>,
    projects: HashMap<String, Vec<Arc<Rule>>>,
    /// Those that are disabled: what they have counted waits for them.
    disabled: Vec<Arc<Rule>>,
}

impl Rates {
    /// What has been counted in `before` goes on to count.
    pub fn new(
        limits: &BTreeMap<String, RateLimit>,
        keys: &[Key],
        projects: &BTreeMap<String, Project>,
        before: Option<&Self>,
    ) -> Self {
        let mut known: HashMap<&Identity, &Arc<Counts>> = HashMap::new();
        for rule in before
            .into_iter()
            .flat_map(|it| it.rules().chain(&it.disabled))
        {
            known.insert(&rule.identity, &rule.counts);
        }
        let rule = |identity: Identity, rate: &Rate| {
            let counts = known.get(&identity).map_or_else(
                || Arc::new(Counts::new(identity.per, identity.algorithm)),
                |counts| Arc::clone(counts),
            );
            Arc::new(Rule {
                identity,
                rate: rate.clone(),
                size: Size::of(rate),
                counts,
            })
        };
        let of_owner = |owner: &dyn Fn() -> Owner, rates: &[Rate]| {
            let rules = rates.iter().enumerate().map(|(i, rate)| {
                let alike = |other: &&Rate| {
                    (other.window_seconds, other.algorithm) == (rate.window_seconds, rate.algorithm)
                };
                let identity = Identity {
                    owner: owner(),
                    per: Per::All,
                    algorithm: rate.algorithm,
                    window: Some(rate.window_seconds),
                    place: rates[..i].iter().filter(alike).count(),
                };
                rule(identity, rate)
            });
            rules.collect::<Vec<_>>()
        };
        let of_limit = |name: &String, limit: &RateLimit| {
            let identity = Identity {
                owner: Owner::Limit(name.clone()),
                per: limit.per,
                algorithm: limit.rate.algorithm,
                window: None,
                place: 0,
            };
            rule(identity, &limit.rate)
        };
        let disabled = limits.iter().filter(|(_, limit)| !limit.enabled);
        let disabled = disabled.map(|(name, limit)| of_limit(name, limit));
        let enabled = limits.iter().filter(|(_, limit)| limit.enabled);
        let (late, early): (Vec<_>, Vec<_>) = enabled
            .map(|(name, limit)| (limit.applies_to.clone(), of_limit(name, limit)))
            .partition(|(selector, rule)| {
                !selector.models.is_empty() || rule.identity.per == Per::Model
            });
        Self {
            early: early.into_iter().collect(),
            late: late.into_iter().collect(),
            disabled: disabled.collect(),
            keys: keys
                .iter()
                .filter(|key| !key.settings.rates.is_empty())
                .map(|key| {
                    let owner = || Owner::Key(key.name.clone());
                    (key.name.clone(), of_owner(&owner, &key.settings.rates))
                })
                .collect(),
            projects: projects
                .iter()
                .filter(|(_, project)| !project.rates.is_empty())
                .map(|(name, project)| {
                    let owner = || Owner::Project(name.clone());
                    (name.clone(), of_owner(&owner, &project.rates))
                })
                .collect(),
        }
    }

    /// Nothing is limited.
    pub fn is_empty(&self) -> bool {
        self.early.is_empty()
            && self.late.is_empty()
            && self.keys.is_empty()
            && self.projects.is_empty()
    }

    /// Counts a request of which only the head is known.
    pub fn admit(
        &self,
        subject: Subject<'_>,
        now: Nanos,
        taken: &mut Vec<Taken>,
    ) -> Result<(), Refused> {
        for rule in self.early(subject) {
            let count = rule.counts.of(&subject, &rule.size, now);
            taken.push(Taken::new(rule, count, Amount::REQUEST));
        }
        take(taken, now)
    }

    /// Counts what had to wait until it was known: the rates that are about models, and tokens. Where one of them has
    /// no room the request counts nowhere.
    pub fn ask(
        &self,
        subject: Subject<'_>,
        tokens: u64,
        now: Nanos,
        taken: &mut Vec<Taken>,
    ) -> Result<(), Refused> {
        // Whoever asks takes some, how little it may be.
        let tokens = tokens.max(1);
        let of = |rule: &Rule| rule.size.tokens.map_or(0, |_| tokens);
        for one in taken.iter_mut() {
            one.wanted = Amount::tokens(of(&one.rule));
        }
        for rule in self.late.matching(subject) {
            let count = rule.counts.of(&subject, &rule.size, now);
            let wanted = Amount {
                requests: 1,
                tokens: of(rule),
            };
            taken.push(Taken::new(rule, count, wanted));
        }
        take(taken, now).inspect_err(|_| {
            for one in taken.drain(..) {
                one.give_back();
            }
        })
    }

    /// The rates that a request is about, and whether each has room for it.
    pub fn outlook(&self, subject: Subject<'_>, tokens: u64, now: Nanos) -> Vec<LimitOutlook> {
        let rules = self.early(subject).chain(self.late.matching(subject));
        let outlooks = rules.map(|rule| {
            let wanted = Amount {
                requests: 1,
                tokens: rule.size.tokens.map_or(0, |_| tokens.max(1)),
            };
            let mut outlook = LimitOutlook {
                limit: rule.identity.owner.label(),
                per: rule.identity.per,
                rate: rule.rate.clone(),
                requests_used: 0,
                tokens_used: 0,
                refuses: None,
            };
            // Without a count of its own nothing of it is used.
            let count = rule.counts.find(&subject);
            let count = count.unwrap_or_else(|| Arc::new(Count::new(rule.identity.algorithm)));
            let mut counted = count.lock();
            let used = counted.window.used(&rule.size, now);
            (outlook.requests_used, outlook.tokens_used) = (used.requests, used.tokens);
            let room = counted.window.room(&rule.size, wanted, now);
            if room != Room::Now {
                let refused = Refused {
                    rule: Arc::clone(rule),
                    wanted,
                    used,
                    room,
                };
                outlook.refuses = Some(refused.error().message);
            }
            drop(counted);
            outlook
        });
        outlooks.collect()
    }

    /// How it stands with a request that is not counted.
    pub fn shown(&self, subject: Subject<'_>, now: Nanos) -> Option<Shown> {
        let rules = self.early(subject);
        Shown::tightest(rules.map(|rule| match rule.counts.find(&subject) {
            Some(count) => Shown::of(rule, &count, now),
            None => Shown::unused(rule),
        }))
    }

    /// Every count of which something is used, the fullest first.
    pub fn states(&self, now: Nanos, at: DateTime<Utc>, most: usize) -> Vec<LimitState> {
        let mut states = Vec::new();
        for rule in self.rules() {
            rule.counts.each(|subject, count| {
                states.extend(state(rule, subject, count, now, at));
            });
        }
        states.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        states.truncate(most);
        states.into_iter().map(|(_, state)| state).collect()
    }

    fn early<'a>(&'a self, subject: Subject<'a>) -> impl Iterator<Item = &'a Arc<Rule>> {
        fn own<'a>(
            rules: &'a HashMap<String, Vec<Arc<Rule>>>,
            name: Option<&str>,
        ) -> &'a [Arc<Rule>] {
            let name = name.filter(|_| !rules.is_empty());
            name.and_then(|name| rules.get(name))
                .map_or(&[], Vec::as_slice)
        }
        self.early
            .matching(subject)
            .chain(own(&self.keys, subject.key))
            .chain(own(&self.projects, subject.project))
    }

    fn rules(&self) -> impl Iterator<Item = &Arc<Rule>> {
        let own = self.keys.values().chain(self.projects.values());
        self.early
            .iter()
            .chain(self.late.iter())
            .chain(own.flatten())
    }
}

/// A count's state, and how full it is. `None`: nothing has happened that is of interest.
fn state(
    rule: &Rule,
    subject: Option<Cow<'_, str>>,
    count: &Count,
    now: Nanos,
    at: DateTime<Utc>,
) -> Option<(f64, LimitState)> {
    let mut counted = count.lock();
    let resets_in = counted.window.resets_in(&rule.size, now);
    if resets_in == 0 && counted.refused == 0 {
        return None;
    }
    let used = counted.window.used(&rule.size, now);
    let share = |limit: Option<u64>, used: u64| limit.map_or(0.0, |limit| ratio(used, limit));
    let full = share(rule.size.requests, used.requests).max(share(rule.size.tokens, used.tokens));
    let state = LimitState {
        limit: rule.identity.owner.label(),
        per: rule.identity.per,
        subject: subject.map(Cow::into_owned),
        rate: rule.rate.clone(),
        requests_used: used.requests,
        tokens_used: used.tokens,
        resets_at: at + TimeDelta::nanoseconds(i64::try_from(resets_in).unwrap_or(i64::MAX)),
        refused: counted.refused,
    };
    Some((full, state))
}

#[allow(clippy::cast_precision_loss, reason = "it is for sorting")]
fn ratio(used: u64, limit: u64) -> f64 {
    used as f64 / limit.max(1) as f64
}

//! One model of a plan, and which of its targets were tried.

use std::sync::Arc;
use std::time::Instant;

use super::access::{Allowed, allows};
use super::candidate::{Candidate, Place};
use super::keys::KeySet;
use super::route::{ModelRoute, RouteTarget};
use super::strategy::Choice;
use super::target_set::TargetSet;

/// A model that a request goes to.
#[derive(Debug)]
pub(super) struct Leg {
    pub route: Arc<ModelRoute>,
    /// Which of the model's lists.
    list: usize,
    tried: TargetSet,
    /// Its fallbacks have been added.
    pub is_left: bool,
    /// The request is nothing for it.
    pub is_abandoned: bool,
}

impl Leg {
    /// Targets of providers that are not allowed are as if they had been tried.
    pub fn new(route: Arc<ModelRoute>, list: usize, allowed: Option<&Allowed>) -> Self {
        let mut tried = TargetSet::default();
        if allowed.is_some() {
            let targets = route.lists[list].targets().iter().enumerate();
            for (target, it) in targets {
                if !allows(allowed, it.provider) {
                    tried.insert(target);
                }
            }
        }
        Self {
            route,
            list,
            tried,
            is_left: false,
            is_abandoned: false,
        }
    }

    pub fn targets(&self) -> &[RouteTarget] {
        self.route.lists[self.list].targets()
    }

    pub fn target(&self, target: usize) -> Option<&RouteTarget> {
        self.targets().get(target)
    }

    pub fn tried(&mut self, target: usize) {
        self.tried.insert(target);
    }

    /// Whether it has targets that were not tried.
    pub fn is_open(&self) -> bool {
        self.untried().next().is_some()
    }

    pub fn untried(&self) -> impl Iterator<Item = usize> {
        let all = 0..self.targets().len();
        let all = if self.is_abandoned { 0..0 } else { all };
        all.filter(|target| !self.tried.contains(*target))
    }

    /// A target that was not tried and may be called, by the model's strategy.
    pub fn pick(
        &self,
        before: Option<usize>,
        sticky: Option<u64>,
        random: u64,
        now: Instant,
        rehearsed: bool,
    ) -> Option<usize> {
        let targets = self.targets();
        let available = |target: &usize| targets[*target].state.is_available(now);
        let eligible: TargetSet = self.untried().filter(available).collect();
        if eligible.is_empty() {
            return None;
        }
        self.route.lists[self.list].pick(&Choice {
            targets,
            eligible: &eligible,
            now,
            random,
            sticky,
            before,
            rehearsed,
        })
    }

    /// How bad it is: less comes first.
    pub fn trouble(&self, target: usize, now: Instant) -> (bool, Option<Instant>) {
        let state = &self.targets()[target].state;
        (!state.is_only_cooling(now), state.closed_until(now))
    }
}

/// The targets that a request has tried, in this order.
#[derive(Debug, Default)]
pub(super) struct Tries(Vec<Tried>);

/// What became of one of them.
#[derive(Debug)]
pub(super) struct Tried {
    place: Place,
    /// Keys that have failed there.
    pub keys: KeySet,
    /// How often it was tried again.
    pub retries: u32,
    /// When it may be tried again.
    pub again: Option<Instant>,
}

impl Tries {
    pub fn add(&mut self, place: Place) {
        self.0.push(Tried {
            place,
            keys: KeySet::default(),
            retries: 0,
            again: None,
        });
    }

    pub fn of(&mut self, place: Place) -> Option<&mut Tried> {
        self.0.iter_mut().find(|tried| tried.place == place)
    }

    pub fn last(&self) -> Option<Place> {
        self.0.last().map(|tried| tried.place)
    }

    pub fn retriable(&self) -> impl Iterator<Item = (Place, Instant)> {
        let tries = self.0.iter();
        tries.filter_map(|tried| Some((tried.place, tried.again?)))
    }
}

/// A target of a model, for a request.
pub(super) fn candidate(
    route: &ModelRoute,
    target: &RouteTarget,
    asked: Option<&Arc<str>>,
    key: Option<usize>,
    place: Place,
) -> Candidate {
    let named = target.model.as_ref().or(asked);
    Candidate {
        provider: target.provider,
        model: Arc::clone(named.unwrap_or(&route.name)),
        strict: route.strict,
        parameters: target.parameters.clone(),
        key,
        state: Arc::clone(&target.state),
        place,
    }
}

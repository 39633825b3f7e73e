//! One request's way through targets: whom to try next, after what has failed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use llm::error::ApiError;

use super::access::{Allowed, allows};
use super::backoff;
use super::candidate::{Candidate, Place};
use super::failure::{Elsewhere, Evidence, Verdict};
use super::keys::KeySet;
use super::leg::{Leg, Tries, candidate};
use super::moment::{Moment, below};
use super::route::{Fallbacks, ModelRoute};

/// Tries for one request at most, where nobody says otherwise and there are not more targets.
const MOST_TRIES: usize = 5;

/// Ends for certain: every target is tried once, with each of its keys once, and again as often as its model's
/// `retry` says; every model is gone to once.
#[derive(Debug)]
pub struct Plan {
    /// All models, for fallbacks.
    catalog: Arc<[Arc<ModelRoute>]>,
    /// The model that was asked for, then those it fell back to.
    legs: Vec<Leg>,
    /// The client's name for the model, where the model stands for many.
    asked: Option<Arc<str>>,
    sticky: Option<u64>,
    /// The providers that may be asked; `None`: all.
    allowed: Option<Allowed>,
    tries: Tries,
    made: usize,
    /// The target that failed last can be tried again at once, with another key.
    other_key: Option<(Place, usize)>,
    /// A try that is paid for, and not made yet.
    waiting: Option<(Place, Instant)>,
    shadowed: bool,
    /// It has paid its part for retries and hedges.
    begun: bool,
    /// Nobody's turn is used up, and nothing is paid for: nobody is going to be asked.
    rehearsed: bool,
    /// Nothing more can come of it.
    over: bool,
}

/// What to do.
#[derive(Clone, Debug)]
pub enum Next {
    Try(Candidate),
    /// To wait until then, and ask again.
    Wait(Instant),
    /// The last error is the answer.
    GiveUp,
}

impl Plan {
    pub(super) fn new(
        catalog: Arc<[Arc<ModelRoute>]>,
        route: Arc<ModelRoute>,
        list: usize,
        asked: Option<Arc<str>>,
        sticky: Option<u64>,
        allowed: Option<&Allowed>,
    ) -> Self {
        Self {
            catalog,
            legs: vec![Leg::new(route, list, allowed)],
            asked,
            sticky,
            allowed: allowed.cloned(),
            tries: Tries::default(),
            made: 0,
            other_key: None,
            waiting: None,
            shadowed: false,
            begun: false,
            rehearsed: false,
            over: false,
        }
    }

    /// A plan that says whom it would try, and leaves no trace of having been asked.
    #[must_use]
    pub fn rehearsed(self) -> Self {
        Self {
            rehearsed: true,
            ..self
        }
    }

    /// A request pays its part for retries and hedges, once.
    fn begin(&mut self) {
        if std::mem::replace(&mut self.begun, true) || self.rehearsed {
            return;
        }
        let Some(route) = self.legs.first().map(|leg| &leg.route) else {
            return;
        };
        route.state.retries.deposit(route.retry.budget);
        if route.hedge.enabled {
            route.state.hedges.deposit(route.hedge.max_share);
        }
    }

    /// Whom to try now. The first call gives a target if there is any at all.
    pub fn next(&mut self, moment: Moment) -> Next {
        self.begin();
        if self.over || self.is_last() {
            return Next::GiveUp;
        }
        if let Some((place, key)) = self.other_key.take() {
            return self.again(place, Some(key));
        }
        if let Some(place) = self.available(moment) {
            return self.first_time(place, moment);
        }
        if let Some((place, until)) = self.waiting {
            if until > moment.now {
                return Next::Wait(until);
            }
            self.waiting = None;
            return self.once_more(place, moment);
        }
        if let Some(place) = self.unavailable(moment.now) {
            // What a request tries first is free: it may be the probe.
            if self.made == 0 || self.pay(place, moment) {
                return self.first_time(place, moment);
            }
            return self.give_up();
        }
        let Some((place, until)) = self.retriable(moment.now) else {
            return self.give_up();
        };
        if !self.pay(place, moment) {
            return self.give_up();
        }
        if until > moment.now {
            self.waiting = Some((place, until));
            return Next::Wait(until);
        }
        self.once_more(place, moment)
    }

    /// A try has failed before its answer began. This is evidence of the target, its key and its provider as well:
    /// the try's [`InUse`](super::InUse) is dropped without a word.
    pub fn failed(&mut self, candidate: &Candidate, error: &ApiError, moment: Moment) {
        let now = moment.now;
        candidate.state.failed(candidate.key, error, now);
        let verdict = Verdict::of(error);
        let place = candidate.place;
        let Some(leg) = self.legs.get(place.leg) else {
            return;
        };
        let route = Arc::clone(&leg.route);
        match verdict.elsewhere {
            Elsewhere::Nowhere => self.over = true,
            Elsewhere::LongerContext => self.go_instead(place.leg, |f| &f.context_length),
            Elsewhere::OtherFilter => self.go_instead(place.leg, |f| &f.content_filter),
            Elsewhere::AnyTarget => {
                let Some(tried) = self.tries.of(place) else {
                    return;
                };
                if let Some(key) = candidate.key {
                    tried.keys.insert(key);
                    let of_key = matches!(
                        verdict.evidence,
                        Evidence::Key | Evidence::Limited | Evidence::Exhausted
                    );
                    let provider = candidate.state.provider();
                    if of_key && let Some(key) = provider.key(tried.keys, now) {
                        self.other_key = Some((place, key));
                    }
                }
                let retries = route.retry.retries;
                if verdict.again && tried.retries < retries {
                    let random = moment.random_for(1);
                    let wait =
                        backoff::wait(&route.retry, tried.retries, error.retry_after, random);
                    tried.again = wait.map(|wait| now + wait);
                }
            }
        }
    }

    /// A candidate was not asked: the request cannot be put to it. That is no try.
    pub fn unfit(&mut self, candidate: &Candidate) {
        self.made = self.made.saturating_sub(1);
        if let Some(tried) = self.tries.of(candidate.place) {
            tried.again = None;
        }
    }

    /// The silence after which a second target may be asked. `None`: hedging is off, too little is known of the
    /// target, or the requests have not paid for another hedge.
    pub fn hedge_after(&self) -> Option<Duration> {
        let place = self.tries.last()?;
        let route = &self.legs.get(place.leg)?.route;
        if !route.hedge.enabled || self.is_last() || !route.state.hedges.is_left() {
            return None;
        }
        let leg = &self.legs[place.leg];
        leg.target(place.target)?.state.p95_first_token()
    }

    /// That second target; `None`: there is none, or it is not paid for.
    pub fn hedge(&mut self, moment: Moment) -> Option<Candidate> {
        if self.over || self.is_last() {
            return None;
        }
        let leg = self.tries.last()?.leg;
        let target = self.pick(leg, moment)?;
        let route = &self.legs[leg].route;
        if !route.hedge.enabled || !route.state.hedges.withdraw(moment.now) {
            return None;
        }
        match self.first_time(Place { leg, target }, moment) {
            Next::Try(candidate) => Some(candidate),
            Next::Wait(_) | Next::GiveUp => None,
        }
    }

    /// A target that gets a copy, if this request is one of those that are copied. Asked once.
    pub fn shadow(&mut self, moment: Moment) -> Option<Candidate> {
        let leg = self.legs.first()?;
        let (target, share) = leg.route.shadow.as_ref()?;
        if !allows(self.allowed.as_ref(), target.provider) {
            return None;
        }
        let drawn = below(moment.random_for(2), 1_000_000);
        if std::mem::replace(&mut self.shadowed, true) || drawn >= share.millionths().into() {
            return None;
        }
        let key = target.state.provider().key(KeySet::default(), moment.now);
        // No leg's: nothing follows from its failure for the request.
        let place = Place {
            leg: usize::MAX,
            target: 0,
        };
        let name = self.asked.as_ref();
        Some(candidate(&leg.route, target, name, key, place))
    }

    /// Tries so far, those that were unfit not counted.
    pub fn tries(&self) -> usize {
        self.made
    }

    /// Whether no more tries may be made.
    pub fn is_last(&self) -> bool {
        self.made >= self.most()
    }

    fn most(&self) -> usize {
        let of_all = || self.legs.iter().map(|leg| leg.targets().len()).sum();
        let configured = self.legs.first().and_then(|leg| leg.route.max_attempts);
        configured.unwrap_or_else(|| MOST_TRIES.max(of_all()))
    }

    /// A target that was not tried and may be called, of the earliest model that has one.
    fn available(&mut self, moment: Moment) -> Option<Place> {
        let mut leg = 0;
        while leg < self.legs.len() {
            if let Some(target) = self.pick(leg, moment) {
                return Some(Place { leg, target });
            }
            if !self.legs[leg].is_left {
                self.legs[leg].is_left = true;
                self.go_on(leg, |fallbacks| &fallbacks.general);
            }
            leg += 1;
        }
        None
    }

    fn pick(&self, leg: usize, moment: Moment) -> Option<usize> {
        let before = self.tries.last().filter(|last| last.leg == leg);
        let before = before.map(|last| last.target);
        let random = moment.random_for(self.made as u64);
        self.legs[leg].pick(before, self.sticky, random, moment.now, self.rehearsed)
    }

    /// A target that was not tried, though it is known to be in trouble: one that is only cooling down before one
    /// that fails, and the one that is left alone for the shortest time first.
    fn unavailable(&self, now: Instant) -> Option<Place> {
        let legs = self.legs.iter().enumerate();
        let all = legs.flat_map(|(leg, it)| {
            let untried = it.untried().map(move |target| Place { leg, target });
            untried.map(move |place| (it.trouble(place.target, now), place))
        });
        let least = all.min_by_key(|(trouble, _)| *trouble);
        least.map(|(_, place)| place)
    }

    /// A target to try again: the one that is ready first. What is known to fail by now is left alone.
    fn retriable(&self, now: Instant) -> Option<(Place, Instant)> {
        let places = self.tries.retriable();
        let fine = places.filter(|(place, _)| {
            let leg = &self.legs[place.leg];
            let target = leg.target(place.target);
            !leg.is_abandoned && target.is_some_and(|target| target.state.is_only_cooling(now))
        });
        fine.min_by_key(|(_, until)| *until)
    }

    /// A token of the model's retry budget.
    fn pay(&self, place: Place, moment: Moment) -> bool {
        let route = &self.legs[place.leg].route;
        route.state.retries.withdraw(moment.now)
    }

    fn first_time(&mut self, place: Place, moment: Moment) -> Next {
        self.legs[place.leg].tried(place.target);
        self.tries.add(place);
        let provider = self.legs[place.leg].target(place.target);
        let provider = provider.map(|target| target.state.provider());
        let key = provider.and_then(|provider| match self.rehearsed {
            true => provider.next_key(moment.now),
            false => provider.key(KeySet::default(), moment.now),
        });
        self.again(place, key)
    }

    fn once_more(&mut self, place: Place, moment: Moment) -> Next {
        let mut key = None;
        if let Some(tried) = self.tries.of(place) {
            tried.again = None;
            tried.retries += 1;
        }
        if let Some(target) = self.legs[place.leg].target(place.target) {
            key = target.state.provider().key(KeySet::default(), moment.now);
        }
        self.again(place, key)
    }

    fn again(&mut self, place: Place, key: Option<usize>) -> Next {
        self.made += 1;
        let leg = &self.legs[place.leg];
        match leg.target(place.target) {
            Some(target) => Next::Try(candidate(
                &leg.route,
                target,
                self.asked.as_ref(),
                key,
                place,
            )),
            None => self.give_up(),
        }
    }

    fn give_up(&mut self) -> Next {
        self.over = true;
        Next::GiveUp
    }

    /// The request is nothing for this model: other models, or nobody.
    fn go_instead(&mut self, leg: usize, which: fn(&Fallbacks) -> &Vec<usize>) {
        let before = self.legs.len();
        self.go_on(leg, which);
        if self.legs.len() == before && !self.legs[leg + 1..].iter().any(Leg::is_open) {
            self.over = true;
        }
        self.legs[leg].is_abandoned = true;
        self.legs[leg].is_left = true;
    }

    /// Appends models, each of them once.
    fn go_on(&mut self, leg: usize, which: fn(&Fallbacks) -> &Vec<usize>) {
        let route = Arc::clone(&self.legs[leg].route);
        for index in which(&route.fallbacks) {
            let Some(next) = self.catalog.get(*index) else {
                continue;
            };
            if !self.legs.iter().any(|leg| Arc::ptr_eq(&leg.route, next)) {
                let leg = Leg::new(Arc::clone(next), 0, self.allowed.as_ref());
                self.legs.push(leg);
            }
        }
    }
}

//! Providers and models to route requests to, and a clock that only tests move.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use llm::error::{ApiError, ErrorKind, ErrorSource};

use super::super::{
    Candidate, Endpoint, Facts, InUse, Moment, Next, NoFacts, Plan, RoutingTable, States, Wish,
};
use crate::config::{Model, Provider, Secret, Strategy, Target};

/// A routing table at a moment.
pub(super) struct World {
    pub table: RoutingTable,
    pub now: Instant,
    random: u64,
    /// Every transition: `p0/m closed open`.
    pub seen: Arc<Mutex<Vec<String>>>,
}

impl World {
    /// Providers `p0`, `p1` … with so many keys each, enough for the models' targets.
    pub fn new(models: &[Model], keys: usize) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&seen);
        let states = States::new(move |transition| {
            let model = transition.model.as_deref().unwrap_or_default();
            let words = format!(
                "{}/{model} {} {}",
                transition.provider, transition.from, transition.to
            );
            told.lock().unwrap().push(words);
        });
        Self {
            table: table(models, keys, Arc::new(states)),
            now: Instant::now(),
            random: 7,
            seen,
        }
    }

    /// The configuration is changed.
    pub fn reload(&mut self, models: &[Model], keys: usize) {
        self.table = table(models, keys, Arc::clone(self.table.states()));
    }

    pub fn moment(&mut self) -> Moment {
        self.random = super::super::moment::mixed(self.random);
        Moment {
            now: self.now,
            at: chrono::DateTime::UNIX_EPOCH,
            random: self.random,
        }
    }

    pub fn later(&mut self, by: Duration) {
        self.now += by;
    }

    pub fn plan(&mut self, model: &str) -> Plan {
        self.plan_with(model, &NoFacts)
    }

    pub fn plan_with(&mut self, model: &str, facts: &dyn Facts) -> Plan {
        let wish = Wish {
            model: Some(model),
            provider: None,
            endpoint: Endpoint::Chat,
            access: None,
            facts,
        };
        let moment = self.moment();
        self.table.plan(wish, moment).unwrap()
    }

    /// The first target of a request.
    pub fn first(&mut self, model: &str) -> Candidate {
        let mut plan = self.plan(model);
        self.next(&mut plan).unwrap()
    }

    /// The next target, waited for if need be; `None`: the plan gives up.
    pub fn next(&mut self, plan: &mut Plan) -> Option<Candidate> {
        loop {
            match plan.next(self.moment()) {
                Next::Try(candidate) => return Some(candidate),
                Next::Wait(until) => {
                    assert!(until > self.now, "a wait that is over");
                    self.now = until;
                }
                Next::GiveUp => return None,
            }
        }
    }

    pub fn begin(&mut self, candidate: &Candidate) -> InUse {
        candidate.state.begin(candidate.key, self.moment())
    }

    /// One request, answered by whom `answer` says; the targets it went to, in order, and whether one answered.
    pub fn request(
        &mut self,
        model: &str,
        mut answer: impl FnMut(&Candidate) -> Result<(), ApiError>,
    ) -> (Vec<Candidate>, bool) {
        let mut plan = self.plan(model);
        let mut tried = Vec::new();
        while let Some(candidate) = self.next(&mut plan) {
            let mut in_use = self.begin(&candidate);
            tried.push(candidate.clone());
            assert!(tried.len() < 1000, "the plan does not end");
            match answer(&candidate) {
                Ok(()) => {
                    in_use.answered(Duration::from_millis(100), self.moment());
                    return (tried, true);
                }
                Err(error) => {
                    drop(in_use);
                    plan.failed(&candidate, &error, self.moment());
                }
            }
        }
        (tried, false)
    }
}

fn table(models: &[Model], keys: usize, states: Arc<States>) -> RoutingTable {
    let lists = models.iter().flat_map(|model| &model.targets);
    let shadows = models.iter().filter_map(|model| model.shadow.as_ref());
    let names = lists.map(|target| &target.provider);
    let mut names: Vec<&String> = names
        .chain(shadows.map(|shadow| &shadow.provider))
        .collect();
    names.sort();
    names.dedup();
    let providers: Vec<Provider> = names
        .into_iter()
        .map(|name| Provider {
            name: name.clone(),
            enabled: true,
            api_keys: (0..keys)
                .map(|n| Secret::new(format!("{name}-{n}")))
                .collect(),
            ..Provider::default()
        })
        .collect();
    let price = |provider: usize, model: &str| (model != "free").then_some(100 - provider as u64);
    RoutingTable::new(&providers, models, &price, states)
}

/// A model with a target at each of `p0`, `p1` …
pub(super) fn model(name: &str, strategy: Strategy, weights: &[u32]) -> Model {
    let targets = weights.iter().enumerate().map(|(n, weight)| Target {
        provider: format!("p{n}"),
        model: Some("m".to_owned()),
        weight: *weight,
        ..Target::default()
    });
    Model {
        name: name.to_owned(),
        strategy,
        targets: targets.collect(),
        ..Model::default()
    }
}

pub(super) fn error(kind: ErrorKind) -> ApiError {
    ApiError::new(kind, ErrorSource::Provider, "it failed")
}

/// The provider's number in its name.
pub(super) fn number(candidate: &Candidate) -> usize {
    candidate.state.provider().name()[1..].parse().unwrap()
}

//! Calls to providers, as the records of requests tell of them.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use foldhash::HashMap;
use llm::error::ErrorKind;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::gateway::Gateway;
use crate::recording::record::{Attempt, RequestRecord};

/// Upper bounds, seconds: from an answer of this machine's own to a reply that takes minutes.
const SECONDS: [f64; 12] = [
    0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0,
];

type Durations = Family<Name, Histogram, fn() -> Histogram>;

/// A provider, and the kind that it is.
#[derive(Clone, Debug, EncodeLabelSet, Hash, PartialEq, Eq)]
struct Name {
    upstream: Arc<str>,
    provider: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Hash, PartialEq, Eq)]
struct Answer {
    upstream: Arc<str>,
    provider: &'static str,
    status: Status,
}

#[derive(Clone, Debug, EncodeLabelSet, Hash, PartialEq, Eq)]
struct Failure {
    upstream: Arc<str>,
    error_type: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Hash, PartialEq, Eq)]
struct Upstream {
    upstream: Arc<str>,
}

/// An upstream's HTTP status; `none` where it did not come to that.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
struct Status(Option<u16>);

impl EncodeLabelValue for Status {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        match self.0 {
            Some(status) => EncodeLabelValue::encode(&status, encoder),
            None => EncodeLabelValue::encode(&"none", encoder),
        }
    }
}

/// The families, and what of them belongs to each provider.
pub(super) struct Upstreams {
    gateway: Weak<Gateway>,
    requests: Family<Answer, Counter>,
    errors: Family<Failure, Counter>,
    durations: Durations,
    retries: Family<Upstream, Counter>,
    failovers: Family<Upstream, Counter>,
    hedges: Family<Upstream, Counter>,
    shadows: Family<Upstream, Counter>,
    /// Looked up once a call.
    known: Mutex<HashMap<Arc<str>, Known>>,
}

/// One provider's own metrics.
struct Known {
    kind: &'static str,
    duration: Histogram,
    answers: Vec<(Status, Counter)>,
    errors: Vec<(ErrorKind, Counter)>,
}

impl Upstreams {
    pub fn register(registry: &mut Registry, gateway: Weak<Gateway>) -> Self {
        let upstreams = Self {
            gateway,
            requests: Family::default(),
            errors: Family::default(),
            durations: Durations::new_with_constructor(|| Histogram::new(SECONDS)),
            retries: Family::default(),
            failovers: Family::default(),
            hedges: Family::default(),
            shadows: Family::default(),
            known: Mutex::default(),
        };
        registry.register(
            "upstream_requests",
            "Calls to a provider, by the HTTP status it answered",
            upstreams.requests.clone(),
        );
        registry.register(
            "upstream_errors",
            "Calls to a provider that gave no answer",
            upstreams.errors.clone(),
        );
        registry.register(
            "upstream_request_duration_seconds",
            "From a call's beginning to the head of its reply, or to its failure",
            upstreams.durations.clone(),
        );
        registry.register(
            "upstream_retries",
            "Calls of a target that had failed in the same request",
            upstreams.retries.clone(),
        );
        registry.register(
            "upstream_failovers",
            "Calls of a target after another one had failed in the same request",
            upstreams.failovers.clone(),
        );
        registry.register(
            "upstream_hedges",
            "Calls of a second target because the first was slow",
            upstreams.hedges.clone(),
        );
        registry.register(
            "upstream_shadows",
            "Calls with a copy of a client's request, whose reply nobody gets",
            upstreams.shadows.clone(),
        );
        upstreams
    }

    /// Counts the calls of one request.
    pub fn count(&self, record: &RequestRecord) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for (at, attempt) in record.attempts.iter().enumerate() {
            if !known.contains_key(&attempt.provider) {
                let new = self.learn(&attempt.provider);
                known.insert(attempt.provider.clone(), new);
            }
            if let Some(known) = known.get_mut(&attempt.provider) {
                self.count_call(known, attempt);
            }
            let before = &record.attempts[..at];
            if let Some(way) = self.way(record.shadow_of.is_some(), before, attempt) {
                let upstream = attempt.provider.clone();
                way.get_or_create(&Upstream { upstream }).inc();
            }
        }
    }

    fn learn(&self, provider: &Arc<str>) -> Known {
        let policies = self.gateway.upgrade().map(|gateway| gateway.policies());
        let kind = policies.and_then(|policies| {
            let mut upstreams = policies.upstreams.iter();
            Some(upstreams.find(|one| one.name == *provider)?.kind.id)
        });
        let kind = kind.unwrap_or("unknown");
        let name = Name {
            upstream: provider.clone(),
            provider: kind,
        };
        Known {
            kind,
            duration: self.durations.get_or_create_owned(&name),
            answers: Vec::new(),
            errors: Vec::new(),
        }
    }

    fn count_call(&self, known: &mut Known, attempt: &Attempt) {
        known.duration.observe(attempt.duration_us as f64 / 1e6);
        let upstream = &attempt.provider;
        let status = Status(attempt.status);
        count(&mut known.answers, status, || {
            self.requests.get_or_create_owned(&Answer {
                upstream: upstream.clone(),
                provider: known.kind,
                status,
            })
        });
        if let Some(kind) = attempt.error_kind {
            count(&mut known.errors, kind, || {
                self.errors.get_or_create_owned(&Failure {
                    upstream: upstream.clone(),
                    error_type: kind.as_str(),
                })
            });
        }
    }

    /// What brought the request there, if it was not the plan from the start.
    fn way(
        &self,
        shadow: bool,
        before: &[Attempt],
        attempt: &Attempt,
    ) -> Option<&Family<Upstream, Counter>> {
        let same =
            |other: &Attempt| other.provider == attempt.provider && other.model == attempt.model;
        if shadow {
            Some(&self.shadows)
        } else if attempt.hedged {
            Some(&self.hedges)
        } else if before.is_empty() {
            None
        } else if before.iter().any(same) {
            Some(&self.retries)
        } else {
            Some(&self.failovers)
        }
    }
}

/// Counts one more of these. There are few kinds: they are looked for in a row.
fn count<K: Copy + PartialEq>(
    known: &mut Vec<(K, Counter)>,
    key: K,
    new: impl FnOnce() -> Counter,
) {
    let at = match known.iter().position(|(one, _)| *one == key) {
        Some(at) => at,
        None => {
            known.push((key, new()));
            known.len() - 1
        }
    };
    known[at].1.inc();
}

impl fmt::Debug for Upstreams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstreams").finish_non_exhaustive()
    }
}

//! What became usable, and what ceased to be: a line in the log and a count for each.

use std::sync::Arc;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use crate::routing::{Subject, Transition};

/// Told of every transition of routing.
#[derive(Clone, Debug, Default)]
pub struct Transitions {
    counts: Family<Kind, Counter>,
}

/// What is counted together. Of models only the providers' own configuration knows the names, so they are no label.
#[derive(Clone, Debug, EncodeLabelSet, Hash, PartialEq, Eq)]
struct Kind {
    upstream: Arc<str>,
    what: &'static str,
    to: &'static str,
}

impl Transitions {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "routing_transitions",
            "Targets, API keys and providers that became usable or ceased to be",
            self.counts.clone(),
        );
    }

    pub fn note(&self, transition: &Transition) {
        log(transition);
        let kind = Kind {
            upstream: transition.provider.clone(),
            what: match transition.what {
                Subject::Breaker => "breaker",
                Subject::Key => "key",
                Subject::Provider => "provider",
            },
            to: transition.to,
        };
        self.counts.get_or_create(&kind).inc();
    }
}

fn log(transition: &Transition) {
    let Transition {
        what,
        provider,
        model,
        key,
        from,
        to,
        reason,
    } = transition;
    let model = model.as_deref();
    // People count from one.
    let key = key.map(|key| key + 1);
    let message = match (what, *to) {
        (Subject::Breaker, "open") => "A target fails: requests go elsewhere",
        (Subject::Breaker, "half_open") => "A target that failed is tried again",
        (Subject::Breaker, _) => "A target answers again",
        (Subject::Key, "out") => "An API key of a provider does not work: it is left out",
        (Subject::Key, _) => "An API key of a provider works again",
        (Subject::Provider, "down") => "A provider is down: requests go elsewhere",
        (Subject::Provider, _) => "A provider is up again",
    };
    let is_bad = matches!(*to, "open" | "out" | "down");
    if is_bad {
        tracing::warn!(provider = %provider, model, key, from, to, reason, "{message}");
    } else {
        tracing::info!(provider = %provider, model, key, from, to, reason, "{message}");
    }
}

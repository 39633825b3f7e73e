//! How targets and providers fare. A target that only a client names is none of these.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use shared::routing::TargetStatus;

use crate::availability::Availability;
use crate::gateway::Gateway;

#[derive(Clone, Debug, EncodeLabelSet, Hash, PartialEq, Eq)]
struct Target {
    model: String,
    upstream: String,
    upstream_model: String,
}

#[derive(Clone, Debug, EncodeLabelSet, Hash, PartialEq, Eq)]
struct State {
    #[prometheus(flatten)]
    target: Target,
    state: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Hash, PartialEq, Eq)]
struct FirstToken {
    #[prometheus(flatten)]
    target: Target,
    quantile: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Hash, PartialEq, Eq)]
struct Upstream {
    upstream: Arc<str>,
}

type Seconds = Gauge<f64, AtomicU64>;

pub(super) fn encode(encoder: &mut DescriptorEncoder<'_>, gateway: &Gateway) -> fmt::Result {
    let policies = gateway.policies();
    let availability = Availability::of(&policies);
    let states = Family::<State, Gauge>::default();
    let in_flight = Family::<Target, Gauge>::default();
    let first_token = Family::<FirstToken, Seconds>::default();
    for status in availability.targets() {
        let target = Target::of(&status);
        let state = State {
            target: target.clone(),
            state: status.state.as_str(),
        };
        states.get_or_create(&state).set(1);
        for (quantile, millis) in [
            ("average", status.first_token_ms),
            ("0.95", status.first_token_p95_ms),
        ] {
            if let Some(millis) = millis {
                let labels = FirstToken {
                    target: target.clone(),
                    quantile,
                };
                first_token.get_or_create(&labels).set(millis / 1e3);
            }
        }
        let under_way = i64::from(status.in_flight);
        in_flight.get_or_create(&target).set(under_way);
    }
    let up = Family::<Upstream, Gauge>::default();
    let keys = Family::<Upstream, Gauge>::default();
    for upstream in policies.upstreams.iter().filter(|one| one.enabled) {
        let health = availability.provider(&upstream.name);
        let labels = Upstream {
            upstream: upstream.name.clone(),
        };
        up.get_or_create(&labels).set(health.up.into());
        if health.keys > 0 {
            keys.get_or_create(&labels).set(health.keys_usable.into());
        }
    }
    let mut put = |name: &str, help: &str, family: &dyn EncodeMetric| {
        // Of nothing there is nothing to describe.
        if family.is_empty() {
            return Ok(());
        }
        family.encode(encoder.encode_descriptor(name, help, None, family.metric_type())?)
    };
    put(
        "routing_target_state",
        "1 for the state that a target is in",
        &states,
    )?;
    put(
        "routing_target_in_flight",
        "Calls of a target under way",
        &in_flight,
    )?;
    put(
        "routing_target_first_token_seconds",
        "Time to the first token of a target: its average and 95th percentile of late",
        &first_token,
    )?;
    put(
        "routing_provider_up",
        "Whether a provider answers, as checks and traffic find it",
        &up,
    )?;
    put(
        "routing_provider_keys_usable",
        "API keys of a provider that may be used now",
        &keys,
    )
}

impl Target {
    fn of(status: &TargetStatus) -> Self {
        let upstream_model = status.upstream_model.as_ref();
        Self {
            model: status.model.clone(),
            upstream: status.provider.name.clone(),
            upstream_model: upstream_model.unwrap_or(&status.model).clone(),
        }
    }
}

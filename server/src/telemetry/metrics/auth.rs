//! How callers fare with their keys.

use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

use crate::auth::AuthResult;
use crate::gateway::Gateway;

#[derive(Clone, Debug, EncodeLabelSet, Hash, PartialEq, Eq)]
struct Labels {
    result: &'static str,
}

pub(super) fn encode(encoder: &mut DescriptorEncoder<'_>, gateway: &Gateway) -> fmt::Result {
    let policies = gateway.policies();
    let requests = Family::<Labels, Counter>::default();
    for result in AuthResult::ALL {
        let labels = Labels {
            result: result.as_str(),
        };
        let count = policies.keys.counts().of(result);
        requests.get_or_create(&labels).inc_by(count);
    }
    let help = "Requests by what became of their key; forbidden: a right one, for a model or provider that it may not use";
    let kind = requests.metric_type();
    requests.encode(encoder.encode_descriptor("auth_requests", help, None, kind)?)
}

//! How often rules did something.

use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

use crate::gateway::Gateway;

#[derive(Clone, Debug, EncodeLabelSet, Hash, PartialEq, Eq)]
struct Rule {
    rule: String,
    action: &'static str,
}

pub(super) fn encode(encoder: &mut DescriptorEncoder<'_>, gateway: &Gateway) -> fmt::Result {
    let triggered = Family::<Rule, Counter>::default();
    for count in gateway.policies().guardrails.triggered() {
        for (action, times) in [
            ("flagged", count.flagged),
            ("changed", count.changed),
            ("blocked", count.blocked),
            ("failed", count.failed),
        ] {
            if times > 0 {
                let rule = count.rule.clone();
                triggered
                    .get_or_create(&Rule { rule, action })
                    .inc_by(times);
            }
        }
    }
    if triggered.is_empty() {
        return Ok(());
    }
    let help = "Requests and replies that a guardrail had something to do with";
    let kind = triggered.metric_type();
    triggered.encode(encoder.encode_descriptor("guardrail_triggered", help, None, kind)?)
}

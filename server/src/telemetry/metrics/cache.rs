//! What the cache was asked, and what it saved.

use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

use super::gateway::{counter, gauge};
use crate::gateway::Gateway;

#[derive(Clone, Debug, EncodeLabelSet, Hash, PartialEq, Eq)]
struct Outcome {
    result: &'static str,
}

pub(super) fn encode(encoder: &mut DescriptorEncoder<'_>, gateway: &Gateway) -> fmt::Result {
    let stats = gateway.policies().cache.kept().stats();
    let asked = Family::<Outcome, Counter>::default();
    for (result, times) in [
        ("hit", stats.hits),
        ("miss", stats.misses),
        ("bypass", stats.bypasses),
    ] {
        asked.get_or_create(&Outcome { result }).inc_by(times);
    }
    let help = "Requests for what could have been given before, by what the cache said";
    let kind = asked.metric_type();
    asked.encode(encoder.encode_descriptor("cache_requests", help, None, kind)?)?;
    counter(
        encoder,
        "cache_saved_tokens",
        "Tokens of answers that were given again",
        stats.saved_tokens,
    )?;
    counter(
        encoder,
        "cache_saved_nanodollars",
        "What answers that were given again had cost, in billionths of a US dollar",
        u64::try_from(stats.saved_nanos.0).unwrap_or_default(),
    )?;
    counter(
        encoder,
        "cache_coalesced_requests",
        "Requests that waited for the answer to an equal one",
        stats.coalesced,
    )?;
    gauge(
        encoder,
        "cache_bytes",
        "What the answers take that are kept in memory",
        stats.bytes,
    )
}

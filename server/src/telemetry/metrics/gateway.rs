//! The gateway's state, read when it is asked for.

use std::fmt;
use std::sync::Weak;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use super::{auth, budgets, cache, guardrails, process, targets};
use crate::gateway::Gateway;

/// Looks at the gateway at each scrape.
#[derive(Debug)]
pub(super) struct GatewayCollector {
    gateway: Weak<Gateway>,
}

impl GatewayCollector {
    pub fn new(gateway: Weak<Gateway>) -> Self {
        Self { gateway }
    }
}

impl Collector for GatewayCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Some(gateway) = self.gateway.upgrade() else {
            return Ok(());
        };
        let in_flight = gateway.policies().limits.in_flight() as u64;
        gauge(
            &mut encoder,
            "requests_in_flight",
            "Requests of clients being served",
            in_flight,
        )?;
        let recording = gateway.recorder().status();
        counter(
            &mut encoder,
            "records_written",
            "Records of requests in the database since the start",
            recording.written,
        )?;
        counter(
            &mut encoder,
            "records_lost",
            "Records of requests that are gone since the start",
            recording.lost,
        )?;
        gauge(
            &mut encoder,
            "records_waiting",
            "Records of requests that are not in the database yet",
            recording.queued + recording.spooled,
        )?;
        let (stored, dropped) = gateway.payloads().counts();
        counter(
            &mut encoder,
            "payloads_stored",
            "Requests and replies that were logged since the start",
            stored,
        )?;
        counter(
            &mut encoder,
            "payloads_dropped",
            "Requests and replies that were to be logged and could not be, since the start",
            dropped,
        )?;
        auth::encode(&mut encoder, &gateway)?;
        targets::encode(&mut encoder, &gateway)?;
        budgets::encode(&mut encoder, &gateway)?;
        guardrails::encode(&mut encoder, &gateway)?;
        cache::encode(&mut encoder, &gateway)?;
        process::encode(&mut encoder)
    }
}

pub(super) fn gauge(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    value: u64,
) -> fmt::Result {
    let value = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
    value.encode(encoder.encode_descriptor(name, help, None, value.metric_type())?)
}

pub(super) fn counter(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    value: u64,
) -> fmt::Result {
    let value = ConstCounter::new(value);
    value.encode(encoder.encode_descriptor(name, help, None, value.metric_type())?)
}

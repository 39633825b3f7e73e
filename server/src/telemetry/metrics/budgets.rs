//! How much of quotas and budgets is used. What clients make up (models, addresses) is in no label.

use std::fmt;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use shared::policies::Per;

use crate::gateway::Gateway;

/// The fullest; of a thousand keys each may have an account.
const MOST: usize = 1_000;

#[derive(Clone, Debug, EncodeLabelSet, Hash, PartialEq, Eq)]
struct Account {
    budget: String,
    period: &'static str,
    subject: String,
}

type Figure = Gauge<f64, AtomicU64>;

pub(super) fn encode(encoder: &mut DescriptorEncoder<'_>, gateway: &Gateway) -> fmt::Result {
    let spent = Family::<Account, Figure>::default();
    let reserved = Family::<Account, Figure>::default();
    for state in gateway.policies().budgets.states(MOST) {
        if matches!(state.per, Per::Address | Per::Model) && state.subject.is_some() {
            continue;
        }
        let account = Account {
            budget: state.budget,
            period: crate::budgets::ledger::period_name(state.allowance.period),
            subject: state.subject.unwrap_or_default(),
        };
        let dollars = state.spent_nanos.dollars();
        spent.get_or_create(&account).set(dollars);
        let dollars = state.reserved_nanos.dollars();
        reserved.get_or_create(&account).set(dollars);
    }
    for (name, help, family) in [
        (
            "budget_spent_dollars",
            "Spent in the present period of a budget",
            spent,
        ),
        (
            "budget_reserved_dollars",
            "Held for requests under way",
            reserved,
        ),
    ] {
        // Of nothing there is nothing to describe.
        if family.is_empty() {
            continue;
        }
        let descriptor = encoder.encode_descriptor(name, help, None, family.metric_type())?;
        family.encode(descriptor)?;
    }
    Ok(())
}

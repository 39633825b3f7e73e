//! Everything that an operator decides about traffic, as one immutable value. A request takes it
//! once and sees no half-made change.

mod build;
mod own_paths;
mod upstream;

pub use build::PolicyError;
pub use own_paths::OwnPaths;
pub use upstream::{HealthCheck, Upstream};

use std::sync::Arc;

use llm::pricing::{Price, PriceTable, UnitPrice, UnitPriceTable};

use crate::auth::KeyTable;
use crate::budgets::Budgets;
use crate::cache::Cache;
use crate::config::{IpNet, Model, Timeouts};
use crate::egress::Egress;
use crate::guardrails::Guardrails;
use crate::limits::Limits;
use crate::payloads::Payloads;
use crate::routing::{Candidate, RoutingTable};
use crate::system_prompt::SystemPrompts;

/// One snapshot.
#[derive(Debug)]
pub struct Policies {
    pub keys: KeyTable,
    pub limits: Limits,
    pub budgets: Budgets,
    pub system_prompts: SystemPrompts,
    pub guardrails: Guardrails,
    pub cache: Cache,
    /// HTTP APIs that are no models.
    pub egress: Egress,
    /// Whose contents are logged.
    pub payloads: Payloads,
    pub routing: RoutingTable,
    /// As configured: what lists of models and targets are made of.
    pub models: Vec<Model>,
    /// By the index that routing gives them.
    pub upstreams: Vec<Arc<Upstream>>,
    /// Some provider is called with its clients' own keys.
    pub pass_client_keys: bool,
    pub prices: PriceTable,
    /// Of what is not charged for by tokens.
    pub unit_prices: UnitPriceTable,
    /// For requests that are not, or not yet, about one provider.
    pub timeouts: Timeouts,
    /// Whose `x-forwarded-for` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Paths of the operator's own.
    pub own_paths: OwnPaths,
    /// Requests from which something would have to be left out are refused.
    pub strict: bool,
    /// The largest request body, bytes.
    pub max_body_size: usize,
}

impl Policies {
    /// Who stands behind a candidate.
    pub fn upstream(&self, candidate: &Candidate) -> &Arc<Upstream> {
        &self.upstreams[candidate.provider]
    }

    /// What the candidate's model costs.
    pub fn price(&self, candidate: &Candidate) -> Option<Price> {
        let upstream = self.upstream(candidate);
        let known = upstream
            .prices
            .iter()
            .find(|(model, _)| *model == candidate.model);
        match known {
            Some((_, price)) => *price,
            None => listed_price(
                &self.prices,
                &upstream.name,
                upstream.kind,
                &candidate.model,
            ),
        }
    }

    /// What the candidate's model costs where it is not charged by tokens.
    pub fn unit_price(&self, candidate: &Candidate) -> Option<UnitPrice> {
        let upstream = self.upstream(candidate);
        let own = self.unit_prices.find(&upstream.name, &candidate.model);
        own.or_else(|| UnitPrice::find(upstream.kind.id, &candidate.model))
    }
}

/// The operator's price for this very provider, else the one known for its kind.
fn listed_price(
    prices: &PriceTable,
    provider: &str,
    kind: &llm::providers::Provider,
    model: &str,
) -> Option<Price> {
    prices
        .find(provider, model)
        .or_else(|| prices.find(kind.id, model))
}

//! Targets that clients name, not the configuration: `provider/model`, `x-llm-provider`, a default provider.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::build::{LONGEST_NAME, unnamed_route};
use super::route::ModelRoute;
use super::states::States;
use super::table::ProviderEntry;

/// More of one provider are made anew.
const MOST: usize = 1024;

/// Each a route of its own, made when it is first asked for.
#[derive(Debug, Default)]
pub(super) struct AdHoc {
    by_provider: Vec<RwLock<HashMap<Arc<str>, Arc<ModelRoute>>>>,
}

impl AdHoc {
    pub fn new(providers: usize) -> Self {
        Self {
            by_provider: (0..providers).map(|_| RwLock::default()).collect(),
        }
    }

    /// The route to a model of a provider, by the upstream's name.
    pub fn route(
        &self,
        index: usize,
        provider: &ProviderEntry,
        model: &str,
        states: &States,
    ) -> Arc<ModelRoute> {
        let routes = self.by_provider.get(index);
        let Some(routes) = routes.filter(|_| model.len() <= LONGEST_NAME) else {
            return Arc::new(unnamed_route(index, provider, model, states));
        };
        let known = routes.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(route) = known.get(model) {
            return Arc::clone(route);
        }
        drop(known);
        let route = Arc::new(unnamed_route(index, provider, model, states));
        let mut known = routes.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        let name = route.name().clone();
        Arc::clone(known.entry(name).or_insert(route))
    }
}

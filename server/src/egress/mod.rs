//! HTTP APIs that are no models, reached through the gateway: the routes in force, and the answers that are kept.

mod check;
mod freshness;
mod kept;

pub use self::check::check;
pub use self::freshness::{Freshness, Wants};
pub use self::kept::{Entry, Keeping, Kept};

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use http::HeaderMap;
use http::header::HOST;
use shared::policies::EgressRoute;

use crate::transport::{Endpoint, HttpEndpoint, Origin};

/// The routes in force. What is kept of their answers outlives a change.
#[derive(Debug, Default)]
pub struct Egress {
    routes: HashMap<String, Arc<Target>>,
    kept: Arc<Kept>,
}

/// Where a route leads.
#[derive(Debug)]
pub struct Target {
    pub name: Arc<str>,
    /// As it was configured: what is kept is kept of it.
    pub url: String,
    pub endpoint: Endpoint,
    pub cache: bool,
    pub rate_limit: bool,
}

impl Egress {
    /// One that makes no sense is none: whoever puts it in force has been told.
    pub fn new(routes: &BTreeMap<String, EgressRoute>) -> Self {
        Self::over(Arc::default(), routes)
    }

    /// Other routes, over the same answers.
    #[must_use]
    pub fn rebuilt(&self, routes: &BTreeMap<String, EgressRoute>) -> Self {
        Self::over(Arc::clone(&self.kept), routes)
    }

    fn over(kept: Arc<Kept>, routes: &BTreeMap<String, EgressRoute>) -> Self {
        let enabled = routes.iter().filter(|(_, route)| route.enabled);
        let targets = enabled.filter_map(|(name, route)| {
            let target = target(name, route).ok()?;
            Some((name.clone(), Arc::new(target)))
        });
        Self {
            routes: targets.collect(),
            kept,
        }
    }

    pub fn target(&self, name: &str) -> Option<&Arc<Target>> {
        self.routes.get(name)
    }

    pub fn kept(&self) -> &Arc<Kept> {
        &self.kept
    }
}

fn target(name: &str, route: &EgressRoute) -> Result<Target, String> {
    let uri: http::Uri = route
        .endpoint
        .parse()
        .map_err(|error| format!("`{}`: {error}", route.endpoint))?;
    if uri.query().is_some() {
        return Err("it has no query of its own: clients' requests have theirs".to_owned());
    }
    if uri.authority().is_some_and(|it| it.as_str().contains('@')) {
        return Err("it holds no credentials".to_owned());
    }
    let origin = Origin::of(&uri)?;
    let mut headers = HeaderMap::new();
    headers.insert(HOST, origin.host_header().clone());
    Ok(Target {
        name: name.into(),
        url: route.endpoint.clone(),
        endpoint: Endpoint::Http(HttpEndpoint {
            origin,
            base_path: uri.path().trim_end_matches('/').to_owned(),
            headers,
        }),
        cache: route.cache,
        rate_limit: route.rate_limit,
    })
}

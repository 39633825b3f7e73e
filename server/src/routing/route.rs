//! One model that clients ask for, and where its requests go.

use std::sync::Arc;

use super::rotation::Rotation;

/// A model's targets and the order in which they are tried.
#[derive(Debug)]
pub struct ModelRoute {
    pub name: Arc<str>,
    targets: Vec<RouteTarget>,
    order: Order,
    rotation: Rotation,
    max_attempts: usize,
    strict: bool,
}

/// How the first target is chosen; the others follow as failover targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Each in its turn, by weight.
    RoundRobin,
    /// As configured.
    Priority,
}

/// One place a model's requests may go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteTarget {
    /// Index in the routing table's providers.
    pub provider: usize,
    /// The upstream's name for the model; `None`: the client's.
    pub model: Option<Arc<str>>,
    pub weight: u32,
}

impl ModelRoute {
    /// `targets` are those that may be called at all.
    pub fn new(
        name: &str,
        order: Order,
        targets: Vec<RouteTarget>,
        max_attempts: Option<usize>,
    ) -> Self {
        Self {
            name: name.into(),
            rotation: Rotation::new(targets.iter().map(|target| target.weight)),
            max_attempts: max_attempts.unwrap_or(targets.len()),
            targets,
            order,
            strict: false,
        }
    }

    /// Whether requests are refused from which something would have to be left out.
    #[must_use]
    pub fn strict(self, strict: bool) -> Self {
        Self { strict, ..self }
    }

    pub fn is_strict(&self) -> bool {
        self.strict
    }

    pub fn targets(&self) -> &[RouteTarget] {
        &self.targets
    }

    /// The targets in the order in which this request tries them.
    pub fn pick(&self) -> impl Iterator<Item = &RouteTarget> {
        let first = match self.order {
            Order::RoundRobin => self.rotation.next(),
            Order::Priority => 0,
        };
        let (before, from) = self.targets.split_at(first.min(self.targets.len()));
        from.iter().chain(before).take(self.max_attempts)
    }
}

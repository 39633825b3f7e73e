//! One model that clients ask for, and where its requests go.

use std::sync::Arc;

use super::candidate::Parameters;
use super::states::ModelState;
use super::strategy::{Choice, Picker};
use super::target::TargetState;
use super::target_set::TargetSet;
use super::wish::Facts;
use crate::config::{Endpoint, Hedge, Retry, Share, Sticky, StickyBy, When};
use crate::routing::moment::hashed;

/// A model: its targets, and what happens when they fail.
#[derive(Debug)]
pub struct ModelRoute {
    pub(super) name: Arc<str>,
    /// It stands for many names.
    pub(super) is_pattern: bool,
    /// Empty: all.
    pub(super) endpoints: Vec<Endpoint>,
    /// The model's own, then those of its rules.
    pub(super) lists: Vec<TargetList>,
    pub(super) rules: Vec<RouteRule>,
    /// `None`: it is not sticky.
    pub(super) sticky: Option<Sticky>,
    pub(super) max_attempts: Option<usize>,
    pub(super) max_input_tokens: Option<u64>,
    pub(super) retry: Retry,
    pub(super) hedge: Hedge,
    pub(super) fallbacks: Fallbacks,
    pub(super) shadow: Option<(RouteTarget, Share)>,
    pub(super) strict: bool,
    pub(super) state: Arc<ModelState>,
}

/// Other models, by their index among the table's.
#[derive(Clone, Debug, Default)]
pub(super) struct Fallbacks {
    pub general: Vec<usize>,
    pub context_length: Vec<usize>,
    pub content_filter: Vec<usize>,
}

#[derive(Debug)]
pub(super) struct RouteRule {
    pub when: When,
    pub then: Then,
}

/// Where a rule leads.
#[derive(Clone, Copy, Debug)]
pub(super) enum Then {
    /// To one of the route's lists.
    List(usize),
    /// To another of the table's models.
    Model(usize),
}

/// Targets, and how one is chosen among them.
#[derive(Debug)]
pub(super) struct TargetList {
    targets: Vec<RouteTarget>,
    picker: Picker,
    /// None comes before another.
    flat: bool,
}

/// One place a model's requests may go to; only such as may be called at all.
#[derive(Clone, Debug)]
pub(super) struct RouteTarget {
    /// Index in the routing table's providers.
    pub provider: usize,
    /// The upstream's name for the model; `None`: the client's.
    pub model: Option<Arc<str>>,
    pub weight: u32,
    pub priority: u32,
    /// Input and output; `None`: unknown.
    pub price: Option<u64>,
    pub parameters: Option<Arc<Parameters>>,
    pub state: Arc<TargetState>,
}

impl ModelRoute {
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The providers of all its targets, each once.
    pub(super) fn providers(&self) -> Vec<usize> {
        let mut providers = Vec::new();
        for target in self.lists.iter().flat_map(TargetList::targets) {
            if !providers.contains(&target.provider) {
                providers.push(target.provider);
            }
        }
        providers
    }

    pub(super) fn serves(&self, endpoint: Endpoint) -> bool {
        self.endpoints.is_empty() || self.endpoints.contains(&endpoint)
    }

    /// What a request has in common with others; `None`: nothing, or it does not matter.
    pub(super) fn stickiness(&self, facts: &dyn Facts) -> Option<u64> {
        let sticky = self.sticky.as_ref()?;
        match sticky.by {
            StickyBy::Key => facts.key().map(hashed),
            StickyBy::User => facts.user().map(|user| hashed(&user)),
            StickyBy::Header => facts.header(sticky.header.as_deref()?).map(hashed),
            StickyBy::Prefix => Some(facts.prefix()),
        }
    }
}

impl TargetList {
    pub fn new(targets: Vec<RouteTarget>, picker: Picker) -> Self {
        let by_weight = picker.goes_by_weight();
        let ranks = |target: &RouteTarget| rank(target, by_weight);
        let first = targets.first().map(ranks);
        Self {
            flat: targets.iter().all(|target| Some(ranks(target)) == first),
            targets,
            picker,
        }
    }

    pub fn targets(&self) -> &[RouteTarget] {
        &self.targets
    }

    /// One of these: among those that come first, by the strategy.
    pub fn pick(&self, choice: &Choice<'_>) -> Option<usize> {
        if self.flat {
            return self.picker.pick(choice);
        }
        let by_weight = self.picker.goes_by_weight();
        let rank = |place: usize| rank(&self.targets[place], by_weight);
        let best = choice.eligible.iter().map(rank).min()?;
        let first: TargetSet = choice
            .eligible
            .iter()
            .filter(|place| rank(*place) == best)
            .collect();
        self.picker.pick(&Choice {
            eligible: &first,
            ..*choice
        })
    }
}

/// What is lower comes first.
fn rank(target: &RouteTarget, by_weight: bool) -> (u32, bool) {
    (target.priority, by_weight && target.weight == 0)
}

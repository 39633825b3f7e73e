//! Which of several targets a request goes to. Each file is one way to decide it.

mod cheapest;
mod latency;
mod least_busy;
mod random;
mod rotation;
mod sticky;

use std::time::Instant;

use self::rotation::Rotation;
use super::route::RouteTarget;
use super::target_set::TargetSet;
use crate::config::Strategy;

/// A strategy, with what it keeps in mind from one request to the next.
#[derive(Debug)]
pub(super) enum Picker {
    RoundRobin(Rotation),
    Priority,
    Random,
    LeastBusy,
    LowestLatency,
    Cheapest,
    Sticky,
}

/// What there is to choose from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice<'a> {
    pub targets: &'a [RouteTarget],
    /// Those that may be chosen.
    pub eligible: &'a TargetSet,
    pub now: Instant,
    pub random: u64,
    /// What the request has in common with others.
    pub sticky: Option<u64>,
    /// The target of this list that this request tried before.
    pub before: Option<usize>,
    /// Nobody is going to be asked: it stays the same one's turn.
    pub rehearsed: bool,
}

impl Picker {
    pub fn new(strategy: Strategy, targets: &[RouteTarget]) -> Self {
        match strategy {
            Strategy::RoundRobin => Self::RoundRobin(Rotation::new(targets.len())),
            Strategy::Priority => Self::Priority,
            Strategy::Random => Self::Random,
            Strategy::LeastBusy => Self::LeastBusy,
            Strategy::LowestLatency => Self::LowestLatency,
            Strategy::Cheapest => Self::Cheapest,
            Strategy::Sticky => Self::Sticky,
        }
    }

    /// Whether a target of weight 0 comes after the others.
    pub fn goes_by_weight(&self) -> bool {
        !matches!(self, Self::Priority | Self::Cheapest)
    }

    /// The place of one of those that may be chosen; `None`: there is none.
    pub fn pick(&self, choice: &Choice<'_>) -> Option<usize> {
        match self {
            Self::RoundRobin(rotation) => rotation.pick(choice),
            Self::Priority => choice.eligible.iter().next(),
            Self::Random => random::pick(choice),
            Self::LeastBusy => least_busy::pick(choice),
            Self::LowestLatency => latency::pick(choice),
            Self::Cheapest => cheapest::pick(choice),
            Self::Sticky => sticky::pick(choice),
        }
    }
}

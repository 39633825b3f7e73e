//! The quicker of two that chance picks: <https://www.eecs.harvard.edu/~michaelm/postscripts/handbook2001.pdf>
//!
//! Two, not all: otherwise every request would rush to the one that was quickest last. One that was never measured
//! counts as quick, so it is found out.

use super::Choice;
use crate::routing::moment::{below, mixed};

/// What a target costs in microseconds of which nothing is known but that it has calls under way.
const UNKNOWN: f64 = 1_000_000.0;

pub(super) fn pick(choice: &Choice<'_>) -> Option<usize> {
    let count = choice.eligible.len() as u64;
    if count < 2 {
        return choice.eligible.iter().next();
    }
    let first = below(choice.random, count);
    let second = below(mixed(choice.random), count - 1);
    let second = if second < first { second } else { second + 1 };
    let nth = |n: u64| choice.eligible.iter().nth(n as usize);
    let (first, second) = (nth(first)?, nth(second)?);
    if cost(choice, second) < cost(choice, first) {
        Some(second)
    } else {
        Some(first)
    }
}

/// What another call is expected to wait, behind those under way.
fn cost(choice: &Choice<'_>, target: usize) -> f64 {
    let target = &choice.targets[target];
    let calls = f64::from(target.state.in_flight());
    let weight = f64::from(target.weight.max(1));
    match target.state.average_first_token(choice.now) {
        Some(average) => average.as_micros() as f64 * (calls + 1.0) / weight,
        None => UNKNOWN * calls / weight,
    }
}

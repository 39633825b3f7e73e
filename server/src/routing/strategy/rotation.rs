//! Smooth weighted round robin, as nginx does it: every target gets its share, evenly spread.

use std::sync::{Mutex, PoisonError};

use super::Choice;

/// Whose turn it is.
#[derive(Debug)]
pub(in crate::routing) struct Rotation {
    current: Mutex<Vec<i64>>,
}

impl Rotation {
    pub fn new(targets: usize) -> Self {
        Self {
            current: Mutex::new(vec![0; targets]),
        }
    }

    /// A request's first target is the one whose turn it is. If that fails the next in the list follows: nobody's
    /// turn is used up by another's failure.
    pub fn pick(&self, choice: &Choice<'_>) -> Option<usize> {
        if let Some(before) = choice.before {
            let mut eligible = choice.eligible.iter();
            return eligible
                .find(|target| *target > before)
                .or_else(|| choice.eligible.iter().next());
        }
        let mut eligible = choice.eligible.iter();
        let first = eligible.next()?;
        if eligible.next().is_none() {
            return Some(first);
        }
        let mut kept = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let mut looked_at = Vec::new();
        let current = if choice.rehearsed {
            looked_at.clone_from(&kept);
            &mut looked_at
        } else {
            &mut *kept
        };
        let mut best = first;
        let mut total = 0;
        for target in choice.eligible.iter() {
            let weight = i64::from(choice.targets[target].weight);
            total += weight;
            current[target] += weight;
            if current[target] > current[best] {
                best = target;
            }
        }
        current[best] -= total;
        Some(best)
    }
}

//! By chance, by weight.

use super::Choice;
use crate::routing::moment::below;

pub(super) fn pick(choice: &Choice<'_>) -> Option<usize> {
    let weight = |target: usize| u64::from(choice.targets[target].weight);
    let total: u64 = choice.eligible.iter().map(weight).sum();
    if total == 0 {
        let at = below(choice.random, choice.eligible.len() as u64) as usize;
        return choice.eligible.iter().nth(at);
    }
    let mut ticket = below(choice.random, total);
    choice.eligible.iter().find(|target| {
        let weight = weight(*target);
        let found = ticket < weight;
        ticket = ticket.saturating_sub(weight);
        found
    })
}

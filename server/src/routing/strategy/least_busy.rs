//! The fewest calls under way, by weight; chance decides between equals.

use super::Choice;
use crate::routing::moment::below;

pub(super) fn pick(choice: &Choice<'_>) -> Option<usize> {
    let count = choice.eligible.len();
    let start = below(choice.random, count as u64) as usize;
    let in_turn = choice.eligible.iter().skip(start);
    let in_turn = in_turn.chain(choice.eligible.iter().take(start));
    let load = |target: usize| {
        let target = &choice.targets[target];
        (
            u64::from(target.state.in_flight()),
            u64::from(target.weight.max(1)),
        )
    };
    let mut best: Option<(usize, (u64, u64))> = None;
    for target in in_turn {
        let (calls, weight) = load(target);
        let less =
            best.is_none_or(|(_, (fewest, its_weight))| calls * its_weight < fewest * weight);
        if less {
            best = Some((target, (calls, weight)));
        }
    }
    best.map(|(target, _)| target)
}

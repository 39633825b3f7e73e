//! The same target for the same client, user, session or conversation, by weighted rendezvous hashing
//! (<https://www.snia.org/sites/default/files/SDC15_presentations/dist_sys/Jason_Resch_New_Consistent_Hashings_Rev.pdf>):
//! when a target comes or goes, only its own share moves.

use super::Choice;
use crate::routing::moment::mixed;

pub(super) fn pick(choice: &Choice<'_>) -> Option<usize> {
    // What has nothing in common with others goes anywhere.
    let what = choice.sticky.unwrap_or(choice.random);
    let mut best: Option<(usize, f64)> = None;
    for place in choice.eligible.iter() {
        let target = &choice.targets[place];
        // In (0, 1], the same for the same two.
        let drawn = ((mixed(what ^ target.state.id()) >> 11) + 1) as f64 / (1_u64 << 53) as f64;
        // Less is better: exponentially distributed, with the weight as its rate.
        let score = -drawn.ln() / f64::from(target.weight.max(1));
        if best.is_none_or(|(_, lowest)| score < lowest) {
            best = Some((place, score));
        }
    }
    best.map(|(place, _)| place)
}

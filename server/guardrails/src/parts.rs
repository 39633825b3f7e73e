//! What a message says in several parts, read one after the other as one text.

use std::collections::BTreeMap;

use crate::places::Place;
use crate::reply::{Lane, Pieces};
use crate::ruleset::Active;
use crate::tally::{Blocked, Tally};

/// What else the parts of a message say, by their places among `places`, which are all of the message.
///
/// # Errors
/// A rule refuses it.
pub fn parts_passed(
    active: &Active,
    places: &[Place<'_>],
    tally: &mut Tally,
) -> Result<BTreeMap<usize, String>, Blocked> {
    let parts = || {
        let numbered = (0u32..).zip(places);
        numbered.filter(|(_, place)| place.part)
    };
    let mut changed = BTreeMap::new();
    if !active.searches() {
        return Ok(changed);
    }
    let mut lane = Lane::within(usize::MAX);
    let mut pieces = Pieces::new();
    for (part, place) in parts() {
        lane.push(active, (part, &place.text), &mut pieces, tally)?;
    }
    lane.finish(active, &mut pieces, tally)?;
    if !lane.is_changed() {
        return Ok(changed);
    }
    let mut said: BTreeMap<u32, String> = BTreeMap::new();
    for (part, piece) in pieces {
        said.entry(part).or_default().push_str(&piece);
    }
    for (part, place) in parts() {
        let text = said.remove(&part).unwrap_or_default();
        if text != place.text {
            changed.insert(part as usize, text);
        }
    }
    Ok(changed)
}

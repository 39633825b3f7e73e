//! What a message says in several parts, read one after the other as one text.

use std::collections::BTreeMap;

use crate::held_text::HeldText;
use crate::places::Place;
use crate::reply::{Lane, Pieces};
use crate::ruleset::Active;
use crate::search::across_joints;
use crate::tally::{Blocked, Tally};

/// In more parts, what begins in one and goes on in others is looked for but once.
const FEW: usize = 64;

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
    if parts().nth(FEW).is_some() {
        return many_passed(active, parts(), tally);
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

/// The same of many parts: each by itself, but for what was begun in the one before, and what is left of them once more,
/// as one. What stands across a border is replaced in the part where it begins.
fn many_passed<'p>(
    active: &Active,
    parts: impl Iterator<Item = (u32, &'p Place<'p>)>,
    tally: &mut Tally,
) -> Result<BTreeMap<usize, String>, Blocked> {
    let mut changed = BTreeMap::new();
    let mut joined = String::new();
    let mut ends = Vec::new();
    let mut text = HeldText::within(usize::MAX);
    for (part, place) in parts {
        let mut new = String::new();
        text.push(active, &place.text, &mut new, tally)?;
        text.flush(active, &mut new, tally)?;
        text = text.next();
        joined.push_str(&new);
        if new != place.text {
            changed.insert(part as usize, new);
        }
        ends.push((part as usize, joined.len()));
    }
    let joints = ends.iter().map(|(_, end)| *end).collect();
    let edits = across_joints(active, &joined, joints, tally)?;
    let mut edits = edits.into_iter().peekable();
    // Where the part begins, and up to where its text was taken already.
    let (mut start, mut at) = (0, 0);
    for (part, end) in ends {
        let before = at;
        let mut new = String::new();
        while let Some((place, with)) = edits.next_if(|(place, _)| place.start < end) {
            new.push_str(joined.get(at..place.start).unwrap_or_default());
            new.push_str(&with);
            at = place.end;
        }
        if before > start || at > before {
            new.push_str(joined.get(at..end).unwrap_or_default());
            changed.insert(part, new);
        }
        start = end;
        at = at.max(end);
    }
    Ok(changed)
}

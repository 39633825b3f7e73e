//! A client's JSON, as rules see it and leave it.

use std::collections::BTreeMap;

use bytes::Bytes;
use llm::json::Span;
use shared::policies::{Action, RuleVerdict};

use crate::emptied::taken_out;
use crate::parts::parts_passed;
use crate::places::{Changes, Of, changed, texts};
use crate::rule::{LooksFor, Rule};
use crate::ruleset::Active;
use crate::search::whole_text;
use crate::tally::{Blocked, Tally, Why};

/// What a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyKind {
    /// A conversation: it has a latest message of the user's.
    Chat,
    /// Texts to be worked on.
    Texts,
    /// Nobody knows: every string is looked at, and every name and number below the top.
    Unknown,
}

impl BodyKind {
    fn is_of(self) -> Of {
        match self {
            Self::Chat | Self::Texts => Of::Known,
            Self::Unknown => Of::Unknown,
        }
    }
}

/// A body's texts passed through rules; `None`: it stays as it is.
///
/// # Errors
/// A rule refuses one of them, or cannot read the body.
pub fn pass_body(
    active: &Active,
    body: &Bytes,
    kind: BodyKind,
    tally: &mut Tally,
) -> Result<Option<Bytes>, Blocked> {
    if body.is_empty() {
        return Ok(None);
    }
    let Ok(texts) = texts(body, kind.is_of()) else {
        // Whoever reads it upstream may be less strict.
        tally.unreadable(active, Why::NotJson, |_| true)?;
        return Ok(None);
    };
    // Of what nobody knows, numbers may be anything.
    if texts.tokens && kind != BodyKind::Unknown {
        tally.unreadable(active, Why::TokenIds, Rule::reads_texts)?;
    }
    let mut changes = Changes::new();
    let last = texts.latest.filter(|_| kind == BodyKind::Chat);
    let mut latest: Vec<(Span, String)> = Vec::new();
    let mut several = texts.several.into_iter().peekable();
    let mut message = 0..0;
    let mut parts = BTreeMap::new();
    for (at, place) in texts.places.iter().enumerate() {
        if let Some(next) = several.next_if(|next| next.start == at) {
            parts = parts_passed(active, &texts.places[next.clone()], tally)?;
            message = next;
        }
        let new = if place.part && message.contains(&at) {
            parts.remove(&(at - message.start))
        } else if place.nested {
            pass_nested(active, &place.text, tally)?
        } else {
            whole_text(active, &place.text, tally)?
        };
        if place.user.is_some() && place.user == last {
            let text = new.clone().unwrap_or_else(|| place.text.to_string());
            latest.push((place.span.clone(), text));
        }
        if let Some(new) = new {
            changes.insert(place.span.start, (place.span.clone(), new));
        }
    }
    if last.is_some() {
        changes.extend(limit(active, latest, tally)?);
    }
    if changes.is_empty() {
        return Ok(None);
    }
    let parts = texts.places.iter().filter(|place| place.part);
    let left_empty = |start: &usize| changes.get(start).is_some_and(|(_, text)| text.is_empty());
    let emptied = parts.map(|place| place.span.start).filter(left_empty);
    let emptied = emptied.collect();
    let gone = taken_out(body, &emptied, &mut changes);
    Ok(Some(changed(body, changes, gone)))
}

/// All texts of a body, one after the other.
pub fn all_text(body: &Bytes, kind: BodyKind) -> String {
    let places = texts(body, kind.is_of()).unwrap_or_default().places;
    let texts: Vec<&str> = places.iter().map(|place| &*place.text).collect();
    texts.join("\n\n")
}

/// JSON in a string: its strings, names and numbers are the texts. What only looks like JSON is a text.
pub fn pass_nested(
    active: &Active,
    text: &str,
    tally: &mut Tally,
) -> Result<Option<String>, Blocked> {
    let Ok(texts) = texts(text.as_bytes(), Of::Tool) else {
        return whole_text(active, text, tally);
    };
    let mut changes = Changes::new();
    for place in &texts.places {
        if let Some(new) = whole_text(active, &place.text, tally)? {
            changes.insert(place.span.start, (place.span.clone(), new));
        }
    }
    if changes.is_empty() {
        return Ok(None);
    }
    let new = changed(
        &Bytes::copy_from_slice(text.as_bytes()),
        changes,
        Vec::new(),
    );
    Ok(String::from_utf8(new.to_vec()).ok())
}

/// The rules about length, applied to the user's latest message: what of its texts is cut.
fn limit(
    active: &Active,
    mut texts: Vec<(Span, String)>,
    tally: &mut Tally,
) -> Result<Changes, Blocked> {
    let mut cut = Changes::new();
    for (index, rule) in active.unsearched() {
        let LooksFor::Length { min, max } = rule.looks_for else {
            continue;
        };
        let is_within = |least: u64, most: u64| {
            min.is_none_or(|min| least >= min) && max.is_none_or(|max| most <= max)
        };
        // A character has one to four bytes: most texts need not be counted.
        let bytes = texts.iter().map(|(_, text)| text.len() as u64).sum();
        if is_within(bytes / 4, bytes) {
            continue;
        }
        let length: usize = texts.iter().map(|(_, text)| text.chars().count()).sum();
        let length = length as u64;
        if is_within(length, length) {
            continue;
        }
        tally.found(index, &format!("{length} characters"), None);
        let (Some(max), Action::Truncate, false) = (max, &rule.action, rule.shadow) else {
            tally.blocked(active, index)?;
            continue;
        };
        tally.note(index, RuleVerdict::Changed);
        let mut left = usize::try_from(max).unwrap_or(usize::MAX);
        for (span, text) in &mut texts {
            let end = text.char_indices().nth(left).map(|(end, _)| end);
            left -= left.min(text.chars().count());
            if let Some(end) = end {
                text.truncate(end);
                cut.insert(span.start, (span.clone(), text.clone()));
            }
        }
    }
    Ok(cut)
}

//! Sources of an answer.

use llm::Text;
use llm::chat::Citation;

use crate::ruleset::Active;
use crate::search::whole_text;
use crate::tally::{Blocked, Tally};

/// What a source says is text like any other; whether it was changed.
pub fn citation_passed(
    active: &Active,
    citation: &Citation,
    tally: &mut Tally,
) -> Result<(Citation, bool), Blocked> {
    let mut passed = citation.clone();
    let mut changed = false;
    for text in [&mut passed.url, &mut passed.title, &mut passed.quoted]
        .into_iter()
        .flatten()
    {
        if let Some(new) = whole_text(active, text, tally)? {
            *text = Text::from(new);
            changed = true;
        }
    }
    Ok((passed, changed))
}

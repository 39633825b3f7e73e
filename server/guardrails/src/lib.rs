//! What may be asked, and what may be answered: rules in an order, each of which looks for something and does something
//! about it. `docs/guardrails.md` says what they do from the outside.
//!
//! [`Ruleset`] is all rules compiled, [`Active`] those about one side of one request. Requests pass them as bodies
//! ([`pass_body`]), replies as events ([`ReplyGuard`]). Nothing here knows callers, sockets or the database; whom rules
//! ask, they ask through [`Ask`].

mod body;
mod check;
mod emptied;
mod ending;
mod filter;
mod fold;
mod grams;
mod held_text;
mod iban;
mod injection;
mod outcome;
mod outside;
mod parts;
mod pattern;
mod phrases;
mod pii;
mod pii_cursor;
mod places;
mod refusal;
mod reply;
mod report;
mod rule;
mod ruleset;
mod schema;
mod search;
mod secrets;
mod tally;
mod vectors;

#[cfg(test)]
mod tests;

pub use body::{BodyKind, all_text, pass_body};
pub use check::check;
pub use outcome::{RuleOutcome, RuleOutcomes};
pub use outside::{About, Ask, Outside};
pub use pii::{Found, Kinds};
pub use pii_cursor::PiiCursor;
pub use refusal::Refusal;
pub use reply::{Passed, ReplyGuard, refused_choice};
pub use report::{Counts, Report};
pub use rule::{LooksFor, Rule};
pub use ruleset::{Active, Ruleset};
pub use tally::{Blocked, Tally, Why};

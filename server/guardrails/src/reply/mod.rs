//! Replies: whole ones, and streams of events.

mod across;
mod choice;
mod citation;
mod guard;
mod joined;
mod lane;
mod stream;
mod telling;
mod unseen;
mod whole;

#[cfg(test)]
mod tests;

pub use guard::{Passed, ReplyGuard};
pub use joined::Pieces;
pub use lane::Lane;
pub use whole::refused_choice;

//! Replies: whole ones, and streams of events.

mod choice;
mod citation;
mod guard;
mod stream;
mod whole;

pub use guard::{Passed, ReplyGuard};
pub use whole::refused_choice;

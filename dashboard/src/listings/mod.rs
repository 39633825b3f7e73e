//! What pages list, in words: made on the server only, so that the browser gets texts.

mod cache;
mod guardrails;
mod keys;
mod limits;
mod prompts;

pub use cache::cache;
pub use guardrails::guardrails;
pub use keys::{keys, projects};
pub use limits::{budgets, limits};
pub use prompts::prompts;

//! What clients speak: one folder a protocol.

pub mod anthropic;
mod betas;
pub mod gemini;
mod identity;
pub mod openai_chat;
pub mod openai_completions;
pub mod openai_responses;
mod system;
mod vocabulary;

pub use identity::{Beside, Repeatable, set_aside, write_body_identity};
pub use system::OwnPrompt;

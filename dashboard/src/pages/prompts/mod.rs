//! System prompts: what the operator tells every model.

mod fields;
mod list;
mod page;
mod variables;

pub use list::{PromptRow, PromptRows};
pub use page::PromptPage;

//! The clients' side of HTTP: one file an endpoint family.

mod body;
mod call;
mod chat;
mod health;
mod models;
mod refusal;
mod reply;

pub use chat::chat_completions;
pub use health::{health, note_start, ready};
pub use models::{list_models, retrieve_model};
pub use refusal::{method_not_allowed, panicked, unknown_url};

/// What handlers share.
pub type Gateway = axum::extract::State<std::sync::Arc<crate::gateway::Gateway>>;

//! The clients' side of HTTP: one file an endpoint family.

mod arrival;
mod body;
mod call;
mod chat;
mod endpoint;
mod health;
mod losses;
mod model_path;
mod models;
mod panics;
mod query;
mod refusal;
mod reply;
mod spoken;

pub use endpoint::ChatEndpoint;
pub use health::{health, note_start, ready};
pub use model_path::{ModelEndpoints, posted_to_model};
pub use models::{list_models, retrieve_model};
pub use panics::CatchPanics;
pub use refusal::{method_not_allowed, unknown_url};

/// What handlers share.
pub type Gateway = axum::extract::State<std::sync::Arc<crate::gateway::Gateway>>;

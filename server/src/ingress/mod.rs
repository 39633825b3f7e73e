//! The clients' side of HTTP: one file an endpoint family.

mod arrival;
mod body;
mod call;
mod carried;
mod chat;
mod count_tokens;
mod dry_run;
mod egress;
mod embeddings;
mod endpoint;
mod forwarded;
mod health;
mod losses;
mod model_path;
mod models;
mod panics;
mod passed;
mod query;
mod rates;
mod refusal;
mod reply;
mod rerank;
mod route;
mod served_tail;
mod spoken;
mod tried;
mod upload;

pub use carried::carried;
pub use count_tokens::count_tokens;
pub use dry_run::dry_run;
pub use egress::egress;
pub use embeddings::embeddings;
pub use endpoint::{Answer, ChatEndpoint};
pub use forwarded::forwarded;
pub use health::{health, note_start, ready};
pub use model_path::{ModelEndpoints, posted_to_model};
pub use models::{list_models, retrieve_model};
pub use panics::{CatchPanics, Caught};
pub use rates::{TellRates, Telling, rate_lines};
pub use refusal::{method_not_allowed, unknown_url};
pub use rerank::rerank;
pub use route::Route;
pub use served_tail::ServedTails;

/// What handlers share.
pub type Gateway = axum::extract::State<std::sync::Arc<crate::gateway::Gateway>>;

//! The admin API over REST: the parts of `AdminApi`, and no logic of its own.

pub(super) mod audit;
pub(super) mod cache;
pub(super) mod dry_run;
pub(super) mod export;
pub(super) mod gateway;
pub(super) mod guardrails;
pub(super) mod keys;
pub(super) mod logging;
pub(super) mod me;
pub(super) mod models;
pub(super) mod page;
pub(super) mod payloads;
pub(super) mod policies;
pub(super) mod requests;
pub(super) mod secrets;
pub(super) mod sessions;
pub(super) mod states;
pub(super) mod tokens;
pub(super) mod usage;
pub(super) mod users;

mod parameters;
mod precondition;

pub(super) use self::precondition::Conditional;

use axum::Json;

use super::problem::Problem;

/// What was asked for, or why it is not there.
type Answer<T> = Result<Json<T>, Problem>;

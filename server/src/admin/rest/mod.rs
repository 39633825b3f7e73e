//! The admin API over REST: `AdminApi` and `PolicyApi`, and no logic of its own.

pub(super) mod cache;
pub(super) mod gateway;
pub(super) mod guardrails;
pub(super) mod keys;
pub(super) mod policies;
pub(super) mod states;

mod page;
mod precondition;

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use shared::AdminError;

pub(super) use self::precondition::Conditional;

use super::problem::refusal;

/// What was asked for, as JSON, or why it is not there.
fn answer<T: Serialize>(result: Result<T, AdminError>) -> Response {
    match result {
        Ok(value) => Json(value).into_response(),
        Err(error) => refusal(&error),
    }
}

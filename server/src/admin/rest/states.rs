//! How much of limits and budgets is used.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use shared::policies::PolicyApi;

use super::answer;
use super::page::{Limit, query};
use crate::admin::AdminState;

/// `GET /api/v1/limits/states?limit=N`
pub(in crate::admin) async fn limits(
    State(state): State<AdminState>,
    limit: Result<Query<Limit>, QueryRejection>,
) -> Response {
    match query(limit) {
        Ok(limit) => answer(state.api.limit_states(limit.get()).await),
        Err(response) => response,
    }
}

/// `GET /api/v1/budgets/states?limit=N`
pub(in crate::admin) async fn budgets(
    State(state): State<AdminState>,
    limit: Result<Query<Limit>, QueryRejection>,
) -> Response {
    match query(limit) {
        Ok(limit) => answer(state.api.budget_states(limit.get()).await),
        Err(response) => response,
    }
}

//! How much of limits and budgets is used.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use shared::policies::{BudgetState, LimitState, PolicyApi};

use super::Answer;
use super::page::Limit;
use crate::admin::AdminState;

/// `GET /api/v1/limits/states?limit=N`
pub(in crate::admin) async fn limits(
    State(state): State<AdminState>,
    limit: Result<Query<Limit>, QueryRejection>,
) -> Answer<Vec<LimitState>> {
    let Query(limit) = limit?;
    Ok(Json(state.api.limit_states(limit.get()).await?))
}

/// `GET /api/v1/budgets/states?limit=N`
pub(in crate::admin) async fn budgets(
    State(state): State<AdminState>,
    limit: Result<Query<Limit>, QueryRejection>,
) -> Answer<Vec<BudgetState>> {
    let Query(limit) = limit?;
    Ok(Json(state.api.budget_states(limit.get()).await?))
}

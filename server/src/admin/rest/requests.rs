//! The request log.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use shared::analytics::{AnalyticsApi, RequestDetail, RequestFilter, RequestLog, RequestQuery};

use super::Answer;
use super::page::MOST;
use super::parameters::Parameters;
use crate::admin::AdminState;
use crate::admin::problem::Problem;

/// `GET /api/v1/requests?from=…&to=…&model=…&provider=…&key=…&project=…&status=…&outcome=…&error_kind=…&dialect=…`
/// `&cached=…&shadow=…&search=…&cursor=…&limit=N`
pub(in crate::admin) async fn list(
    State(state): State<AdminState>,
    mut parameters: Parameters,
) -> Answer<RequestLog> {
    let query = RequestQuery {
        filter: filter(&mut parameters),
        cursor: parameters.text("cursor"),
        limit: parameters.number("limit", 1..=MOST as u32),
    };
    parameters.end()?;
    let log = state.api.requests(query).await;
    Ok(Json(log.map_err(|error| {
        Problem::from(error).into_bad_request()
    })?))
}

/// `GET /api/v1/requests/{id}`
pub(in crate::admin) async fn one(
    State(state): State<AdminState>,
    id: Result<Path<String>, PathRejection>,
) -> Answer<RequestDetail> {
    let Path(id) = id?;
    Ok(Json(state.api.request(&id).await?))
}

pub(super) fn filter(parameters: &mut Parameters) -> RequestFilter {
    let (from, to) = times(parameters);
    RequestFilter {
        from,
        to,
        model: parameters.text("model"),
        provider: parameters.text("provider"),
        key: parameters.text("key"),
        project: parameters.text("project"),
        status: parameters.parsed("status"),
        outcome: parameters.parsed("outcome"),
        error_kind: parameters.text("error_kind"),
        dialect: parameters.text("dialect"),
        cached: parameters.flag("cached"),
        shadow: parameters.flag("shadow"),
        search: parameters.text("search"),
    }
}

type Moment = Option<chrono::DateTime<chrono::Utc>>;

/// `from` and `to`.
pub(super) fn times(parameters: &mut Parameters) -> (Moment, Moment) {
    let (from, to) = (parameters.time("from"), parameters.time("to"));
    if let (Some(from), Some(to)) = (from, to)
        && from >= to
    {
        parameters.wrong("to", "later than `from`");
    }
    (from, to)
}

//! Models: policies like others, with the paths that they had before they were.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::GatewayApi;
use shared::policies::{PolicyApi, PolicyEntry, PolicyKind};
use shared::routing::{ModelChange, ModelRouting, ModelTarget, Source};

use super::page::Page;
use super::policies::{Named, edited};
use super::precondition::Conditional;
use crate::admin::AdminState;
use crate::admin::json_body::JsonBody;
use crate::admin::problem::Problem;

/// A model, and how it is routed.
#[derive(Serialize, JsonSchema)]
pub(in crate::admin) struct Listed {
    #[serde(flatten)]
    entry: PolicyEntry,
    /// `None`: it was deleted.
    #[serde(flatten)]
    routing: Option<Routing>,
}

#[derive(Serialize, JsonSchema)]
struct Routing {
    strategy: String,
    strategy_source: Source,
    strategy_in_file: String,
    targets: Vec<ModelTarget>,
}

/// What a `DELETE` takes away.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum What {
    #[default]
    Edits,
    Model,
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(in crate::admin) struct Deleted {
    /// `edits` unless it is said; `model`: all of it.
    #[serde(default)]
    what: What,
}

/// `GET /api/v1/models?after=NAME&limit=N`
pub(in crate::admin) async fn list(
    State(state): State<AdminState>,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(page) = page?;
    let routed = state.api.models().await?;
    let entries = state.api.policies(PolicyKind::Model).await?;
    page.of_with(PolicyKind::Model, entries, |entry| {
        let routing = routed.iter().find(|model| model.name == entry.name);
        Listed {
            entry,
            routing: routing.cloned().map(Routing::from),
        }
    })
}

/// `PATCH /api/v1/models/{name}` with `{"strategy": "…"}`
pub(in crate::admin) async fn change(
    State(state): State<AdminState>,
    named: Named,
    condition: Conditional,
    body: JsonBody,
) -> Result<Response, Problem> {
    let change: ModelChange = body.parse()?;
    let change = |edit| async {
        let changed = state.api.change_model(&named.name, change, edit);
        Ok(Json(changed.await?).into_response())
    };
    edited(&state, &named, &condition, change).await
}

/// `DELETE /api/v1/models/{name}?what=edits`: takes the edits back, and with them a model that the configuration does not
/// have. `?what=model`: takes the model out of force, whoever said it.
pub(in crate::admin) async fn delete(
    State(state): State<AdminState>,
    named: Named,
    condition: Conditional,
    deleted: Result<Query<Deleted>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(Deleted { what }) = deleted?;
    let delete = |edit| async {
        Ok(match what {
            What::Edits => match state.api.reset_model(&named.name, edit).await? {
                Some(model) => Json(model).into_response(),
                None => StatusCode::NO_CONTENT.into_response(),
            },
            What::Model => {
                let deleted = state.api.delete_policy(named.kind, &named.name, edit);
                deleted.await?;
                StatusCode::NO_CONTENT.into_response()
            }
        })
    };
    edited(&state, &named, &condition, delete).await
}

impl From<ModelRouting> for Routing {
    fn from(model: ModelRouting) -> Self {
        Self {
            strategy: model.strategy,
            strategy_source: model.strategy_source,
            strategy_in_file: model.strategy_in_file,
            targets: model.targets,
        }
    }
}

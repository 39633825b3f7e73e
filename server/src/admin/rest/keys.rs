//! Client keys: made and rotated. Each secret is told once.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use shared::AdminError;
use shared::policies::{ClientKey, FieldError, NewKey, PolicyApi};

use super::page::encoded;
use super::policies::{Named, edited};
use super::precondition::{Conditional, tagged};
use crate::admin::AdminState;
use crate::admin::json_body::{JsonBody, from_value};
use crate::admin::problem::Problem;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::admin) struct Rotation {
    /// How long the secrets before are still taken.
    grace_seconds: u64,
}

/// A key's value and its name, as it is asked for.
#[derive(JsonSchema)]
pub(in crate::admin) struct Wanted {
    #[expect(
        dead_code,
        reason = "`wanted` takes it out, so that mistakes in the others have their fields"
    )]
    name: String,
    #[serde(flatten)]
    #[expect(dead_code, reason = "as above")]
    key: ClientKey,
}

/// `POST /api/v1/keys` with `{"name": "…", …}`: a key's value and its name
pub(in crate::admin) async fn create(
    State(state): State<AdminState>,
    condition: Conditional,
    body: JsonBody,
) -> Result<Response, Problem> {
    let (name, key) = wanted(&body)?;
    let mut edit = condition.unconditional();
    edit.new = true;
    let key = state.api.create_key(&name, key, edit).await?;
    let location = format!("/api/v1/keys/{}", encoded(&key.entry.name));
    let location = HeaderValue::from_str(&location).expect("it is percent-encoded");
    let mut response = (StatusCode::CREATED, told(&key)).into_response();
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

/// `POST /api/v1/keys/{name}/rotate` with `{"grace_seconds": N}`
pub(in crate::admin) async fn rotate(
    State(state): State<AdminState>,
    named: Named,
    condition: Conditional,
    body: JsonBody,
) -> Result<Response, Problem> {
    let rotation: Rotation = body.parse()?;
    let rotate = |edit| {
        let rotated = state
            .api
            .rotate_key(&named.name, rotation.grace_seconds, edit);
        async { Ok::<_, AdminError>(told(&rotated.await?)) }
    };
    edited(&state, &named, &condition, rotate).await
}

fn told(key: &NewKey) -> Response {
    tagged(Json(key).into_response(), &key.entry)
}

/// The name beside the fields of the value.
fn wanted(body: &JsonBody) -> Result<(String, ClientKey), Problem> {
    let mut fields: Map<String, Value> = body.parse()?;
    let name = match fields.remove("name") {
        Some(Value::String(name)) => name,
        other => {
            let message = match other {
                Some(_) => "it must be a string",
                None => "missing field `name`",
            };
            let error = FieldError {
                field: "name".to_owned(),
                message: message.to_owned(),
            };
            return Err(Problem::about(StatusCode::UNPROCESSABLE_ENTITY, error));
        }
    };
    Ok((name, from_value(Value::Object(fields))?))
}

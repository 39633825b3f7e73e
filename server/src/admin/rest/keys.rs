//! Client keys: made and rotated. Each secret is told once.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value};
use shared::AdminError;
use shared::policies::{ClientKey, FieldError, NewKey, PolicyApi};

use super::page::encoded;
use super::policies::{Named, edited};
use super::precondition::{Conditional, tagged};
use crate::admin::AdminState;
use crate::admin::json_body::{JsonBody, Mistake, from_value};
use crate::admin::problem::refusal;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rotation {
    /// How long the secrets before are still taken.
    grace_seconds: u64,
}

/// `POST /api/v1/keys` with `{"name": "…", …}`: a key's value and its name
pub(in crate::admin) async fn create(
    State(state): State<AdminState>,
    condition: Conditional,
    body: JsonBody,
) -> Response {
    let (name, key) = match wanted(&body) {
        Ok(wanted) => wanted,
        Err(mistake) => return mistake.response(),
    };
    let mut edit = condition.unconditional();
    edit.new = true;
    match state.api.create_key(&name, key, edit).await {
        Ok(key) => {
            let location = format!("/api/v1/keys/{}", encoded(&key.entry.name));
            let location = HeaderValue::from_str(&location).expect("it is percent-encoded");
            let mut response = (StatusCode::CREATED, told(&key)).into_response();
            response.headers_mut().insert(header::LOCATION, location);
            response
        }
        Err(error) => refusal(&error),
    }
}

/// `POST /api/v1/keys/{name}/rotate` with `{"grace_seconds": N}`
pub(in crate::admin) async fn rotate(
    State(state): State<AdminState>,
    named: Named,
    condition: Conditional,
    body: JsonBody,
) -> Response {
    let rotation: Rotation = match body.parse() {
        Ok(rotation) => rotation,
        Err(mistake) => return mistake.response(),
    };
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
fn wanted(body: &JsonBody) -> Result<(String, ClientKey), Mistake> {
    let mut fields: Map<String, Value> = body.parse()?;
    let name = match fields.remove("name") {
        Some(Value::String(name)) => name,
        other => {
            let message = match other {
                Some(_) => "it must be a string",
                None => "missing field `name`",
            };
            return Err(Mistake::Field(FieldError {
                field: "name".to_owned(),
                message: message.to_owned(),
            }));
        }
    };
    Ok((name, from_value(Value::Object(fields))?))
}

//! `GET /v1/models`: <https://platform.openai.com/docs/api-reference/models/list>, with
//! `providers` added to each model.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use llm::error::{ApiError, ErrorKind, ErrorSource};
use serde_json::{Value, json};

use super::call;
use super::refusal::{document, unrecorded};
use crate::policies::Policies;

/// All models that clients can name.
pub async fn list_models(State(gateway): super::Gateway, headers: HeaderMap) -> Response {
    let policies = gateway.policies();
    if let Err(error) = policies.keys.authenticate(call::credential(&headers)) {
        return unrecorded(&error);
    }
    document(
        StatusCode::OK,
        &json!({"object": "list", "data": models(&policies)}),
    )
}

/// One of them. Names may hold slashes.
pub async fn retrieve_model(
    State(gateway): super::Gateway,
    name: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    let Ok(Path(name)) = name else {
        let message = "The model's name in the URL is not UTF-8.";
        return unrecorded(&ApiError::invalid(message).with_param("model"));
    };
    let policies = gateway.policies();
    if let Err(error) = policies.keys.authenticate(call::credential(&headers)) {
        return unrecorded(&error);
    }
    match models(&policies)
        .into_iter()
        .find(|model| model["id"] == name.as_str())
    {
        Some(model) => document(StatusCode::OK, &model),
        None => {
            let message = format!("The model `{name}` does not exist.");
            let error = ApiError::new(ErrorKind::NotFound, ErrorSource::Caller, message)
                .with_code("model_not_found")
                .with_param("model");
            unrecorded(&error)
        }
    }
}

fn models(policies: &Policies) -> Vec<Value> {
    let describe = |index: &usize| {
        let upstream = &policies.upstreams[*index];
        json!({
            "name": &*upstream.name,
            "kind": upstream.kind.id,
            "enabled": upstream.enabled,
            "simulated": upstream.kind.simulated,
        })
    };
    let models = policies.routing.models().into_iter();
    models
        .map(|(name, providers)| {
            let owner = providers
                .first()
                .map(|index| &*policies.upstreams[*index].name);
            json!({
                "id": &*name,
                "object": "model",
                // When the provider made the model is not known here.
                "created": 0,
                "owned_by": owner.unwrap_or("ai-gateway"),
                "providers": providers.iter().map(describe).collect::<Vec<_>>(),
            })
        })
        .collect()
}

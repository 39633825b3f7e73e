//! `GET /v1/models`: <https://platform.openai.com/docs/api-reference/models/list>, with
//! `providers` added to each model.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode, Uri};
use llm::error::ApiError;
use serde_json::{Value, json};

use super::refusal::{document, unrecorded};
use super::{call, spoken};
use crate::policies::Policies;

/// All models that clients can name.
pub async fn list_models(State(gateway): super::Gateway, uri: Uri, headers: HeaderMap) -> Response {
    let policies = gateway.policies();
    if let Err(error) = policies
        .keys
        .authenticate(call::credential(&headers, &uri).as_deref())
    {
        return unrecorded(spoken::at(uri.path()), &error);
    }
    document(
        StatusCode::OK,
        &json!({"object": "list", "data": models(&policies)}),
    )
}

/// One of them, or any other name that chat would take. Names may hold slashes.
pub async fn retrieve_model(
    State(gateway): super::Gateway,
    name: Result<Path<String>, PathRejection>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let Ok(Path(name)) = name else {
        let message = "The model's name in the URL is not UTF-8.";
        return unrecorded(
            spoken::at(uri.path()),
            &ApiError::invalid(message).with_param("model"),
        );
    };
    let policies = gateway.policies();
    if let Err(error) = policies
        .keys
        .authenticate(call::credential(&headers, &uri).as_deref())
    {
        return unrecorded(spoken::at(uri.path()), &error);
    }
    match policies.routing.providers_of(&name) {
        Ok(providers) => document(StatusCode::OK, &model(&policies, &name, &providers)),
        Err(error) => unrecorded(spoken::at(uri.path()), &error),
    }
}

fn models(policies: &Policies) -> Vec<Value> {
    let models = policies.routing.models().into_iter();
    models
        .map(|(name, providers)| model(policies, &name, &providers))
        .collect()
}

fn model(policies: &Policies, name: &str, providers: &[usize]) -> Value {
    let describe = |index: &usize| {
        let upstream = &policies.upstreams[*index];
        json!({
            "name": &*upstream.name,
            "kind": upstream.kind.id,
            "enabled": upstream.enabled,
            "simulated": upstream.kind.simulated,
        })
    };
    let owner = providers
        .first()
        .map(|index| &*policies.upstreams[*index].name);
    json!({
        "id": name,
        "object": "model",
        // When the provider made the model is not known here.
        "created": 0,
        "owned_by": owner.unwrap_or("ai-gateway"),
        "providers": providers.iter().map(describe).collect::<Vec<_>>(),
    })
}

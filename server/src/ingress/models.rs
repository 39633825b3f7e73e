//! What can be asked for, as each protocol's clients read it:
//! <https://platform.openai.com/docs/api-reference/models> (with `providers` added to each model),
//! <https://docs.anthropic.com/en/api/models-list>, <https://ai.google.dev/api/models>

use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, State};
use axum::response::Response;
use chrono::Utc;
use http::{HeaderMap, StatusCode, Uri};
use llm::error::ApiError;
use serde_json::{Value, json};
use shared::routing::TargetState;

use super::refusal::{document, unrecorded};
use super::{call, spoken};
use crate::auth::Caller;
use crate::availability::Availability;
use crate::limits::Permit;
use crate::policies::Policies;
use crate::serve::ClientConnection;

/// How models are written.
#[derive(Clone, Copy)]
enum Shape {
    OpenAi,
    Anthropic,
    Gemini,
}

impl Shape {
    fn of(headers: &HeaderMap, uri: &Uri) -> Self {
        // Below `/v1` Gemini's clients are known by where they put their key.
        let key = headers.contains_key(spoken::GEMINI_HEADER);
        if uri.path().starts_with("/v1beta/") || key {
            Self::Gemini
        } else if headers.contains_key(spoken::ANTHROPIC_HEADER) {
            Self::Anthropic
        } else {
            Self::OpenAi
        }
    }

    fn list(self, policies: &Policies, caller: &Caller) -> Value {
        let list = Listing::of(policies);
        let models = match caller.access() {
            Some(access) => policies.routing.models_for(access),
            None => policies.routing.models(),
        };
        let written: Vec<Value> = models
            .iter()
            .map(|(name, providers)| self.model(&list, name, providers))
            .collect();
        match self {
            Self::OpenAi => json!({"object": "list", "data": written}),
            Self::Anthropic => json!({
                "data": written,
                "first_id": models.first().map(|(name, _)| &**name),
                "last_id": models.last().map(|(name, _)| &**name),
                "has_more": false,
            }),
            Self::Gemini => json!({"models": written}),
        }
    }

    fn model(self, list: &Listing<'_>, name: &str, providers: &[usize]) -> Value {
        // When a provider made a model is not known here.
        match self {
            Self::OpenAi => {
                let owner = providers.first();
                let owner = owner.map(|index| &*list.policies.upstreams[*index].name);
                json!({
                    "id": name,
                    "object": "model",
                    "created": 0,
                    "owned_by": owner.unwrap_or("ai-gateway"),
                    "providers": providers
                        .iter()
                        .map(|index| provider(list, name, *index))
                        .collect::<Vec<_>>(),
                })
            }
            Self::Anthropic => json!({
                "type": "model",
                "id": name,
                "display_name": name,
                "created_at": "1970-01-01T00:00:00Z",
            }),
            Self::Gemini => json!({
                "name": format!("models/{name}"),
                "baseModelId": name,
                "version": "",
                "displayName": name,
                "supportedGenerationMethods": ["generateContent"],
            }),
        }
    }
}

/// A provider of a model, and whether requests for the model go there just now.
fn provider(list: &Listing<'_>, model: &str, index: usize) -> Value {
    let upstream = &list.policies.upstreams[index];
    let trouble = list.trouble(model, &upstream.name);
    let mut provider = json!({
        "name": &*upstream.name,
        "kind": upstream.kind.id,
        "enabled": upstream.enabled,
        "simulated": upstream.kind.simulated,
        "available": trouble.is_none(),
    });
    if let Some(state) = trouble {
        provider["unavailable"] = state.as_str().into();
    }
    provider
}

/// What lists are made of.
struct Listing<'a> {
    policies: &'a Policies,
    availability: Availability<'a>,
}

impl<'a> Listing<'a> {
    fn of(policies: &'a Policies) -> Self {
        Self {
            policies,
            availability: Availability::of(policies),
        }
    }

    /// Why none of the model's targets at this provider is asked; `None`: one is.
    fn trouble(&self, model: &str, provider: &str) -> Option<TargetState> {
        if let Some((state, _)) = self.availability.provider_trouble(provider) {
            return Some(state);
        }
        let mut models = self.policies.models.iter();
        let model = models
            .find(|one| one.name == model || one.aliases.iter().any(|alias| alias == model))?;
        let targets = self.availability.targets_of(model);
        let states = targets
            .filter(|target| target.provider.name == provider)
            .map(|target| target.state);
        let is_up =
            |state: &TargetState| matches!(state, TargetState::Available | TargetState::HalfOpen);
        let mut first = None;
        for state in states {
            if is_up(&state) {
                return None;
            }
            first.get_or_insert(state);
        }
        first
    }
}

/// Lets a client in who asks what there is: that is a request, as far as rates go.
fn admit(
    policies: &Policies,
    connection: Option<Extension<ClientConnection>>,
    headers: &HeaderMap,
    uri: &Uri,
) -> Result<(Caller, Permit), ApiError> {
    let credential = call::credential(headers, uri);
    let caller = policies
        .keys
        .authenticate(credential.as_deref(), Utc::now())?;
    let address = connection.map(|connection| {
        call::client_address(connection.address, headers, &policies.trusted_proxies)
    });
    let caller = Caller { address, ..caller };
    let permit = policies.limits.admit(&caller)?;
    Ok((caller, permit))
}

/// All models that the client can name.
pub async fn list_models(
    State(gateway): super::Gateway,
    connection: Option<Extension<ClientConnection>>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let policies = gateway.policies();
    match admit(&policies, connection, &headers, &uri) {
        Ok((caller, _permit)) => {
            let list = Shape::of(&headers, &uri).list(&policies, &caller);
            document(StatusCode::OK, &list)
        }
        Err(error) => unrecorded(spoken::by(&headers, &uri), &error),
    }
}

/// One of them, or any other name that chat would take. Names may hold slashes.
pub async fn retrieve_model(
    State(gateway): super::Gateway,
    connection: Option<Extension<ClientConnection>>,
    name: Result<Path<String>, PathRejection>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let dialect = spoken::by(&headers, &uri);
    let Ok(Path(name)) = name else {
        let message = "The model's name in the URL is not UTF-8.";
        return unrecorded(dialect, &ApiError::invalid(message).with_param("model"));
    };
    let policies = gateway.policies();
    let (caller, _permit) = match admit(&policies, connection, &headers, &uri) {
        Ok(admitted) => admitted,
        Err(error) => return unrecorded(dialect, &error),
    };
    match policies.routing.providers_of(&name, caller.access()) {
        Ok(providers) => {
            let model = Shape::of(&headers, &uri).model(&Listing::of(&policies), &name, &providers);
            document(StatusCode::OK, &model)
        }
        Err(error) => unrecorded(dialect, &error),
    }
}

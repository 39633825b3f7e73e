//! `POST /v1/chat/completions`:
//! <https://platform.openai.com/docs/api-reference/chat/create>

use std::sync::{Arc, LazyLock};

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::request::Parts;
use llm::chat::ChatRequest;
use llm::dialect::{ChatDialect, Incoming};
use llm::dialects::openai_chat::OpenAiChat;
use llm::error::ApiError;

use super::body::BodyLimits;
use super::{body, call, refusal, reply};
use crate::gateway::{Context, Gateway, Reply};
use crate::recording::request::Arrival;
use crate::serve::ClientConnection;

static DIALECT: &OpenAiChat = &OpenAiChat;
static NAME: LazyLock<Arc<str>> = LazyLock::new(|| DIALECT.protocol().as_str().into());
static ENDPOINT: LazyLock<Arc<str>> = LazyLock::new(|| "/v1/chat/completions".into());

/// Answers a chat completion, streamed or not.
pub async fn chat_completions(
    State(gateway): super::Gateway,
    request: http::Request<Body>,
) -> Response {
    let (head, mut body) = request.into_parts();
    let mut context = gateway.begin(Arrival {
        dialect: NAME.clone(),
        endpoint: ENDPOINT.clone(),
    });
    if let Some(connection) = head.extensions.get::<ClientConnection>() {
        let trusted = &context.policies.trusted_proxies;
        let client = call::client_address(connection.address, &head.headers, trusted);
        context.recording.client(Some(client));
        context.in_service = Some(connection.in_service.clone());
    }
    match answer(&gateway, &mut context, &head, &mut body).await {
        Ok((request, reply)) => reply::respond(context, DIALECT, &request, reply).await,
        Err(error) => {
            body::discard(body);
            refusal::refuse(context, DIALECT, &error).await
        }
    }
}

async fn answer(
    gateway: &Gateway,
    context: &mut Context,
    head: &Parts,
    body: &mut Body,
) -> Result<(ChatRequest, Reply), ApiError> {
    gateway.admit(context, call::credential(&head.headers))?;
    let provider = call::provider(&head.headers)?;
    let limits = BodyLimits {
        size: context.policies.max_body_size,
        between_chunks: context.policies.timeouts.between_chunks,
        give_up: context.give_up(),
    };
    let body = body::read(&head.headers, body, &limits).await?;
    context.recording.received(body.len());
    let incoming = Incoming::new(body, &head.headers, context.recording.stamp());
    let request = DIALECT.decode_request(incoming)?;
    let reply = gateway.chat(context, &request, provider).await?;
    Ok((request, reply))
}

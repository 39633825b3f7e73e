//! Chat, in whatever dialect: one handler for all of them.

use axum::body::Body;
use axum::response::Response;
use http::request::Parts;
use llm::chat::ChatRequest;
use llm::dialect::Incoming;
use llm::error::ApiError;

use super::endpoint::{Mounted, SaidByPath};
use super::{arrival, body, call, refusal, reply};
use crate::gateway::{Context, Gateway, Reply, Terms};

/// Answers a chat request, streamed or not.
pub(super) async fn respond(
    gateway: &Gateway,
    endpoint: &Mounted,
    said: SaidByPath,
    request: http::Request<Body>,
) -> Response {
    let (head, mut body) = request.into_parts();
    let mut context = arrival::begin(gateway, &head, &endpoint.name, &endpoint.route);
    match answer(gateway, &mut context, endpoint, &said, &head, &mut body).await {
        Ok((request, reply)) => reply::respond(context, endpoint.dialect, &request, reply).await,
        Err(error) => {
            body::discard(body);
            refusal::refuse(context, endpoint.dialect, &error).await
        }
    }
}

async fn answer(
    gateway: &Gateway,
    context: &mut Context,
    endpoint: &Mounted,
    said: &SaidByPath,
    head: &Parts,
    body: &mut Body,
) -> Result<(ChatRequest, Reply), ApiError> {
    gateway.admit(
        context,
        call::credential(&head.headers, &head.uri).as_deref(),
    )?;
    let terms = Terms {
        provider: call::provider(&head.headers)?,
        strict: call::strict(&head.headers)?,
        headers: Some(&head.headers),
    };
    let body = body::read(&head.headers, body, &body::limits(context)).await?;
    context.recording.received(&body);
    let incoming = Incoming {
        model: said.model.as_deref(),
        stream: said.stream,
        variant: said.variant,
        ..Incoming::new(body, &head.headers, context.recording.stamp())
    };
    let request = endpoint.dialect.decode_request(incoming)?;
    let reply = gateway.chat(context, &request, terms).await?;
    Ok((request, reply))
}

//! `POST /v1/messages/count_tokens`: <https://docs.anthropic.com/en/api/messages-count-tokens>

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::request::Parts;
use llm::dialect::Incoming;
use llm::dialects::anthropic::Anthropic;
use llm::dialects::anthropic::count_tokens::{decode_request, encode_response};
use llm::error::ApiError;
use llm::segments::Segments;

use super::{Route, arrival, body, passed, refusal, route};
use crate::gateway::{Context, Gateway};

/// Answers with the number of tokens that a message's body is.
pub async fn count_tokens(
    route: Route,
    State(gateway): super::Gateway,
    request: http::Request<Body>,
) -> Response {
    let (head, mut body) = request.into_parts();
    let mut context = arrival::begin(&gateway, &head, &route.dialect, &route.template);
    match answer(&gateway, &mut context, &head, &mut body).await {
        Ok(reply) => passed::json(context, reply).await,
        Err(error) => {
            body::discard(body);
            refusal::refuse(context, &Anthropic, &error).await
        }
    }
}

async fn answer(
    gateway: &Gateway,
    context: &mut Context,
    head: &Parts,
    body: &mut Body,
) -> Result<Segments, ApiError> {
    let terms = route::admit(gateway, context, head)?;
    let body = route::read(context, head, body).await?;
    let incoming = Incoming::new(body, &head.headers, context.recording.stamp());
    let request = decode_request(incoming)?;
    let tokens = gateway.count_tokens(context, &request, terms).await?;
    Ok(encode_response(tokens).into())
}

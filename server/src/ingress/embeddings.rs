//! `POST /v1/embeddings`: <https://platform.openai.com/docs/api-reference/embeddings>

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::request::Parts;
use llm::embeddings::EmbeddingsRequest;
use llm::error::ApiError;
use llm::segments::Segments;

use super::{Route, arrival, passed, route};
use crate::gateway::{Context, Gateway};

/// Answers with a vector for each text.
pub async fn embeddings(
    route: Route,
    State(gateway): super::Gateway,
    request: http::Request<Body>,
) -> Response {
    let (head, mut body) = request.into_parts();
    let mut context = arrival::begin(&gateway, &head, &route.dialect, &route.template);
    match answer(&gateway, &mut context, &head, &mut body).await {
        Ok(reply) => passed::json(context, reply).await,
        Err(error) => route::refuse(context, body, &error).await,
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
    let request = EmbeddingsRequest::decode(body, None)?;
    let response = gateway.embed(context, &request, terms).await?;
    Ok(response.encode(&request))
}

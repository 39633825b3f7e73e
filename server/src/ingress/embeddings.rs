//! `POST /v1/embeddings`, <https://platform.openai.com/docs/api-reference/embeddings>, and
//! `POST /v1beta/models/{model}:embedContent` and `:batchEmbedContents`, <https://ai.google.dev/api/embeddings>.

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use http::request::Parts;
use llm::dialects::gemini::Gemini;
use llm::embeddings::EmbeddingsRequest;
use llm::error::ApiError;
use llm::segments::Segments;

use super::{Route, arrival, body, passed, refusal, route};
use crate::gateway::{Context, Gateway};

/// Answers with a vector for each text.
pub async fn embeddings(
    route: Route,
    State(gateway): super::Gateway,
    request: http::Request<Body>,
) -> Response {
    embed(&route, &gateway, None, request).await
}

/// The same, of a model whose name the path may say.
pub(super) async fn embed(
    route: &Route,
    gateway: &Gateway,
    model: Option<&str>,
    request: http::Request<Body>,
) -> Response {
    let (head, mut body) = request.into_parts();
    let mut context = arrival::begin(gateway, &head, &route.dialect, &route.template);
    let read = |body| EmbeddingsRequest::decode(body, model);
    match answer(gateway, &mut context, &head, &mut body, read).await {
        Ok(reply) => passed::json(context, reply).await,
        Err(error) => route::refuse(context, body, &error).await,
    }
}

/// Answers with a vector for a content, or for each of a `batch`, of a model whose name the path says.
pub(super) async fn embed_contents(
    route: &Route,
    gateway: &Gateway,
    model: &str,
    batch: bool,
    request: http::Request<Body>,
) -> Response {
    let (head, mut body) = request.into_parts();
    let mut context = arrival::begin(gateway, &head, &route.dialect, &route.template);
    let read = |body| EmbeddingsRequest::decode_contents(body, Some(model), batch);
    match answer(gateway, &mut context, &head, &mut body, read).await {
        Ok(reply) => passed::json(context, reply).await,
        Err(error) => {
            body::discard(body);
            refusal::refuse(context, &Gemini, &error).await
        }
    }
}

async fn answer(
    gateway: &Gateway,
    context: &mut Context,
    head: &Parts,
    body: &mut Body,
    read: impl FnOnce(Bytes) -> Result<EmbeddingsRequest, ApiError>,
) -> Result<Segments, ApiError> {
    let terms = route::admit(gateway, context, head)?;
    let body = route::read(context, head, body).await?;
    let request = read(body)?;
    let response = gateway.embed(context, &request, terms).await?;
    Ok(response.encode(&request))
}

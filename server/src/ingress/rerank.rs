//! `POST /v1/rerank` and `/v2/rerank`: <https://docs.cohere.com/reference/rerank>,
//! <https://api.jina.ai/redoc#tag/rerank>

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use http::request::Parts;
use llm::error::ApiError;
use llm::rerank::{RerankRequest, Shape};
use llm::segments::Segments;

use super::{Route, arrival, passed, route};
use crate::gateway::{Context, Gateway};

/// Answers with the order of the documents.
pub async fn rerank(
    route: Route,
    shape: Shape,
    State(gateway): super::Gateway,
    request: http::Request<Body>,
) -> Response {
    rank(&route, shape, &gateway, None, request).await
}

/// The same, of a model whose name the path may say.
pub(super) async fn rank(
    route: &Route,
    shape: Shape,
    gateway: &Gateway,
    model: Option<&str>,
    request: http::Request<Body>,
) -> Response {
    let (head, mut body) = request.into_parts();
    let mut context = arrival::begin(gateway, &head, &route.dialect, &route.template);
    let read = |body| RerankRequest::decode(body, shape, model);
    match answer(gateway, &mut context, &head, &mut body, read).await {
        Ok(reply) => passed::json(context, reply).await,
        Err(error) => route::refuse(context, body, &error).await,
    }
}

async fn answer(
    gateway: &Gateway,
    context: &mut Context,
    head: &Parts,
    body: &mut Body,
    read: impl FnOnce(Bytes) -> Result<RerankRequest, ApiError>,
) -> Result<Segments, ApiError> {
    let terms = route::admit(gateway, context, head)?;
    let body = route::read(context, head, body).await?;
    let request = read(body)?;
    let response = gateway.rerank(context, &request, terms).await?;
    Ok(response.encode(&request))
}

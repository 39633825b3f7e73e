//! `POST /v1/messages/count_tokens`, <https://docs.anthropic.com/en/api/messages-count-tokens>, and
//! `POST /v1beta/models/{model}:countTokens`, <https://ai.google.dev/api/tokens>.

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use http::request::Parts;
use llm::chat::ChatRequest;
use llm::dialect::ChatDialect;
use llm::dialect::Incoming;
use llm::dialects::anthropic::{self, Anthropic};
use llm::dialects::gemini::{self, Gemini};
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
    respond(&route, &gateway, None, &OF_MESSAGES, request).await
}

/// The same, of a model whose name the path says.
pub(super) async fn count_messages(
    route: &Route,
    gateway: &Gateway,
    model: &str,
    request: http::Request<Body>,
) -> Response {
    respond(route, gateway, Some(model), &OF_MESSAGES, request).await
}

/// Answers the same of what a model is to be sent whose name the path says.
pub(super) async fn count_contents(
    route: &Route,
    gateway: &Gateway,
    model: &str,
    request: http::Request<Body>,
) -> Response {
    respond(route, gateway, Some(model), &OF_CONTENTS, request).await
}

/// How clients of a protocol ask, and what they are told.
struct Question {
    dialect: &'static dyn ChatDialect,
    decode: fn(Incoming<'_>) -> Result<ChatRequest, ApiError>,
    encode: fn(u64) -> Bytes,
}

const OF_MESSAGES: Question = Question {
    dialect: &Anthropic,
    decode: anthropic::count_tokens::decode_request,
    encode: anthropic::count_tokens::encode_response,
};

const OF_CONTENTS: Question = Question {
    dialect: &Gemini,
    decode: gemini::count_tokens::decode_request,
    encode: gemini::count_tokens::encode_response,
};

async fn respond(
    route: &Route,
    gateway: &Gateway,
    model: Option<&str>,
    question: &Question,
    request: http::Request<Body>,
) -> Response {
    let (head, mut body) = request.into_parts();
    let mut context = arrival::begin(gateway, &head, &route.dialect, &route.template);
    match answer(gateway, &mut context, &head, &mut body, model, question).await {
        Ok(reply) => passed::json(context, reply).await,
        Err(error) => {
            body::discard(body);
            refusal::refuse(context, question.dialect, &error).await
        }
    }
}

async fn answer(
    gateway: &Gateway,
    context: &mut Context,
    head: &Parts,
    body: &mut Body,
    model: Option<&str>,
    question: &Question,
) -> Result<Segments, ApiError> {
    let terms = route::admit(gateway, context, head)?;
    let body = route::read(context, head, body).await?;
    let mut incoming = Incoming::new(body, &head.headers, context.recording.stamp());
    incoming.model = model;
    let request = (question.decode)(incoming)?;
    let tokens = gateway.count_tokens(context, &request, terms).await?;
    Ok((question.encode)(tokens).into())
}

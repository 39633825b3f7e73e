//! An endpoint that is no chat, as records call it.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::request::Parts;
use llm::dialects::openai_chat::OpenAiChat;
use llm::error::ApiError;

use super::{body, call, refusal};
use crate::gateway::{Context, Gateway, Terms};

/// What its requests are recorded as.
#[derive(Clone, Debug)]
pub struct Route {
    pub(super) dialect: Arc<str>,
    pub(super) template: Arc<str>,
}

impl Route {
    /// `template`: `/v1/embeddings`.
    pub fn new(dialect: &str, template: &str) -> Self {
        Self {
            dialect: dialect.into(),
            template: template.into(),
        }
    }
}

/// Lets the caller in, and reads what the head says.
pub(super) fn admit<'a>(
    gateway: &Gateway,
    context: &mut Context,
    head: &'a Parts,
) -> Result<Terms<'a>, ApiError> {
    let credential = call::credential(&head.headers, &head.uri);
    gateway.admit(context, credential.as_deref())?;
    Ok(Terms {
        provider: call::provider(&head.headers)?,
        strict: call::strict(&head.headers)?,
        headers: Some(&head.headers),
    })
}

/// All of a body that is text.
pub(super) async fn read(
    context: &mut Context,
    head: &Parts,
    body: &mut Body,
) -> Result<Bytes, ApiError> {
    let body = body::read(&head.headers, body, &body::limits(context)).await?;
    context.recording.received(&body);
    Ok(body)
}

/// The error, in OpenAI's shape.
pub(super) async fn refuse(context: Context, body: Body, error: &ApiError) -> Response {
    body::discard(body);
    refusal::refuse(context, &OpenAiChat, error).await
}

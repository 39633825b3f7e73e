//! Vectors of texts.

use std::pin::pin;

use llm::ceiling;
use llm::embeddings::{EmbeddingsRequest, EmbeddingsResponse};
use llm::error::ApiError;

use super::asked::{Asked, MAX_REPLY_BODY};
use super::attempts::{Call, Outcome, Unanswered};
use super::context::Context;
use super::facts::Asking;
use super::{Gateway, Terms};
use crate::cache;
use crate::guardrails::BodyKind;
use crate::recording::trial::Trial;
use crate::routing::Endpoint;

impl Gateway {
    /// Vectors for texts.
    ///
    /// # Errors
    /// As [`chat`](Self::chat).
    pub async fn embed(
        &self,
        context: &mut Context,
        request: &EmbeddingsRequest,
        terms: Terms<'_>,
    ) -> Result<EmbeddingsResponse, ApiError> {
        let asking = Asking {
            body: &request.body,
            ..Asking::new(Endpoint::Embeddings, request.model.as_deref(), &terms)
        };
        self.ask(context, &asking, false)?;
        let changed = self
            .check_body(context, asking.model, request.written(), BodyKind::Texts)
            .await?;
        let changed = changed.map(|body| request.with_body(body)).transpose()?;
        let request = changed.as_ref().unwrap_or(request);
        let strict = terms.strict || context.policies.strict;
        let call = EmbeddingsCall { request, strict };
        let question = cache::Request::Embeddings(request);
        self.again_or_first(context, &asking, question, &call).await
    }
}

/// As they are asked of one target.
struct EmbeddingsCall<'a> {
    request: &'a EmbeddingsRequest,
    strict: bool,
}

impl Call for EmbeddingsCall<'_> {
    type Answer = EmbeddingsResponse;

    async fn ask(&self, trial: &mut Trial, asked: &Asked<'_>) -> Outcome<EmbeddingsResponse> {
        let kind = asked.upstream.kind;
        if !kind.modalities.embeddings {
            return Err(asked.lacks("embeddings"));
        }
        let codec = kind.embeddings_codec;
        let mut wire = codec
            .encode_request(self.request, &asked.target())
            .map_err(Unanswered::Unfit)?;
        let form = wire.form;
        let losses = std::mem::take(&mut wire.losses);
        asked.check_losses(&losses, self.strict)?;
        let wire = asked.cover(trial, asked.shape(wire), false, |body| {
            Some(ceiling::embeddings(body))
        })?;
        let body = asked
            .in_time(pin!(async {
                let reply = asked.send(trial, wire, asked.errors());
                Ok(reply.await?.body.collect(MAX_REPLY_BODY).await?)
            }))
            .await?;
        let response = codec.decode_response(self.request, &form, body)?;
        trial.lost(losses);
        trial.consumed(response.usage);
        Ok(response)
    }
}

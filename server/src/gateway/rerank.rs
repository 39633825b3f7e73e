//! Texts put in order.

use std::pin::pin;

use llm::ceiling;
use llm::error::ApiError;
use llm::rerank::{RerankRequest, RerankResponse};

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
    /// Texts in the order of their relevance.
    ///
    /// # Errors
    /// As [`chat`](Self::chat).
    pub async fn rerank(
        &self,
        context: &mut Context,
        request: &RerankRequest,
        terms: Terms<'_>,
    ) -> Result<RerankResponse, ApiError> {
        let asking = Asking {
            body: &request.body,
            ..Asking::new(Endpoint::Rerank, request.model.as_deref(), &terms)
        };
        self.ask(context, &asking, false)?;
        let changed = self
            .check_body(context, asking.model, &request.body, BodyKind::Texts)
            .await?;
        let changed = changed.map(|body| request.with_body(body)).transpose()?;
        let request = changed.as_ref().unwrap_or(request);
        let strict = terms.strict || context.policies.strict;
        let call = RerankCall { request, strict };
        let question = cache::Request::Rerank(request);
        self.again_or_first(context, &asking, question, &call).await
    }
}

/// As one target is asked to.
struct RerankCall<'a> {
    request: &'a RerankRequest,
    strict: bool,
}

impl Call for RerankCall<'_> {
    type Answer = RerankResponse;

    async fn ask(&self, trial: &mut Trial, asked: &Asked<'_>) -> Outcome<RerankResponse> {
        let kind = asked.upstream.kind;
        if !kind.modalities.rerank {
            return Err(asked.lacks("reranking"));
        }
        let codec = kind.rerank_codec;
        let mut wire = codec
            .encode_request(self.request, &asked.target())
            .map_err(Unanswered::Unfit)?;
        let form = wire.form;
        let losses = std::mem::take(&mut wire.losses);
        asked.check_losses(&losses, self.strict)?;
        let wire = asked.cover(trial, asked.shape(wire), false, |body| {
            Some(ceiling::rerank(self.request, body))
        })?;
        let body = asked
            .in_time(pin!(async {
                let reply = asked.send(trial, wire, asked.errors());
                Ok(reply.await?.body.collect(MAX_REPLY_BODY).await?)
            }))
            .await?;
        let response = codec.decode_response(self.request, &form, body)?;
        trial.lost(losses);
        let unit = asked.unit_price();
        trial.metered(&response.consumption(), unit.as_ref());
        Ok(response)
    }
}

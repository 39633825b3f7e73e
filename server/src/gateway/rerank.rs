//! Texts put in order, as one target is asked to.

use std::pin::pin;

use llm::ceiling;
use llm::rerank::{RerankRequest, RerankResponse};

use super::asked::{Asked, MAX_REPLY_BODY};
use super::attempts::{Call, Outcome, Unanswered};
use crate::recording::trial::Trial;

pub(super) struct RerankCall<'a> {
    pub request: &'a RerankRequest,
    pub strict: bool,
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

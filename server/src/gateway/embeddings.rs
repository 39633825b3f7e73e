//! Vectors of texts, as they are asked of one target.

use std::pin::pin;

use llm::ceiling;
use llm::embeddings::{EmbeddingsRequest, EmbeddingsResponse};

use super::asked::{Asked, MAX_REPLY_BODY};
use super::attempts::{Call, Outcome, Unanswered};
use crate::recording::trial::Trial;

pub(super) struct EmbeddingsCall<'a> {
    pub request: &'a EmbeddingsRequest,
    pub strict: bool,
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

//! Chat, as it is put to one target.

use std::sync::Arc;

use llm::chat::{ChatRequest, Collector};
use llm::codec::Target;

use super::Reply;
use super::asked::{Asked, MAX_REPLY_BODY};
use super::attempts::{Call, Outcome, Unanswered};
use super::events::EventStream;
use crate::guardrails::Guardrails;
use crate::recording::trial::Trial;

/// A chat request. Its answer counts once its first event, or all of a reply that is not streamed, is there.
pub(super) struct ChatCall<'a> {
    pub request: &'a ChatRequest,
    pub system_prompt: Option<&'a str>,
    /// Nothing of the request may be left out.
    pub strict: bool,
    pub guardrails: &'a Guardrails,
}

impl Call for ChatCall<'_> {
    type Answer = Reply;

    async fn ask(&self, trial: &mut Trial, asked: &Asked<'_>) -> Outcome<Reply> {
        let request = self.request;
        let target = Target {
            system_prompt: self.system_prompt,
            ..asked.target()
        };
        let upstream = asked.upstream;
        let codec = upstream.codec_for(request.protocol);
        let mut wire = codec
            .encode_request(request, &target)
            .map_err(Unanswered::Unfit)?;
        let form = wire.form;
        let losses = std::mem::take(&mut wire.losses);
        asked.check_losses(&losses, self.strict)?;
        let reply = asked.send(trial, wire, codec).await?;
        let Some(framer) = reply.framer() else {
            let body = reply.body.collect(MAX_REPLY_BODY).await?;
            let response = codec.decode_response(request, &form, body)?;
            self.guardrails.check_response(&response)?;
            trial.lost(losses);
            return Ok(Reply::of_response(response, request));
        };
        let decoder = codec.stream_decoder(request, &form);
        let mut events = EventStream::new(
            Arc::clone(upstream),
            reply.body,
            framer,
            decoder,
            form.carried,
            self.guardrails.clone(),
        );
        if request.stream {
            events.wait_for_first().await?;
            trial.lost(losses);
            return Ok(Reply::Stream(Box::new(events)));
        }
        // And the other way round.
        let mut collector = Collector::new();
        while let Some(batch) = events.next().await? {
            for event in batch.events() {
                collector.push(event);
            }
        }
        trial.lost(losses);
        Ok(Reply::Whole(Box::new(collector.finish())))
    }
}

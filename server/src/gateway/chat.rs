//! Chat, as it is put to one target.

use std::sync::Arc;

use llm::chat::{ChatRequest, Collector, Losses};
use llm::codec::Target;
use llm::error::ApiError;

use super::Reply;
use super::attempts::{Asked, Call, Outcome, Unanswered};
use super::context::Context;
use super::events::EventStream;

/// An error's body is for reading, not for streaming.
pub(super) const MAX_ERROR_BODY: usize = 1 << 20;
/// A reply that is not streamed is held in memory.
pub(super) const MAX_REPLY_BODY: usize = 64 << 20;

/// A chat request. Its answer counts once its first event, or all of a reply that is not streamed, is there.
pub(super) struct ChatCall<'a> {
    pub request: &'a ChatRequest,
    pub system_prompt: Option<&'a str>,
    /// Nothing of the request may be left out.
    pub strict: bool,
}

impl Call for ChatCall<'_> {
    type Answer = Reply;

    async fn ask(&self, context: &mut Context, asked: &Asked<'_>) -> Outcome<Reply> {
        let request = self.request;
        let upstream = asked.upstream;
        let target = Target {
            model: &asked.candidate.model,
            system_prompt: self.system_prompt,
            api_version: upstream.api_version.as_deref(),
        };
        let codec = upstream.codec_for(request.protocol);
        let mut wire = codec
            .encode_request(request, &target)
            .map_err(Unanswered::Unfit)?;
        let form = wire.form;
        let losses = std::mem::take(&mut wire.losses);
        if !losses.dropped.is_empty() && (self.strict || asked.candidate.strict) {
            return Err(Unanswered::Unfit(refused(&losses, &upstream.name)));
        }
        let reply = asked
            .transport
            .send(&upstream.endpoint, wire, &upstream.timeouts, asked.give_up)
            .await?;
        context.recording.answered(reply.status.as_u16());
        let guardrails = context.policies.guardrails.clone();

        if !reply.status.is_success() {
            let body = reply.body.collect(MAX_ERROR_BODY).await?;
            let error = codec.decode_error(reply.status.as_u16(), &reply.headers, &body);
            return Err(error.into());
        }
        let Some(framer) = reply.framer() else {
            let body = reply.body.collect(MAX_REPLY_BODY).await?;
            let response = codec.decode_response(request, &form, body)?;
            guardrails.check_response(&response)?;
            context.lost(losses);
            return Ok(Reply::of_response(response, request));
        };
        let decoder = codec.stream_decoder(request, &form);
        let mut events = EventStream::new(
            Arc::clone(upstream),
            reply.body,
            framer,
            decoder,
            form.carried,
            guardrails,
        );
        if request.stream {
            events.wait_for_first().await?;
            context.lost(losses);
            return Ok(Reply::Stream(Box::new(events)));
        }
        // And the other way round.
        let mut collector = Collector::new();
        while let Some(batch) = events.next().await? {
            for event in batch.events() {
                collector.push(event);
            }
        }
        context.lost(losses);
        Ok(Reply::Whole(Box::new(collector.finish())))
    }
}

/// What a strict request is told that cannot be carried whole.
fn refused(losses: &Losses, provider: &str) -> ApiError {
    let names: Vec<String> = losses
        .dropped
        .iter()
        .map(|name| format!("`{name}`"))
        .collect();
    let message = format!(
        "The provider `{provider}` cannot be told {}, and this request is strict: nothing may be left out of it.",
        names.join(", ")
    );
    let error = ApiError::invalid(message).with_code("unsupported_parameter");
    match losses.dropped.first() {
        Some(name) => error.with_param(name.clone()),
        None => error,
    }
}

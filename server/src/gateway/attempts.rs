//! One target after another, until one has begun to answer.

use std::sync::Arc;

use llm::chat::{ChatRequest, Collector};
use llm::codec::Target;
use llm::error::{ApiError, ErrorKind, ErrorSource};
use tokio::time::Instant;

use super::Reply;
use super::context::Context;
use super::events::EventStream;
use crate::policies::Upstream;
use crate::routing::{Candidate, fails_over};
use crate::transport::Transport;

/// An error's body is for reading, not for streaming.
const MAX_ERROR_BODY: usize = 1 << 20;
/// A reply that is not streamed is held in memory.
const MAX_REPLY_BODY: usize = 64 << 20;

/// Tries the candidates in turn. A reply counts once its first event, or all of a reply that is
/// not streamed, is there.
pub(super) async fn answer(
    transport: &Transport,
    context: &mut Context,
    candidates: &[Candidate],
    request: &ChatRequest,
    system_prompt: Option<&str>,
) -> Result<Reply, ApiError> {
    let policies = Arc::clone(&context.policies);
    let mut failure = None;
    for candidate in candidates {
        let upstream = policies.upstream(candidate);
        if failure.is_some() {
            tracing::warn!(
                requestId = %context.recording.id(),
                provider = %upstream.name,
                model = %candidate.model,
                "Attempting failover"
            );
        }
        let price = policies.price(candidate);
        context
            .recording
            .attempt(upstream.name.clone(), candidate.model.clone(), price);
        let target = Target {
            model: &candidate.model,
            system_prompt,
            api_version: upstream.api_version.as_deref(),
        };
        match attempt(transport, context, upstream, &target, request).await {
            Ok(reply) => return Ok(reply),
            Err(mut error) => {
                upstream.hide_secrets(&mut error.message);
                context.recording.attempt_failed(&error);
                log_failure(context, upstream, &error, failure.is_none());
                if !fails_over(&error) {
                    return Err(error);
                }
                failure = Some(error);
            }
        }
    }
    Err(failure.unwrap_or_else(|| {
        ApiError::new(
            ErrorKind::Internal,
            ErrorSource::Gateway,
            "The request has no target.",
        )
    }))
}

async fn attempt(
    transport: &Transport,
    context: &mut Context,
    upstream: &Arc<Upstream>,
    target: &Target<'_>,
    request: &ChatRequest,
) -> Result<Reply, ApiError> {
    let give_up = context.recording.started() + upstream.timeouts.total;
    if Instant::now() >= give_up {
        let message = "No time was left to try this provider.";
        return Err(ApiError::new(
            ErrorKind::Timeout,
            ErrorSource::Provider,
            message,
        ));
    }
    let codec = upstream.codec_for(request.protocol);
    let wire = codec.encode_request(request, target)?;
    let form = wire.form;
    let reply = transport
        .send(&upstream.endpoint, wire, &upstream.timeouts, give_up)
        .await?;
    context.recording.answered(reply.status.as_u16());
    let guardrails = context.policies.guardrails.clone();

    if !reply.status.is_success() {
        let body = reply.body.collect(MAX_ERROR_BODY).await?;
        return Err(codec.decode_error(reply.status.as_u16(), &reply.headers, &body));
    }
    let Some(framer) = reply.framer() else {
        let body = reply.body.collect(MAX_REPLY_BODY).await?;
        let response = codec.decode_response(request, &form, body)?;
        guardrails.check_response(&response)?;
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
        return Ok(Reply::Stream(Box::new(events)));
    }
    // And the other way round.
    let mut collector = Collector::new();
    while let Some(batch) = events.next().await? {
        for event in batch.events() {
            collector.push(event);
        }
    }
    Ok(Reply::Whole(Box::new(collector.finish())))
}

fn log_failure(context: &Context, upstream: &Upstream, error: &ApiError, first: bool) {
    if error.origin != ErrorSource::Provider {
        // The request is at fault, and the message may quote it: the client is told, not the log.
        tracing::debug!(
            requestId = %context.recording.id(),
            provider = %upstream.name,
            kind = error.kind.as_str(),
            "The provider refused the request"
        );
        return;
    }
    let message = if first {
        "Primary provider failed"
    } else {
        "Failover provider failed"
    };
    tracing::warn!(
        requestId = %context.recording.id(),
        provider = %upstream.name,
        error = %error,
        kind = error.kind.as_str(),
        status = error.upstream_status,
        "{message}"
    );
}

//! One target after another, until one has begun to answer.

use std::future::Future;
use std::sync::Arc;

use llm::error::{ApiError, ErrorKind, ErrorSource};
use tokio::time::Instant;

use super::asked::Asked;
use super::context::Context;
use super::moment;
use crate::policies::Upstream;
use crate::recording::trial::Trial;
use crate::routing::{Next, Plan};
use crate::transport::{Transport, TransportError};

/// What is asked of the targets, one after the other.
pub(super) trait Call: Sync {
    type Answer: Send;

    /// What is asked has been sent and cannot be sent again: no other target can be tried.
    fn is_spent(&self) -> bool {
        false
    }

    /// Asks one of them. The answer counts once it has begun.
    fn ask(
        &self,
        trial: &mut Trial,
        target: &Asked<'_>,
    ) -> impl Future<Output = Outcome<Self::Answer>> + Send;
}

pub(super) type Outcome<T> = Result<T, Unanswered>;

/// Why a target gave no answer.
pub(super) enum Unanswered {
    /// It was not asked: this request cannot be put to it. To another one it may.
    Unfit(ApiError),
    Failed(ApiError),
}

impl From<ApiError> for Unanswered {
    fn from(error: ApiError) -> Self {
        Self::Failed(error)
    }
}

impl From<TransportError> for Unanswered {
    fn from(error: TransportError) -> Self {
        Self::Failed(error.into())
    }
}

/// Tries targets as the plan says.
pub(super) async fn first_answer<C: Call>(
    transport: &Transport,
    context: &mut Context,
    mut plan: Plan,
    call: &C,
) -> Result<C::Answer, ApiError> {
    let policies = Arc::clone(&context.policies);
    let mut failure = None;
    let mut unfit = None;
    loop {
        let candidate = match plan.next(moment::now()) {
            Next::Try(candidate) => candidate,
            Next::Wait(until) if Instant::from_std(until) < context.give_up() => {
                tokio::time::sleep_until(until.into()).await;
                continue;
            }
            Next::Wait(_) | Next::GiveUp => break,
        };
        let upstream = policies.upstream(&candidate);
        if failure.is_some() {
            tracing::warn!(
                requestId = %context.recording.id(),
                provider = %upstream.name,
                model = %candidate.model,
                "Attempting failover"
            );
        }
        let give_up = context.recording.started() + upstream.timeouts.total;
        let target = Asked {
            transport,
            upstream,
            candidate: &candidate,
            give_up,
        };
        if Instant::now() >= give_up {
            failure.get_or_insert_with(no_time);
            break;
        }
        let mut in_use = candidate.state.begin(candidate.key, moment::now());
        let price = policies.price(&candidate);
        let trial = context
            .recording
            .trial(upstream.name.clone(), candidate.model.clone(), price);
        let mut watched = Watched { context, trial };
        let outcome = call.ask(&mut watched.trial, &target).await;
        let Watched { context, trial } = &mut watched;
        match outcome {
            Ok(answer) => {
                in_use.answered(trial.began().elapsed(), moment::now());
                context.won(trial);
                return Ok(answer);
            }
            Err(Unanswered::Unfit(error)) => {
                context.recording.attempt_failed(trial, &error);
                plan.unfit(&candidate);
                unfit.get_or_insert(error);
            }
            Err(Unanswered::Failed(mut error)) => {
                upstream.hide_secrets(&mut error.message);
                context.recording.attempt_failed(trial, &error);
                log_failure(context, upstream, &error, failure.is_none());
                plan.failed(&candidate, &error, moment::now());
                if call.is_spent() {
                    return Err(error);
                }
                failure = Some(error);
            }
        }
    }
    // A target that could have answered may do so another time.
    Err(failure.or(unfit).unwrap_or_else(|| {
        ApiError::new(
            ErrorKind::Internal,
            ErrorSource::Gateway,
            "The request has no target.",
        )
    }))
}

/// A trial that is in the record even if the client goes before it is decided.
struct Watched<'c> {
    context: &'c mut Context,
    trial: Trial,
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        self.context.recording.abandoned(&mut self.trial);
    }
}

fn no_time() -> ApiError {
    let message = "No time was left to try this provider.";
    ApiError::new(ErrorKind::Timeout, ErrorSource::Provider, message)
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

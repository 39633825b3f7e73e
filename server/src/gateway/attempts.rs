//! One target after another, until one has begun to answer: this runs a [`Plan`].

use std::future::Future;
use std::pin::pin;

use llm::error::{ApiError, ErrorKind, ErrorSource};
use tokio::time::Instant;

use super::asked::Asked;
use super::context::{Context, Held};
use super::hedge::{race, timeout};
use super::room::Room;
use super::{Gateway, moment};
use crate::policies::{Policies, Upstream};
use crate::recording::request::Recording;
use crate::recording::trial::Trial;
use crate::routing::{Candidate, Next, Plan};
use crate::transport::TransportError;

/// What is asked of the targets, one after the other, or of two at once.
pub(super) trait Call: Sync {
    type Answer: Send;

    /// What is asked can be asked of one target only: it is sent while it comes.
    fn is_unique(&self) -> bool {
        false
    }

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

/// Tries targets as the plan says, within the request's time.
///
/// # Errors
/// How the last one failed that was asked; where none was, why not.
pub(super) async fn first_answer<C: Call>(
    gateway: &Gateway,
    context: &mut Context,
    plan: Plan,
    call: &C,
) -> Result<C::Answer, ApiError> {
    let policies = std::sync::Arc::clone(&context.policies);
    let mut run = Run {
        gateway,
        policies: &policies,
        plan,
        call,
        failure: None,
        unfit: None,
        full: None,
        previous: None,
    };
    loop {
        let (candidate, room) = match run.plan.next(moment::now()) {
            Next::Try(candidate) => match run.free_room(&candidate) {
                Some(room) => (candidate, room),
                None => {
                    // Another one may have room now.
                    run.plan.unfit(&candidate);
                    run.full.get_or_insert(candidate);
                    continue;
                }
            },
            next => match (run.full.take(), next) {
                (Some(candidate), _) => {
                    let room = run.wait_for_room(&candidate, context.give_up()).await?;
                    (candidate, room)
                }
                (None, Next::Wait(until)) => {
                    let until = run.until(context, until.into())?;
                    tokio::time::sleep_until(until).await;
                    continue;
                }
                (None, _) => return Err(run.error()),
            },
        };
        if let Some(answer) = run.attempt(context, candidate, room).await? {
            return Ok(answer);
        }
    }
}

/// A request on its way through its targets.
struct Run<'r, C> {
    gateway: &'r Gateway,
    policies: &'r Policies,
    plan: Plan,
    call: &'r C,
    /// How the last target failed that was asked.
    failure: Option<ApiError>,
    /// Why the first target was not asked that could not be.
    unfit: Option<ApiError>,
    /// The first target that had no room.
    full: Option<Candidate>,
    /// The index of the provider that was asked last.
    previous: Option<usize>,
}

impl<C: Call> Run<'_, C> {
    /// Asks a target, and if it is slow maybe another one. `None`: try the next one.
    async fn attempt(
        &mut self,
        context: &mut Context,
        candidate: Candidate,
        room: Room,
    ) -> Result<Option<C::Answer>, ApiError> {
        let transport = &self.gateway.transport;
        let asked = Asked::new(transport, self.policies, context, &candidate);
        if Instant::now() >= asked.give_up {
            return Err(self.failure.take().unwrap_or_else(no_time));
        }
        self.log_attempt(context, &candidate);
        let in_use = candidate.state.begin(candidate.key, moment::now());
        let held = Held {
            in_use,
            _room: room,
        };
        let mut other = None;
        let mut watched = Watched {
            first: asked.trial(&context.recording),
            second: None,
            context,
        };
        let (first, second) = {
            let call = self.call;
            let mut first = pin!(call.ask(&mut watched.first, &asked));
            let patience = if call.is_unique() {
                None
            } else {
                self.plan.hedge_after()
            };
            match timeout(patience, first.as_mut()).await {
                Some(outcome) => (Some(outcome), None),
                None => match self.hedge() {
                    None => (Some(first.await), None),
                    Some((candidate, held)) => {
                        let (candidate, _) = other.insert((candidate, held));
                        let asked =
                            Asked::new(transport, self.policies, watched.context, candidate);
                        self.log_hedge(watched.context, candidate);
                        let mut trial = asked.trial(&watched.context.recording);
                        trial.hedged();
                        let trial = watched.second.insert(trial);
                        race(first, Box::pin(call.ask(trial, &asked))).await
                    }
                },
            }
        };
        let Watched {
            context,
            first: first_trial,
            second: second_trial,
        } = &mut watched;
        let mut answer = None;
        let mut settle = |target, trial, outcome, apart| {
            let settled = self.settle(context, target, trial, outcome, apart);
            settled.map(|settled| answer = settled.or(answer.take()))
        };
        // The one that gave the answer, or the one that was asked first, comes last.
        match (other, second_trial) {
            (Some(second_target), Some(second_trial)) => {
                if matches!(second, Some(Ok(_))) {
                    settle((candidate, held), first_trial, first, true)?;
                    settle(second_target, second_trial, second, false)?;
                } else {
                    settle(second_target, second_trial, second, true)?;
                    settle((candidate, held), first_trial, first, false)?;
                }
            }
            _ => settle((candidate, held), first_trial, first, false)?,
        }
        Ok(answer)
    }

    /// What came of asking a target; no outcome at all: another one was quicker. Where two were asked at once, the
    /// time that one of them took is told `apart`.
    fn settle(
        &mut self,
        context: &mut Context,
        (candidate, mut held): (Candidate, Held),
        trial: &mut Trial,
        outcome: Option<Outcome<C::Answer>>,
        apart: bool,
    ) -> Result<Option<C::Answer>, ApiError> {
        let failed = |recording: &mut Recording, trial: &mut Trial, error: &ApiError| {
            if apart {
                recording.overtaken(trial, error.kind);
            } else {
                recording.attempt_failed(trial, error);
            }
        };
        match outcome {
            None => {
                if !trial.is_hedged() {
                    let waited = trial.began().elapsed();
                    held.in_use.overtaken(waited, moment::now());
                }
                context.recording.overtaken(trial, ErrorKind::Cancelled);
            }
            Some(Ok(answer)) => {
                context.won(trial);
                let first_token = trial.began().elapsed();
                held.in_use.answered(first_token, moment::now());
                context.held = Some(held);
                return Ok(Some(answer));
            }
            Some(Err(Unanswered::Unfit(error))) => {
                failed(&mut context.recording, trial, &error);
                self.plan.unfit(&candidate);
                self.unfit.get_or_insert(error);
            }
            Some(Err(Unanswered::Failed(mut error))) => {
                let upstream = self.policies.upstream(&candidate);
                context.secrets(upstream).hide(&mut error.message);
                failed(&mut context.recording, trial, &error);
                log_failure(context, upstream, &error, self.failure.is_none());
                self.plan.failed(&candidate, &error, moment::now());
                if self.call.is_spent() {
                    return Err(error);
                }
                self.failure = Some(error);
            }
        }
        Ok(None)
    }

    /// A second target, if there is one to be asked beside the first.
    fn hedge(&mut self) -> Option<(Candidate, Held)> {
        let candidate = self.plan.hedge(moment::now())?;
        let Some(room) = self.free_room(&candidate) else {
            self.plan.unfit(&candidate);
            return None;
        };
        let in_use = candidate.state.begin(candidate.key, moment::now());
        Some((
            candidate,
            Held {
                in_use,
                _room: room,
            },
        ))
    }

    /// Room at a target that has some.
    fn free_room(&self, candidate: &Candidate) -> Option<Room> {
        let upstream = self.policies.upstream(candidate);
        Room::find(&self.gateway.slots, upstream, candidate)
    }

    /// Room at a target that has none yet.
    async fn wait_for_room(
        &self,
        candidate: &Candidate,
        give_up: Instant,
    ) -> Result<Room, ApiError> {
        let upstream = self.policies.upstream(candidate);
        Room::wait(&self.gateway.slots, upstream, candidate, give_up).await
    }

    /// The end of a wait before a target is tried again, if there is time for it.
    fn until(&mut self, context: &Context, until: Instant) -> Result<Instant, ApiError> {
        if until >= context.give_up() {
            return Err(self.error());
        }
        tracing::debug!(
            requestId = %context.recording.id(),
            wait_ms = until.saturating_duration_since(Instant::now()).as_millis(),
            "Waiting before the next try"
        );
        Ok(until)
    }

    /// What the client is told. A target that failed could have answered, and may do so another time.
    fn error(&mut self) -> ApiError {
        let error = self.failure.take().or(self.unfit.take());
        error.unwrap_or_else(|| {
            let message = "The request has no target.";
            ApiError::new(ErrorKind::Internal, ErrorSource::Gateway, message)
        })
    }

    fn log_attempt(&mut self, context: &Context, candidate: &Candidate) {
        let previous = self.previous.replace(candidate.provider);
        let Some(failure) = &self.failure else {
            return;
        };
        let message = if previous == Some(candidate.provider) {
            "Trying the provider again"
        } else {
            "Attempting failover"
        };
        tracing::warn!(
            requestId = %context.recording.id(),
            provider = %self.policies.upstream(candidate).name,
            model = %candidate.model,
            error = failure.kind.as_str(),
            "{message}"
        );
    }

    fn log_hedge(&self, context: &Context, candidate: &Candidate) {
        tracing::info!(
            requestId = %context.recording.id(),
            provider = %self.policies.upstream(candidate).name,
            model = %candidate.model,
            "The provider is slow: a second one is asked"
        );
    }
}

/// Trials that are in the record even if the client goes before they are decided.
pub(super) struct Watched<'c> {
    pub context: &'c mut Context,
    pub first: Trial,
    pub second: Option<Trial>,
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        for trial in std::iter::once(&mut self.first).chain(&mut self.second) {
            self.context.recording.abandoned(trial);
        }
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

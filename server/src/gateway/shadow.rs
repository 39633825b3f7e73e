//! Copies of chat requests, sent to another target to see what that makes of them. Their replies are dropped, and
//! recorded apart.

use std::sync::{Arc, Mutex, PoisonError};

use llm::chat::ChatRequest;
use llm::error::ApiError;
use tokio::task::JoinSet;

use super::asked::Asked;
use super::attempts::{Call, Unanswered, Watched};
use super::chat::ChatCall;
use super::context::Context;
use super::room::Room;
use super::{Gateway, Reply, moment};
use crate::routing::Candidate;
use crate::transport::Transport;

/// Shadows under way; there are no more than that, whatever the configuration's share.
const MAX_SHADOWS: usize = 256;

/// The shadows under way.
#[derive(Debug, Default)]
pub(super) struct Shadows {
    tasks: Mutex<JoinSet<()>>,
}

/// A copy of a request, ready to be sent.
struct Shadow {
    transport: Transport,
    /// Of the original's policies, with a recording of its own.
    context: Context,
    candidate: Candidate,
    request: ChatRequest,
    system_prompt: Option<Arc<str>>,
    strict: bool,
}

impl Shadows {
    /// Sends a copy, unless the target has no room for it or too many are under way. Nobody waits for it.
    pub fn send(&self, gateway: &Gateway, original: &Context, call: &ChatCall<'_>, to: Candidate) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        if tasks.len() >= MAX_SHADOWS {
            return;
        }
        let upstream = original.policies.upstream(&to);
        let Some(room) = Room::find(&gateway.slots, upstream, &to) else {
            return;
        };
        let shadow = Shadow {
            transport: gateway.transport.clone(),
            context: original.shadow(),
            candidate: to,
            request: call.request.clone(),
            system_prompt: call.system_prompt.cloned(),
            strict: call.strict,
        };
        tasks.spawn(shadow.send(room));
    }

    /// Ends those that are under way.
    pub async fn stop(&self) {
        let mut tasks = {
            let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *tasks)
        };
        tasks.shutdown().await;
    }
}

impl Shadow {
    async fn send(mut self, room: Room) {
        let error = self.ask(room).await.err();
        let recording = &mut self.context.recording;
        recording.responding(error.as_ref().map_or(200, ApiError::status));
        recording.end();
    }

    async fn ask(&mut self, room: Room) -> Result<(), ApiError> {
        let policies = Arc::clone(&self.context.policies);
        let asked = Asked::new(&self.transport, &policies, &self.context, &self.candidate);
        let call = ChatCall {
            request: &self.request,
            system_prompt: self.system_prompt.as_ref(),
            strict: self.strict,
        };
        let _room = room;
        let mut in_use = self
            .candidate
            .state
            .begin(self.candidate.key, moment::now());
        let trial = asked.trial(&self.context.recording);
        let mut watched = Watched {
            context: &mut self.context,
            first: trial,
            second: None,
        };
        let outcome = call.ask(&mut watched.first, &asked).await;
        let Watched {
            context,
            first: trial,
            ..
        } = &mut watched;
        let reply = match outcome {
            Ok(reply) => reply,
            Err(Unanswered::Unfit(error)) => {
                context.recording.attempt_failed(trial, &error);
                context.recording.failed(&error);
                return Err(error);
            }
            Err(Unanswered::Failed(mut error)) => {
                asked.secrets().hide(&mut error.message);
                context.recording.attempt_failed(trial, &error);
                context.recording.failed(&error);
                in_use.failed(&error, moment::now());
                return Err(error);
            }
        };
        let first_token = trial.began().elapsed();
        context.won(trial);
        in_use.answered(first_token, moment::now());
        match reply {
            Reply::Whole(response) => {
                let finish = response.choices.first().and_then(|c| c.finish.as_ref());
                let finish = finish.map(|reason| reason.as_str());
                context.recording.consumed(response.usage, finish);
            }
            Reply::Stream(mut events) => loop {
                match events.next().await {
                    Ok(Some(batch)) => context.recording.watch(batch.events()),
                    Ok(None) => break,
                    Err(error) => {
                        context.recording.broke(&error);
                        in_use.failed(&error, moment::now());
                        return Ok(());
                    }
                }
            },
        }
        Ok(())
    }
}

//! The life of a request: [`Gateway::admit`] and [`Gateway::chat`] are its stages, one line each.

mod attempts;
mod chat;
mod context;
mod events;

pub use context::Context;
pub use events::{Batch, EventStream};

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use self::chat::ChatCall;
use arc_swap::ArcSwap;
use llm::chat::{ChatRequest, ChatResponse};
use llm::error::ApiError;

use crate::policies::Policies;
use crate::recording::Recorder;
use crate::recording::request::{Arrival, Recording};
use crate::routing::Wish;
use crate::transport::Transport;

/// What requests meet.
#[derive(Debug)]
pub struct Gateway {
    policies: ArcSwap<Policies>,
    transport: Transport,
    recorder: Recorder,
    /// With a flush interval of zero a record is committed before its reply ends.
    durable: bool,
    draining: AtomicBool,
}

/// An answer on its way to the client.
#[derive(Debug)]
pub enum Reply {
    Whole(Box<ChatResponse>),
    Stream(Box<EventStream>),
}

/// How a request is to be served, as its head says.
#[derive(Clone, Copy, Debug, Default)]
pub struct Terms<'a> {
    /// The provider that the client chose.
    pub provider: Option<&'a str>,
    /// The client would rather be refused than have something left out.
    pub strict: bool,
}

impl Reply {
    /// A whole response for a client that may want a stream.
    fn of_response(response: ChatResponse, request: &ChatRequest) -> Self {
        if request.stream {
            Self::Stream(Box::new(EventStream::of_response(&response)))
        } else {
            Self::Whole(Box::new(response))
        }
    }
}

impl Gateway {
    pub fn new(
        policies: Policies,
        transport: Transport,
        recorder: Recorder,
        durable: bool,
    ) -> Self {
        Self {
            policies: ArcSwap::from_pointee(policies),
            transport,
            recorder,
            durable,
            draining: AtomicBool::new(false),
        }
    }

    /// A request has arrived: it is recorded from here on, and sees one snapshot of the policies.
    pub fn begin(&self, arrival: Arrival) -> Context {
        Context::new(
            self.policies.load_full(),
            Recording::start(self.recorder.clone(), arrival),
            self.durable,
        )
    }

    /// Who calls, and whether there is room: before the body is read.
    ///
    /// # Errors
    /// Whatever a stage refuses the request with.
    pub fn admit(&self, context: &mut Context, credential: Option<&str>) -> Result<(), ApiError> {
        let caller = context.policies.keys.authenticate(credential)?;
        context.recording.key(caller.key.clone());
        context.permit = Some(context.policies.limits.admit(&caller)?);
        context.caller = caller;
        Ok(())
    }

    /// From an understood request to an answer that has begun.
    ///
    /// # Errors
    /// What a stage refuses it with, or how the last target failed.
    pub async fn chat(
        &self,
        context: &mut Context,
        request: &ChatRequest,
        terms: Terms<'_>,
    ) -> Result<Reply, ApiError> {
        let policies = Arc::clone(&context.policies);
        let model = request.model.as_deref();
        context.recording.asked(model, request.stream);

        let system_prompt = policies.system_prompt.for_caller(&context.caller);
        policies.guardrails.check_request(request)?;
        let cached = policies.cache.find(&context.caller, request);
        context.recording.cache(cached.outcome);
        if let Some(answer) = cached.answer {
            return Ok(Reply::of_response(answer, request));
        }
        let wish = Wish {
            model,
            provider: terms.provider,
        };
        let candidates = policies.routing.candidates(wish)?;
        let call = ChatCall {
            request,
            system_prompt: system_prompt.as_deref(),
            strict: terms.strict || policies.strict,
        };
        attempts::first_answer(&self.transport, context, &candidates, &call).await
    }

    /// The policies in force.
    pub fn policies(&self) -> Arc<Policies> {
        self.policies.load_full()
    }

    /// How recording fares.
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// No new requests are wanted any more; those under way go on.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}

//! The life of a request: [`Gateway::admit`] and [`Gateway::chat`] are its stages, one line each.

mod asked;
mod attempts;
mod carried;
mod chat;
mod context;
mod count_tokens;
mod covered;
mod dry_run;
mod egress;
mod embeddings;
mod events;
mod facts;
mod hedge;
pub mod moment;
mod others;
mod parameters;
mod passed;
mod repeated;
mod rerank;
mod room;
mod secrets;
mod shadow;
mod slots;
mod unread;

pub use carried::{Answer, CarriedRequest, Form, FormRequest, ForwardedBody, ForwardedRequest};
pub use context::{Cached, Context};
pub use dry_run::Rehearsal;
pub(crate) use dry_run::refusal;
pub use egress::EgressRequest;
pub use events::{Batch, EventStream};
pub use passed::{Passed, without_hop_by_hop};
pub use secrets::Secrets;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;
use chrono::Utc;
use http::HeaderMap;
use llm::chat::{ChatRequest, ChatResponse};
use llm::codec::ReplyForm;
use llm::codecs;
use llm::error::ApiError;

use self::carried::{CarriedCall, FormCall, ForwardCall};
use self::chat::ChatCall;
use self::count_tokens::CountTokensCall;
use self::facts::{Asking, endpoint_of};
use self::others::Others;
use self::shadow::Shadows;
use self::slots::SlotTable;
use crate::auth::Caller;
use crate::budgets::Claim;
use crate::cache::{self, Hit, Question, Repeatable, Slot};
use crate::guardrails::{self, BodyKind, Checked, ReplyGuard};
use crate::payloads::{Capture, PayloadLog};
use crate::policies::Policies;
use crate::recording::Recorder;
use crate::recording::request::{Arrival, Recording};
use crate::routing::Endpoint;
use crate::transport::Transport;

/// What requests meet.
#[derive(Debug)]
pub struct Gateway {
    policies: ArcSwap<Policies>,
    transport: Transport,
    recorder: Recorder,
    payloads: PayloadLog,
    slots: SlotTable,
    shadows: Shadows,
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
    /// All of the head's lines, for conditions.
    pub headers: Option<&'a HeaderMap>,
}

impl Reply {
    /// A whole response for a client that may want a stream.
    fn of_response(response: Box<ChatResponse>, request: &ChatRequest) -> Self {
        if request.stream {
            Self::Stream(Box::new(EventStream::of_response(&response)))
        } else {
            Self::Whole(response)
        }
    }

    /// What was answered before. `None`: it was something else.
    fn again(hit: Hit, request: &ChatRequest) -> Option<Result<Self, ApiError>> {
        let Some(frames) = hit.entry.frames() else {
            let response = ChatResponse::of(hit.response)?;
            return Some(Ok(Self::of_response(Box::new(response), request)));
        };
        let codec = codecs::find(request.protocol)?;
        let form = ReplyForm {
            carried: true,
            answer_tool: None,
        };
        let decoder = codec.stream_decoder(request, &form);
        let events = EventStream::of_frames(frames.as_bytes().clone(), decoder);
        Some(events.map(|events| Self::Stream(Box::new(events))))
    }

    /// Keeps the reply for others, once it is complete.
    fn filling(mut self, slot: Option<Slot>) -> Self {
        if let Some(slot) = slot {
            match &mut self {
                Self::Whole(response) => slot.whole(&**response),
                Self::Stream(events) => events.fill(slot),
            }
        }
        self
    }

    /// Passes the reply through the operator's rules.
    async fn guarded(
        self,
        guard: Option<ReplyGuard>,
        context: &mut Context,
    ) -> Result<Self, ApiError> {
        let Some(guard) = guard else {
            return Ok(self);
        };
        Ok(match self {
            Self::Whole(response) => {
                // Whether the client gets it or not, it was made.
                context.recording.consumed(response.usage, None);
                Self::Whole(guard.whole(response).await?)
            }
            Self::Stream(mut events) => {
                events.guard(guard, context.recording.ear());
                Self::Stream(events)
            }
        })
    }
}

impl Gateway {
    pub fn new(
        policies: Policies,
        transport: Transport,
        recorder: Recorder,
        payloads: PayloadLog,
        durable: bool,
    ) -> Self {
        payloads.set(policies.payloads.settings());
        Self {
            policies: ArcSwap::from_pointee(policies),
            transport,
            recorder,
            payloads,
            slots: SlotTable::default(),
            shadows: Shadows::default(),
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
        self.recognise(context, credential)?;
        let permit = context.policies.limits.admit(&context.caller)?;
        context.permit = Some(permit);
        if context.policies.pass_client_keys {
            context.client_key = credential.map(Into::into);
        }
        Ok(())
    }

    /// Who calls.
    fn recognise(&self, context: &mut Context, credential: Option<&str>) -> Result<(), ApiError> {
        let keys = &context.policies.keys;
        let caller = keys.authenticate(credential, Utc::now())?;
        let (key, project) = (caller.key_name().cloned(), caller.project().cloned());
        context.recording.key(key, project);
        context.caller = Caller {
            address: context.caller.address,
            ..caller
        };
        Ok(())
    }

    /// Whether the caller may ask this, now that it is known what it is.
    fn ask(
        &self,
        context: &mut Context,
        asking: &Asking<'_>,
        stream: bool,
    ) -> Result<(), ApiError> {
        context.recording.asked(asking.model, stream);
        let policies = Arc::clone(&context.policies);
        asking.check_access(context)?;
        context.caller.known_as = asking.known_as(context);
        if let Some(permit) = &mut context.permit {
            let tokens = context.recording.text_in().div_ceil(facts::BYTES_PER_TOKEN);
            policies
                .limits
                .ask(permit, &context.caller, asking.model, tokens)?;
            context.recording.counted(permit.tokens());
        }
        let claim = policies.budgets.claim(&context.caller, asking.model);
        context.recording.charge(claim);
        self.log_payload(context, asking);
        Ok(())
    }

    /// Begins to keep what the request and its reply say, where an operator wants that.
    fn log_payload(&self, context: &mut Context, asking: &Asking<'_>) {
        let payloads = &context.policies.payloads;
        if payloads.is_off() {
            return;
        }
        let subject = context.caller.subject(asking.model);
        if let Some(rules) = payloads.wants(subject, context.recording.id()) {
            let capture = Capture::new(self.payloads.clone(), rules, asking.body);
            context.recording.log_payload(capture);
        }
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
        self.ask(context, &Asking::chat(request, &terms), request.stream)?;

        let subject = context.caller.subject(request.model.as_deref());
        let guardrails = &policies.guardrails;
        let report = guardrails.report();
        if let Some(report) = &report {
            context.recording.rules(report.outcomes());
        }
        let others = Others::of(&self.transport, context);
        let others = others.as_ref();
        let checked = guardrails
            .check_request(&context.caller, request, report.as_ref(), others)
            .await?;
        let request = match &checked {
            Checked::Unchanged => request,
            Checked::Changed(changed) => changed,
            Checked::Answered(answer) => {
                context.not_looked_up();
                return Ok(Reply::of_response(answer.clone(), request));
            }
        };
        let guard = guardrails.on_reply(&context.caller, request, report.as_ref(), others);
        let told = policies.system_prompts.tell(subject, request)?;
        let request = told.request.as_deref().unwrap_or(request);
        let question = Question {
            caller: &context.caller,
            request: cache::Request::Chat {
                request,
                after: told.after.as_deref(),
            },
            provider: terms.provider,
            strict: terms.strict,
            headers: terms.headers,
            client_key: context.client_key.as_deref(),
            cut_at: context.recording.claim().and_then(Claim::cuts_at),
        };
        let mut found = policies.cache.find(&question, context.give_up()).await?;
        context.looked_up(&found);
        if let Some(reply) = found.hit.and_then(|hit| Reply::again(*hit, request)) {
            return reply?.guarded(guard, context).await;
        }
        let moment = moment::now();
        let mut plan = Asking::chat(request, &terms).plan(context, moment)?;
        let call = ChatCall {
            request,
            system_prompt: told.after.as_ref(),
            strict: terms.strict || policies.strict,
        };
        if let Some(candidate) = plan.shadow(moment) {
            self.shadows.send(self, context, &call, candidate);
        }
        let reply = match attempts::first_answer(self, context, plan, &call).await {
            Ok(reply) => reply,
            Err(error) => {
                found.slot.into_iter().for_each(Slot::failed);
                return Err(error);
            }
        };
        if let Some(slot) = &mut found.slot {
            context.answers(slot);
        }
        reply.filling(found.slot).guarded(guard, context).await
    }

    /// A body's texts passed through the operator's rules; `Some`: this goes on in its place.
    async fn check_body(
        &self,
        context: &mut Context,
        model: Option<&str>,
        body: &bytes::Bytes,
        kind: BodyKind,
    ) -> Result<Option<bytes::Bytes>, ApiError> {
        let guardrails = context.policies.guardrails.clone();
        let Some(report) = guardrails.report() else {
            return Ok(None);
        };
        context.recording.rules(report.outcomes());
        let asked = guardrails::Asked {
            caller: &context.caller,
            model,
        };
        let others = Others::of(&self.transport, context);
        guardrails
            .check_body(asked, body, kind, Some(&report), others.as_ref())
            .await
    }

    /// How many tokens a request is.
    ///
    /// # Errors
    /// As [`chat`](Self::chat).
    pub async fn count_tokens(
        &self,
        context: &mut Context,
        request: &ChatRequest,
        terms: Terms<'_>,
    ) -> Result<u64, ApiError> {
        let asking = Asking::chat(request, &terms);
        self.ask(context, &asking, false)?;
        context.recording.uses_no_tokens();
        let changed = self
            .check_body(
                context,
                request.model.as_deref(),
                &request.body,
                BodyKind::Chat,
            )
            .await?;
        let changed = changed.map(|body| request.with_body(body)).transpose()?;
        let request = changed.as_ref().unwrap_or(request);
        let plan = asking.plan(context, moment::now())?;
        let policies = Arc::clone(&context.policies);
        let subject = context.caller.subject(request.model.as_deref());
        let told = policies.system_prompts.tell(subject, request)?;
        let call = CountTokensCall {
            request: told.request.as_deref().unwrap_or(request),
            system_prompt: told.after.as_deref(),
        };
        attempts::first_answer(self, context, plan, &call).await
    }

    /// A request whose body travels as it is.
    ///
    /// # Errors
    /// As [`chat`](Self::chat).
    pub async fn carry(
        &self,
        context: &mut Context,
        request: &CarriedRequest,
        terms: Terms<'_>,
    ) -> Result<Answer, ApiError> {
        let model = request.model.as_deref();
        let asking = Asking {
            body: &request.body,
            ..Asking::new(endpoint_of(request.operation), model, &terms)
        };
        self.ask(context, &asking, request.stream)?;
        let changed = self
            .check_body(context, model, &request.body, BodyKind::Texts)
            .await?;
        let changed = changed.map(|body| request.with_body(body));
        let request = changed.as_ref().unwrap_or(request);
        let plan = asking.plan(context, moment::now())?;
        let call = CarriedCall { request };
        attempts::first_answer(self, context, plan, &call).await
    }

    /// A form that is passed on while it comes: one target gets it.
    ///
    /// # Errors
    /// As [`chat`](Self::chat).
    pub async fn carry_form(
        &self,
        context: &mut Context,
        request: FormRequest,
        terms: Terms<'_>,
    ) -> Result<Answer, ApiError> {
        let model = request.head.model.as_deref();
        let asking = Asking::new(endpoint_of(request.operation), model, &terms);
        self.ask(context, &asking, request.head.stream)?;
        let plan = asking.plan(context, moment::now())?;
        let call = FormCall {
            operation: request.operation,
            content_type: request.content_type,
            length: request.length,
            form: Mutex::new(Some(request.form)),
        };
        attempts::first_answer(self, context, plan, &call).await
    }

    /// A request to an endpoint of the provider's own.
    ///
    /// # Errors
    /// As [`chat`](Self::chat).
    pub async fn forward(
        &self,
        context: &mut Context,
        mut request: ForwardedRequest,
        terms: Terms<'_>,
    ) -> Result<Answer, ApiError> {
        let asking = Asking::new(Endpoint::Other, Some(&request.model), &terms);
        self.ask(context, &asking, false)?;
        if request.may_say {
            unread::check(context, &request.model)?;
        }
        if let ForwardedBody::Json(body) = &mut request.body
            && let Some(changed) = self
                .check_body(context, Some(&request.model), body, BodyKind::Unknown)
                .await?
        {
            *body = changed;
        }
        let plan = asking.plan(context, moment::now())?;
        let call = ForwardCall {
            method: request.method,
            path: request.path,
            query: request.query,
            headers: request.headers,
            body: Mutex::new(Some(request.body)),
        };
        attempts::first_answer(self, context, plan, &call).await
    }

    /// Whether there are rates in force.
    pub fn has_rates(&self) -> bool {
        self.policies.load().limits.has_rates()
    }

    /// The policies in force.
    pub fn policies(&self) -> Arc<Policies> {
        self.policies.load_full()
    }

    /// Puts other policies in force, and gives those before. Requests under way go on with those that they began with.
    pub fn replace_policies(&self, policies: Policies) -> Arc<Policies> {
        self.payloads.set(policies.payloads.settings());
        self.policies.swap(Arc::new(policies))
    }

    /// Ends what is done for nobody in particular: copies of requests.
    pub async fn stop_shadows(&self) {
        self.shadows.stop().await;
    }

    /// What calls go out by.
    pub fn transport(&self) -> &Transport {
        &self.transport
    }

    /// Where contents are logged.
    pub fn payloads(&self) -> &PayloadLog {
        &self.payloads
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

//! The record of a request while it is under way.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use chrono::Utc;
use guardrails::RuleOutcomes;
use llm::carried::Consumption;
use llm::chat::{Block, Losses, Stamp, StreamEvent, Usage};
use llm::error::{ApiError, ErrorKind, ErrorSource};
use llm::pricing::{Price, UnitPrice};
use tokio::time::Instant;
use uuid::Uuid;

use super::heard::{Ear, Heard};
use super::record::{Attempt, CacheOutcome, Outcome, RequestRecord};
use super::trial::{Answerer, Receiving, Trial};
use super::{Recorder, estimate};
use crate::budgets::{Claim, Hold, Used};
use crate::limits::Tokens;
use crate::payloads::Capture;

/// Longer messages are cut: they are for people.
const MAX_MESSAGE: usize = 500;
/// A client can write anything as a model's name.
const MAX_NAME: usize = 200;
/// The status of a request that nobody waited for.
const CLIENT_CLOSED_REQUEST: u16 = 499;

/// Follows one request from its arrival. Whatever happens, one record comes of it: a recording that
/// is dropped before it was ended is one whose client has gone.
#[derive(Debug)]
pub struct Recording {
    open: Option<Box<Open>>,
}

#[derive(Debug)]
struct Open {
    record: Box<RequestRecord>,
    recorder: Recorder,
    started: Instant,
    /// When the attempt under way began.
    attempt: Option<Instant>,
    price: Option<Price>,
    /// Of what is not charged by tokens.
    unit_cost: Option<i64>,
    /// Of the body, bytes of text.
    text_in: u64,
    /// Of the reply, what the client was given.
    told: Heard,
    /// The same of what the upstream has said, where that may be more.
    ear: Option<Ear>,
    /// The client hung up, and that was seen.
    gone: bool,
    /// The reply was ended early by a rule of the operator's.
    cut: bool,
    rules: Option<RuleOutcomes>,
    receiving: Option<Receiving>,
    /// What has been counted against rates of tokens.
    tokens: Option<Tokens>,
    /// What the request takes of quotas and budgets, and what the call that gave the answer may use of it.
    claim: Option<Claim>,
    hold: Option<Hold>,
    /// What it and its reply say, where that is logged.
    payload: Option<Box<Capture>>,
}

/// What is known of a request when it arrives.
#[derive(Clone, Debug)]
pub struct Arrival {
    pub dialect: Arc<str>,
    /// The route's template.
    pub endpoint: Arc<str>,
}

impl Recording {
    pub fn start(recorder: Recorder, arrival: Arrival) -> Self {
        let record = Box::new(RequestRecord {
            id: Uuid::now_v7(),
            started_at_us: Utc::now().timestamp_micros(),
            first_token_us: None,
            latency_us: 0,
            upstream_us: 0,
            key: None,
            project: None,
            client_address: None,
            dialect: arrival.dialect,
            endpoint: arrival.endpoint,
            requested_model: None,
            provider: None,
            upstream_model: None,
            stream: false,
            outcome: Outcome::Cancelled,
            status: CLIENT_CLOSED_REQUEST,
            error_kind: None,
            error_source: None,
            error_message: None,
            attempts: Vec::new(),
            usage: None,
            usage_estimated: false,
            cost_nanos: None,
            cache: CacheOutcome::Bypass,
            saved_tokens: None,
            saved_nanos: None,
            finish_reason: None,
            losses: Losses::default(),
            guardrails: Vec::new(),
            shadow_of: None,
            bytes_in: 0,
            bytes_out: 0,
        });
        Self {
            open: Some(Box::new(Open {
                record,
                recorder,
                started: Instant::now(),
                attempt: None,
                price: None,
                unit_cost: None,
                text_in: 0,
                told: Heard::default(),
                ear: None,
                gone: false,
                cut: false,
                rules: None,
                receiving: None,
                tokens: None,
                claim: None,
                hold: None,
                payload: None,
            })),
        }
    }

    /// The recording of a copy of this request, which is sent to another target.
    #[must_use]
    pub fn shadow(&self) -> Self {
        let Some(original) = &self.open else {
            return Self { open: None };
        };
        let arrival = Arrival {
            dialect: original.record.dialect.clone(),
            endpoint: original.record.endpoint.clone(),
        };
        let mut shadow = Self::start(original.recorder.clone(), arrival);
        shadow.with(|open| {
            let of = original.record.shadow_of.unwrap_or(original.record.id);
            open.record.shadow_of = Some(of);
            open.record.key = original.record.key.clone();
            open.record.project = original.record.project.clone();
            open.record.client_address = original.record.client_address;
            open.record.requested_model = original.record.requested_model.clone();
            open.record.stream = original.record.stream;
            open.record.bytes_in = original.record.bytes_in;
            open.text_in = original.text_in;
            open.claim = original.claim.as_ref().map(Claim::shadow);
        });
        shadow
    }

    /// So many tokens were counted for the request: whatever happens to it, they are settled with its record.
    pub fn counted(&mut self, tokens: Option<Tokens>) {
        self.with(|open| open.tokens = tokens);
    }

    /// Nobody says anything: tokens are not used, whoever answers.
    pub fn uses_no_tokens(&mut self) {
        self.with(|open| {
            if let Some(tokens) = open.tokens.take() {
                tokens.settle(0);
            }
        });
    }

    /// The request counts against quotas and budgets: whatever happens to it, what it used is settled with its record.
    pub fn charge(&mut self, claim: Option<Claim>) {
        self.with(|open| open.claim = claim);
    }

    /// What the request takes of quotas and budgets; `None`: nothing limits it.
    pub fn claim(&self) -> Option<&Claim> {
        self.open.as_ref()?.claim.as_ref()
    }

    /// Of the body, bytes of text.
    pub fn text_in(&self) -> u64 {
        self.open.as_ref().map_or(0, |open| open.text_in)
    }

    /// The request's id, for the log and for `x-request-id`.
    pub fn id(&self) -> Uuid {
        self.open
            .as_ref()
            .map_or(Uuid::nil(), |open| open.record.id)
    }

    /// The id and the time that the gateway's own replies carry.
    pub fn stamp(&self) -> Stamp {
        self.open
            .as_ref()
            .map_or_else(Stamp::default, |open| Stamp {
                id: open.record.id.as_u128(),
                at: open.record.started_at_us.div_euclid(1_000_000),
            })
    }

    /// When the request arrived.
    pub fn started(&self) -> Instant {
        self.open
            .as_ref()
            .map_or_else(Instant::now, |open| open.started)
    }

    pub fn client(&mut self, address: Option<IpAddr>) {
        self.with(|open| open.record.client_address = address);
    }

    pub fn key(&mut self, name: Option<Arc<str>>, project: Option<Arc<str>>) {
        self.with(|open| {
            open.record.key = name;
            open.record.project = project;
        });
    }

    /// The body has been read, and is text.
    pub fn received(&mut self, body: &[u8]) {
        self.with(|open| {
            open.record.bytes_in = body.len() as u64;
            open.text_in = estimate::text_bytes(body);
        });
    }

    /// The body has been read, and is no text.
    pub fn received_bytes(&mut self, bytes: u64) {
        self.with(|open| open.record.bytes_in = bytes);
    }

    /// The body has been understood.
    pub fn asked(&mut self, model: Option<&str>, stream: bool) {
        self.with(|open| {
            open.record.requested_model = model.map(|name| cut(name, MAX_NAME).into());
            open.record.stream = stream;
        });
    }

    /// The answer is a stream, whatever had been seen of the request when it was decided where it goes.
    pub fn streamed(&mut self) {
        self.with(|open| open.record.stream = true);
    }

    pub fn cache(&mut self, outcome: CacheOutcome) {
        self.with(|open| open.record.cache = outcome);
    }

    /// The answer was given before, by this target: it takes no tokens and costs nothing.
    pub fn hit(
        &mut self,
        provider: Arc<str>,
        model: Arc<str>,
        losses: &Losses,
        saved: (u64, Option<i64>),
    ) {
        self.with(|open| {
            open.record.cache = CacheOutcome::Hit;
            open.record.provider = Some(provider);
            open.record.upstream_model = Some(model);
            open.record.losses = cut_losses(losses);
            (open.record.saved_tokens, open.record.saved_nanos) = (Some(saved.0), saved.1);
        });
    }

    /// Who gave the answer, and what that costs.
    pub fn answered_by(&self) -> Option<Answerer> {
        let open = self.open.as_ref()?;
        Some(Answerer {
            provider: open.record.provider.clone()?,
            model: open.record.upstream_model.clone()?,
            price: open.price,
            unit_cost: open.unit_cost,
        })
    }

    /// A target is about to be called; its price settles the cost if it answers.
    #[must_use]
    pub fn trial(&self, provider: Arc<str>, model: Arc<str>, price: Option<Price>) -> Trial {
        Trial::new(self.started(), provider, model, price)
    }

    /// The attempt gave the answer. Its upstream is at work until the request ends.
    pub fn won(&mut self, trial: &mut Trial) {
        self.with(|open| {
            if !open.record.stream {
                let first_byte = trial.first_byte;
                open.record.first_token_us = first_byte.map(|at| micros(at - open.started));
            }
            open.record.usage = trial.usage;
            open.unit_cost = trial.unit_cost;
            if !trial.losses.is_empty() {
                open.record.losses = cut_losses(&trial.losses);
            }
            open.take(trial, trial.told.as_ref().map(|error| error.kind));
        });
        if let Some(error) = trial.told.take() {
            self.failed(&error);
        }
    }

    /// The attempt came to nothing.
    pub fn attempt_failed(&mut self, trial: &mut Trial, error: &ApiError) {
        self.with(|open| {
            open.take(trial, Some(error.kind));
            open.settle_attempt();
        });
    }

    /// The attempt was made beside another one, which took as long and longer, and came to nothing: it failed, or the
    /// other one was quicker.
    pub fn overtaken(&mut self, trial: &mut Trial, kind: ErrorKind) {
        self.with(|open| open.take(trial, Some(kind)));
    }

    /// The client has gone while the attempt was under way; nothing happens where that was decided.
    pub fn abandoned(&mut self, trial: &mut Trial) {
        self.with(|open| open.take(trial, Some(ErrorKind::Cancelled)));
    }

    /// What the request and its reply say is logged when it ends.
    pub fn log_payload(&mut self, capture: Capture) {
        self.with(|open| open.payload = Some(Box::new(capture)));
    }

    /// Bytes of the reply, as they are handed to the connection.
    pub fn replied(&mut self, bytes: &[u8]) {
        if let Some(capture) = self.open.as_mut().and_then(|open| open.payload.as_mut()) {
            capture.replied(bytes);
        }
    }

    /// Events of the reply, before the client sees them.
    pub fn watch(&mut self, events: &[StreamEvent]) {
        self.with(|open| {
            if let Some(capture) = &mut open.payload {
                capture.watch(events);
            }
            for event in events {
                open.watch(event);
            }
        });
    }

    /// Rules stand between the upstream and the client: what it says is heard before them.
    #[must_use]
    pub fn ear(&mut self) -> Ear {
        let ear = Ear::default();
        self.with(|open| open.ear = Some(ear.clone()));
        ear
    }

    /// The first piece of a reply that is no stream of events.
    pub fn began(&mut self) {
        self.with(Open::first_token);
    }

    /// What a reply that came in one piece consumed, and why it ended.
    pub fn consumed(&mut self, usage: Option<Usage>, finish_reason: Option<&str>) {
        self.with(|open| {
            open.record.usage = usage.filter(|_| open.record.cache != CacheOutcome::Hit);
            open.record.finish_reason = finish_reason.map(Into::into);
        });
    }

    /// What a reply consumed that is no chat: tokens, or what `unit` is the price of.
    pub fn metered(&mut self, consumption: &Consumption, unit: Option<&UnitPrice>) {
        self.with(|open| {
            open.record.usage = consumption.usage;
            open.unit_cost = unit.and_then(|unit| unit.cost(consumption));
        });
    }

    /// The response's head goes out with this status.
    pub fn responding(&mut self, status: u16) {
        self.with(|open| open.record.status = status);
    }

    /// Bytes of the body were handed to the connection.
    pub fn sent(&mut self, bytes: usize) {
        self.with(|open| open.record.bytes_out += bytes as u64);
    }

    /// The client gets, or got in mid-stream, this error.
    pub fn failed(&mut self, error: &ApiError) {
        self.with(|open| {
            open.gone = error.kind == ErrorKind::Cancelled;
            open.record.outcome = if open.gone {
                Outcome::Cancelled
            } else {
                Outcome::Failed
            };
            open.record.error_kind = Some(error.kind);
            open.record.error_source = Some(error.origin);
            open.record.error_message = Some(cut(&error.message, MAX_MESSAGE).to_owned());
        });
    }

    /// The reply broke off when it had begun: the attempt that gave it failed after all.
    pub fn broke(&mut self, error: &ApiError) {
        self.failed(error);
        self.with(|open| {
            if let Some(attempt) = open.record.attempts.last_mut()
                && error.origin == ErrorSource::Provider
            {
                attempt.error_kind = Some(error.kind);
            }
        });
    }

    /// Where the operator's rules note what they do.
    pub fn rules(&mut self, outcomes: RuleOutcomes) {
        self.with(|open| open.rules = Some(outcomes));
    }

    /// A rule of the operator's ends the reply before the upstream has: what that took, it did not tell.
    pub fn cut(&mut self) {
        self.with(|open| open.cut = true);
    }

    /// Nothing comes of it, and nothing was to: it is not recorded.
    pub fn forget(&mut self) {
        self.open = None;
    }

    /// What was tried so far.
    pub fn attempts(&self) -> &[Attempt] {
        self.open.as_ref().map_or(&[], |open| &open.record.attempts)
    }

    /// The reply is complete, whether it was an answer or an error.
    pub fn end(&mut self) {
        if let Some((recorder, record)) = self.close() {
            recorder.record(record);
        }
    }

    /// As [`end`](Self::end), and returns when the record is safe. The record does not depend on
    /// anybody waiting for that.
    pub async fn end_durably(&mut self) {
        if let Some((recorder, record)) = self.close() {
            let commit = async move { recorder.record_durably(record).await };
            // It fails only when the runtime ends.
            let _ = tokio::spawn(commit).await;
        }
    }

    /// Moves the recording out; nothing is left that could still be recorded here.
    #[must_use]
    pub fn take(&mut self) -> Self {
        Self {
            open: self.open.take(),
        }
    }

    fn close(&mut self) -> Option<(Recorder, Box<RequestRecord>)> {
        let mut open = self.open.take()?;
        if open.record.outcome == Outcome::Cancelled && !open.gone {
            open.record.outcome = Outcome::Finished;
        }
        Some(open.closed())
    }

    fn with(&mut self, change: impl FnOnce(&mut Open)) {
        if let Some(open) = &mut self.open {
            change(open);
        }
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        if let Some(mut open) = self.open.take() {
            if std::thread::panicking() {
                open.record.outcome = Outcome::Failed;
                open.record.status = ErrorKind::Internal.status();
                open.record.error_kind = Some(ErrorKind::Internal);
                open.record.error_source = Some(ErrorSource::Gateway);
            } else if open.record.outcome == Outcome::Cancelled {
                // An error that was on its way when the client left is still what happened.
                open.record.error_kind = Some(ErrorKind::Cancelled);
                open.record.error_source = Some(ErrorSource::Caller);
            }
            let (recorder, record) = open.closed();
            recorder.record(record);
        }
    }
}

impl Open {
    fn watch(&mut self, event: &StreamEvent) {
        match event {
            StreamEvent::BlockDelta { .. }
            | StreamEvent::BlockStarted {
                block: Block::ToolCall { .. },
                ..
            } => self.first_token(),
            // What was used before is not used again.
            StreamEvent::Usage(_) if self.record.cache == CacheOutcome::Hit => return,
            StreamEvent::Usage(usage) => self.record.usage = Some(*usage),
            StreamEvent::Finished { choice: 0, reason } => {
                self.record.finish_reason = Some(reason.as_str().into());
            }
            _ => {}
        }
        self.told.hear(event);
    }

    fn first_token(&mut self) {
        if self.record.first_token_us.is_none() {
            self.record.first_token_us = Some(micros(self.started.elapsed()));
        }
    }

    /// An upstream was at work when the request ended, and had not yet told what that took.
    fn estimate_usage(&mut self) {
        let mut text_out = self.told.text;
        if let Some(ear) = self.ear.take()
            && self.record.cache != CacheOutcome::Hit
        {
            let heard = ear.heard();
            self.record.usage = heard.usage.or(self.record.usage);
            text_out = heard.text;
        }
        let early = self.cut || self.record.outcome != Outcome::Finished;
        let ended_early = early && self.attempt.is_some();
        let untold = match self.record.usage {
            Some(_) => text_out > 0,
            None => self.text_in + text_out > 0,
        };
        if ended_early && untold {
            let told = self.record.usage;
            self.record.usage = Some(estimate::usage(told, self.text_in, text_out));
            self.record.usage_estimated = true;
        }
    }

    /// Takes over what an attempt has learnt that is decided.
    fn take(&mut self, trial: &mut Trial, failed: Option<ErrorKind>) {
        let Some(mut attempt) = trial.attempt.take() else {
            return;
        };
        if failed.is_some() {
            attempt.error_kind = failed;
            attempt.duration_us = micros(trial.began.elapsed());
        }
        if let Some(hold) = trial.hold.take() {
            match failed {
                None => self.hold = Some(hold),
                Some(_) if !trial.sent => hold.release(),
                Some(kind) => self.settle_failed(hold, kind, attempt.status, trial.price.as_ref()),
            }
        }
        // Of two at the same time the first counts, and the time is not counted twice.
        let began = self.attempt.map_or(trial.began, |at| at.min(trial.began));
        self.attempt = Some(began);
        self.price = trial.price.take();
        self.record.provider = Some(attempt.provider.clone());
        self.record.upstream_model = Some(attempt.model.clone());
        self.record.attempts.push(attempt);
        if let Some(receiving) = trial.receiving.take() {
            self.receiving = Some(receiving);
        }
    }

    /// Nobody asked for an answer: none were used. An answer that does not say how many it took: the estimate stands.
    fn settle_tokens(&mut self) {
        let Some(tokens) = self.tokens.take() else {
            return;
        };
        let answered = self.record.attempts.iter();
        let answered = answered.filter(|attempt| attempt.error_kind.is_none());
        match self.record.usage {
            _ if self.record.attempts.is_empty() => tokens.settle(0),
            Some(usage) => tokens.settle(usage.input_tokens.saturating_add(usage.output_tokens)),
            None if answered.count() == 0 => tokens.settle(0),
            None => drop(tokens),
        }
    }

    /// What a call has used that came to nothing, or was given up.
    fn settle_failed(
        &self,
        hold: Hold,
        kind: ErrorKind,
        status: Option<u16>,
        price: Option<&Price>,
    ) {
        let given_up = matches!(
            kind,
            ErrorKind::Timeout | ErrorKind::Cancelled | ErrorKind::BadReply
        );
        if status.is_some() && !given_up {
            // It was refused under a good status.
            hold.release();
        } else if hold.stream {
            // A stream ends with its reader: what had come in by then is what there is to pay for.
            let usage = estimate::usage(None, self.text_in, 0);
            hold.settle(Used {
                tokens: Some(usage.input_tokens),
                nanos: price.map(|price| nanos(price.cost(&usage))),
            });
        } else {
            // An answer in one piece is made to its end, whether anybody waits for it or not.
            drop(hold);
        }
    }

    /// What the request has used is known, as far as it will ever be.
    fn settle_claim(&mut self) {
        if let Some(hold) = self.hold.take() {
            if self.record.usage_estimated && !hold.stream {
                // Nobody waited for all of an answer that is made in one piece, and told at its end what it took.
                self.claim = None;
                return drop(hold);
            }
            let usage = self.record.usage.as_ref();
            let tokens = usage.map(|usage| usage.input_tokens.saturating_add(usage.output_tokens));
            hold.settle(Used {
                // What is charged for by something else has no tokens.
                tokens: tokens.or(self.unit_cost.map(|_| 0)),
                nanos: self.record.cost_nanos.map(nanos),
            });
        }
        self.claim = None;
    }

    fn settle_attempt(&mut self) {
        if let Some(since) = self.attempt.take() {
            self.record.upstream_us += micros(since.elapsed());
        }
    }

    fn closed(mut self: Box<Self>) -> (Recorder, Box<RequestRecord>) {
        if let Some(Receiving(bytes)) = &self.receiving {
            self.record.bytes_in = bytes();
        }
        self.estimate_usage();
        self.settle_tokens();
        self.settle_attempt();
        if let Some(rules) = &self.rules {
            self.record.guardrails = rules.take();
        }
        self.record.latency_us = micros(self.started.elapsed());
        self.record.cost_nanos = match (&self.record.usage, &self.price) {
            (Some(usage), Some(price)) => Some(price.cost(usage)),
            _ => self.unit_cost,
        };
        self.settle_claim();
        if let Some(capture) = self.payload.take() {
            capture.end(self.record.id, self.record.started_at_us);
        }
        (self.recorder, self.record)
    }
}

fn nanos(cost: i64) -> u64 {
    u64::try_from(cost).unwrap_or(0)
}

/// With names that are not too long.
fn cut_losses(losses: &Losses) -> Losses {
    let names = |names: &[Cow<'static, str>]| -> Vec<Cow<'static, str>> {
        let names = names.iter();
        names
            .map(|name| match name {
                Cow::Borrowed(name) => Cow::Borrowed(*name),
                Cow::Owned(name) => Cow::Owned(cut(name, MAX_NAME).to_owned()),
            })
            .collect()
    };
    Losses {
        dropped: names(&losses.dropped),
        emulated: names(&losses.emulated),
    }
}

pub(super) fn micros(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// At most `limit` bytes of the text's beginning.
fn cut(text: &str, limit: usize) -> &str {
    let mut end = text.len().min(limit);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

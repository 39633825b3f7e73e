//! What a call may cost, taken from the accounts of its request before it is made.

use bytes::Bytes;
use http::Method;
use llm::ChatCodec;
use llm::ceiling::{self, Ceiling};
use llm::chat::ChatRequest;
use llm::codec::WireRequest;
use llm::error::{ApiError, ErrorKind, ErrorSource};
use llm::json::Object;
use llm::segments::Segments;
use memchr::memmem;
use serde_json::Value;

use super::asked::Asked;
use super::attempts::{Outcome, Unanswered};
use super::parameters::with_parameter;
use crate::budgets::Claim;
use crate::recording::trial::Trial;

/// A request that may be sent. There is no other way to send one.
pub(super) struct Covered(WireRequest);

impl Covered {
    /// A request that no client is charged for.
    pub fn free(wire: WireRequest) -> Self {
        Self(wire)
    }

    pub fn into_wire(self) -> WireRequest {
        self.0
    }
}

impl Asked<'_> {
    /// A chat request. One that sets no limit to its answer is given one where tokens or money are limited.
    pub fn cover_chat(
        &self,
        trial: &mut Trial,
        mut wire: WireRequest,
        codec: &dyn ChatCodec,
        request: &ChatRequest,
    ) -> Outcome<Covered> {
        let Some(claim) = &self.claim else {
            return Ok(Covered(wire));
        };
        let ceiling = self.bound_chat(claim, &mut wire, codec, request);
        self.take(claim, trial, ceiling, request.stream)?;
        Ok(Covered(wire))
    }

    /// The most that a chat request can use, where that matters; one that sets no limit to its answer is given one.
    fn bound_chat(
        &self,
        claim: &Claim,
        wire: &mut WireRequest,
        codec: &dyn ChatCodec,
        request: &ChatRequest,
    ) -> Option<Ceiling> {
        claim.limits_use().then(|| {
            let assumed = claim.assumed_output();
            let body = wire.body.concat();
            let object = Object::scan(body.clone()).ok();
            let (ceiling, answer) = ceiling::chat(codec.protocol(), &body, object.as_ref());
            let chosen = |limit: &u64| *limit <= assumed || self.is_chosen(request, wire, &body);
            let limit = match answer.limit.filter(chosen) {
                Some(limit) => limit,
                None => {
                    wire.body = limited(body, object, codec.output_limit(), assumed);
                    assumed
                }
            };
            Ceiling {
                output_tokens: limit.saturating_mul(answer.alternatives),
                ..ceiling
            }
        })
    }

    /// A chat request as [`cover_chat`](Self::cover_chat) would let it be sent, and the most that it can use. Nothing
    /// is taken.
    ///
    /// # Errors
    /// It would not be sent.
    pub fn would_cover_chat(
        &self,
        mut wire: WireRequest,
        codec: &dyn ChatCodec,
        request: &ChatRequest,
    ) -> (WireRequest, Ceiling, Outcome<()>) {
        let Some(claim) = &self.claim else {
            let body = wire.body.concat();
            let object = Object::scan(body.clone()).ok();
            let (ceiling, answer) = ceiling::chat(codec.protocol(), &body, object.as_ref());
            let limit = answer.limit.unwrap_or_default();
            let ceiling = Ceiling {
                output_tokens: limit.saturating_mul(answer.alternatives),
                ..ceiling
            };
            return (wire, ceiling, Ok(()));
        };
        let ceiling = self.bound_chat(claim, &mut wire, codec, request);
        let most = ceiling.unwrap_or_default();
        let covered = self.nanos(claim, &most).and_then(|nanos| {
            let covered = claim.would_cover(most.tokens(), nanos);
            covered.map_err(Unanswered::Unfit)
        });
        (wire, most, covered)
    }

    /// Whether somebody wanted this very limit, and not the codec for want of one.
    fn is_chosen(&self, request: &ChatRequest, wire: &WireRequest, body: &Bytes) -> bool {
        let said = || {
            let prompt = request.prompt();
            prompt.is_ok_and(|prompt| prompt.max_output_tokens.is_some())
        };
        // With a part of it set aside for thoughts the rest is not to be shortened.
        wire.form.carried
            || self.candidate.parameters.is_some()
            || memmem::find(body, b"\"thinking\"").is_some()
            || said()
    }

    /// A request of which `ceiling` knows the most that it can consume. `None`: nobody does.
    pub fn cover(
        &self,
        trial: &mut Trial,
        wire: WireRequest,
        stream: bool,
        ceiling: impl FnOnce(&Bytes) -> Option<Ceiling>,
    ) -> Outcome<Covered> {
        let Some(claim) = &self.claim else {
            return Ok(Covered(wire));
        };
        let most = match claim.limits_use() {
            false => None,
            true => Some(ceiling(&wire.body.concat()).ok_or_else(|| unbounded(claim, &wire))?),
        };
        self.take(claim, trial, most, stream)?;
        Ok(Covered(wire))
    }

    /// A request to an endpoint of the provider's own: what it can consume, nobody knows.
    pub fn cover_forwarded(&self, trial: &mut Trial, wire: WireRequest) -> Outcome<Covered> {
        let is_free = matches!(
            wire.method,
            Method::GET | Method::HEAD | Method::DELETE | Method::OPTIONS
        );
        self.cover(trial, wire, false, |_| is_free.then(Ceiling::default))
    }

    /// Takes it from the accounts, for this call.
    fn take(
        &self,
        claim: &Claim,
        trial: &mut Trial,
        most: Option<Ceiling>,
        stream: bool,
    ) -> Outcome<()> {
        let most = most.unwrap_or_default();
        let nanos = self.nanos(claim, &most).inspect_err(|_| trial.refused())?;
        match claim.cover(most.tokens(), nanos, stream) {
            Ok(hold) => {
                trial.hold(hold);
                Ok(())
            }
            Err(error) => {
                trial.refused();
                Err(Unanswered::Unfit(error))
            }
        }
    }

    /// What that costs at most, billionths of a US dollar.
    fn nanos(&self, claim: &Claim, most: &Ceiling) -> Outcome<u64> {
        let (price, unit) = (self.policies.price(self.candidate), self.unit_price());
        match most.cost(price.as_ref(), unit.as_ref()) {
            Some(nanos) => Ok(nanos),
            None if claim.limits_money() && *most != Ceiling::default() => {
                Err(self.unpriced(claim))
            }
            None => Ok(0),
        }
    }

    fn unpriced(&self, claim: &Claim) -> Unanswered {
        let message = format!(
            "The budget `{}` limits what this request may cost, and the price of the model `{}` of the provider `{}` is \
             not known. Its operator can tell it with [[prices]] in the gateway's configuration.",
            claim.strictest(),
            self.candidate.model,
            self.upstream.name
        );
        refused(message, "price_unknown")
    }
}

/// The body with a limit to the answer's length. `name` leads into objects with its dots. What is no object stays.
fn limited(body: Bytes, object: Option<Object>, name: &str, limit: u64) -> Segments {
    let Some(object) = object else {
        return body.into();
    };
    // A field of Gemini's may be spelled in two ways, but not in both at once.
    let name = match name.split_once('.') {
        Some(("generationConfig", _)) if object.get("generation_config").is_some() => {
            "generation_config.max_output_tokens"
        }
        _ => name,
    };
    with_parameter(object, name, &Value::from(limit)).unwrap_or_else(|| body.into())
}

fn unbounded(claim: &Claim, wire: &WireRequest) -> Unanswered {
    let message = format!(
        "The budget `{}` limits what this request may use, and what `{} {}` can use is not known beforehand.",
        claim.strictest(),
        wire.method,
        wire.path
    );
    refused(message, "use_unknown")
}

fn refused(message: String, code: &'static str) -> Unanswered {
    let error = ApiError::new(ErrorKind::PermissionDenied, ErrorSource::Policy, message);
    Unanswered::Unfit(error.with_code(code))
}

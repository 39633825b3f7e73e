//! A chat request that goes through all of its stages, and nowhere: [`Gateway::chat`](super::Gateway::chat) without
//! what leaves traces. Whoever changes one changes the other; a test compares what is shown with what is sent.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::Utc;
use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};
use http::{HeaderName, HeaderValue};
use llm::chat::ChatRequest;
use llm::error::{ApiError, ErrorKind, ErrorSource};
use shared::CostNanos;
use shared::dry_run::{
    CacheOutlook, DryRun, DryRunOutcome, DryRunRefusal, RuleOutlook, TargetOutlook, UpstreamRequest,
};
use shared::routing::TargetState;

use super::asked::Asked;
use super::attempts::Unanswered;
use super::chat::{ChatCall, Encoded};
use super::context::Context;
use super::facts::{Asking, BYTES_PER_TOKEN};
use super::secrets::Secrets;
use super::{Gateway, Terms, moment};
use crate::availability::Availability;
use crate::budgets::Claim;
use crate::cache::{self, Question};
use crate::config::MASK;
use crate::guardrails::Checked;
use crate::recording::record::CacheOutcome;
use crate::recording::request::Arrival;
use crate::routing::{Candidate, Next};
use crate::transport::Transport;

/// Targets that are told of at most.
const MOST_TARGETS: usize = 50;

/// A request that is only tried out. Nothing is recorded of it, however it ends.
#[derive(Debug)]
pub struct Rehearsal {
    context: Context,
}

impl Drop for Rehearsal {
    fn drop(&mut self) {
        self.context.recording.forget();
    }
}

impl Rehearsal {
    pub fn context(&mut self) -> &mut Context {
        &mut self.context
    }
}

impl Gateway {
    /// As [`begin`](Self::begin) and [`admit`](Self::admit), of a request that goes nowhere.
    ///
    /// # Errors
    /// The key is not taken.
    pub fn rehearse(
        &self,
        arrival: Arrival,
        key: Option<&str>,
        address: Option<std::net::IpAddr>,
    ) -> Result<Rehearsal, ApiError> {
        let mut rehearsal = Rehearsal {
            context: self.begin(arrival),
        };
        let context = &mut rehearsal.context;
        let mut caller = context.policies.keys.caller(key, Utc::now())?;
        caller.address = address;
        context.caller = caller;
        Ok(rehearsal)
    }

    /// What would become of a chat request, as far as it can be known without sending it.
    pub async fn chat_outlook(
        &self,
        rehearsal: &mut Rehearsal,
        request: &ChatRequest,
        terms: Terms<'_>,
        run: &mut DryRun,
    ) -> Result<(), ApiError> {
        let context = &mut rehearsal.context;
        let policies = Arc::clone(&context.policies);
        run.model = request.model.as_deref().map(str::to_owned);
        run.stream = request.stream;
        let asking = Asking::chat(request, &terms);
        // Without a permit no rate is taken from.
        self.ask(context, &asking, request.stream)?;
        let tokens = context.recording.text_in().div_ceil(BYTES_PER_TOKEN);
        run.limits = policies
            .limits
            .outlook(&context.caller, asking.model, tokens);
        if let Some(message) = run.limits.iter().find_map(|limit| limit.refuses.as_ref()) {
            let error = ApiError::new(ErrorKind::RateLimited, ErrorSource::Policy, message.clone());
            run.refusal = Some(refusal(&error.with_code("rate_limit_exceeded")));
        }
        if let Some(claim) = context.recording.claim() {
            let accounts: Vec<_> = claim.accounts().collect();
            run.budgets = policies.budgets.states(usize::MAX);
            run.budgets.retain(|state| {
                let is = |(label, subject): &(String, Option<&str>)| {
                    *label == state.budget && *subject == state.subject.as_deref()
                };
                accounts.iter().any(is)
            });
        }

        let subject = context.caller.subject(request.model.as_deref());
        let report = policies.guardrails.rehearsal();
        let checked = policies
            .guardrails
            .check_request(&context.caller, request, Some(&report), None)
            .await;
        let rules = report.outcomes().take().into_iter();
        run.guardrails = rules
            .map(|outcome| RuleOutlook {
                rule: outcome.rule.to_string(),
                verdict: outcome.verdict,
                shadow: outcome.shadow,
            })
            .collect();
        let checked = checked?;
        let request = match &checked {
            Checked::Unchanged => request,
            Checked::Changed(changed) => changed,
            Checked::Answered(_) => {
                run.outcome = DryRunOutcome::Answered;
                return Ok(());
            }
        };
        let told = policies.system_prompts.tell(subject, request)?;
        run.system_prompt = told.after.as_deref().map(str::to_owned);
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
        run.cache = match policies.cache.outlook(&question) {
            CacheOutcome::Bypass => CacheOutlook::Bypass,
            CacheOutcome::Hit => CacheOutlook::Hit,
            CacheOutcome::Miss => CacheOutlook::Miss,
        };
        if run.cache == CacheOutlook::Hit {
            run.outcome = DryRunOutcome::Cached;
        }
        let moment = moment::now();
        let mut plan = Asking::chat(request, &terms)
            .plan(context, moment)?
            .rehearsed();
        let call = ChatCall {
            request,
            system_prompt: told.after.as_ref(),
            strict: terms.strict || policies.strict,
        };
        let availability = Availability::of(&policies);
        let mut refused = None;
        while let Next::Try(candidate) = plan.next(moment) {
            let (outlook, error) = self.target(context, &call, &candidate, &availability);
            run.targets.push(outlook);
            refused = refused.or(error);
            plan.unfit(&candidate);
            if run.targets.len() >= MOST_TARGETS {
                break;
            }
        }
        let fits = run.targets.iter().any(|target| target.unfit.is_none());
        match refused {
            Some(error) if !fits && run.outcome == DryRunOutcome::Sent => Err(error),
            _ => Ok(()),
        }
    }

    fn target(
        &self,
        context: &Context,
        call: &ChatCall<'_>,
        candidate: &Candidate,
        availability: &Availability<'_>,
    ) -> (TargetOutlook, Option<ApiError>) {
        let policies = &context.policies;
        let asked = Asked::new(&self.transport, policies, context, candidate);
        let price = policies.price(candidate);
        let (state, reason) = availability
            .standing(&asked.upstream.name, &candidate.model)
            .map_or((TargetState::Available, None), |(state, why)| {
                (state, Some(why))
            });
        let mut outlook = TargetOutlook {
            provider: asked.upstream.name.to_string(),
            model: candidate.model.to_string(),
            state,
            reason,
            unfit: None,
            dropped: Vec::new(),
            emulated: Vec::new(),
            input_price: price.map(|price| price.input),
            output_price: price.map(|price| price.output),
            at_most_tokens: 0,
            at_most_nanos: None,
            request: None,
        };
        let shown = self.shown(&asked, call, &mut outlook);
        let error = shown.err().map(|unanswered| match unanswered {
            Unanswered::Unfit(error) | Unanswered::Failed(error) => error,
        });
        outlook.unfit = error.as_ref().map(refusal);
        (outlook, error)
    }

    fn shown(
        &self,
        asked: &Asked<'_>,
        call: &ChatCall<'_>,
        outlook: &mut TargetOutlook,
    ) -> Result<(), Unanswered> {
        let Encoded {
            wire,
            losses,
            codec,
            ..
        } = call.encode(asked)?;
        let names = |names: &[std::borrow::Cow<'static, str>]| -> Vec<String> {
            names.iter().map(|name| name.clone().into_owned()).collect()
        };
        outlook.dropped = names(&losses.dropped);
        outlook.emulated = names(&losses.emulated);
        let (wire, most, covered) = asked.would_cover_chat(wire, codec, call.request);
        outlook.at_most_tokens = most.tokens();
        let (price, unit) = (asked.policies.price(asked.candidate), asked.unit_price());
        outlook.at_most_nanos = most
            .cost(price.as_ref(), unit.as_ref())
            .map(|nanos| CostNanos(i64::try_from(nanos).unwrap_or(i64::MAX)));
        let signed = asked.sign(wire)?;
        let (url, request) = Transport::outgoing(&asked.upstream.endpoint, signed)?;
        outlook.request = Some(upstream_request(asked, url, request));
        covered
    }
}

/// What would be sent, without its secrets.
fn upstream_request(
    asked: &Asked<'_>,
    mut url: String,
    request: http::Request<Vec<bytes::Bytes>>,
) -> UpstreamRequest {
    let secrets = asked.secrets();
    secrets.hide(&mut url);
    let (head, body) = request.into_parts();
    let mut headers = BTreeMap::new();
    for (name, value) in &head.headers {
        let value = shown_value(asked, &secrets, name, value);
        headers
            .entry(name.as_str().to_owned())
            .and_modify(|before: &mut String| {
                before.push_str(", ");
                before.push_str(&value);
            })
            .or_insert(value);
    }
    let length = body.iter().map(bytes::Bytes::len).sum::<usize>();
    headers.insert("content-length".to_owned(), length.to_string());
    UpstreamRequest {
        method: head.method.to_string(),
        url,
        headers,
        body: String::from_utf8_lossy(&body.concat()).into_owned(),
    }
}

/// A header's value. One that an operator wrote may hold a secret, whatever its name.
fn shown_value(
    asked: &Asked<'_>,
    secrets: &Secrets,
    name: &HeaderName,
    value: &HeaderValue,
) -> String {
    let is_credential = [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE].contains(name)
        || asked.upstream.kind.auth.header_name().as_ref() == Some(name)
        || value.is_sensitive();
    if is_credential {
        return MASK.to_owned();
    }
    let mut shown = String::from_utf8_lossy(value.as_bytes()).into_owned();
    secrets.hide(&mut shown);
    shown
}

/// An error as operators see it.
pub(crate) fn refusal(error: &ApiError) -> DryRunRefusal {
    DryRunRefusal {
        status: error.kind.status(),
        kind: error.kind.as_str().to_owned(),
        code: error.code.as_ref().map(|code| code.clone().into_owned()),
        message: error.message.clone(),
    }
}

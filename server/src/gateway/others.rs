//! Asking others about a text, for the operator's rules: a moderation model, or a service of the operator's.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderValue, Method};
use llm::carried::with_model;
use llm::chat::Losses;
use llm::codec::{ReplyForm, WireRequest};
use llm::moderations::MODERATIONS;
use tokio::time::Instant;

use super::asked::Asked;
use super::attempts::Unanswered;
use super::context::Context;
use super::covered::Covered;
use super::facts::{Asking, endpoint_of};
use super::{Terms, moment};
use crate::config::Timeouts;
use crate::guardrails::Ask;
use crate::routing::Next;
use crate::transport::{Endpoint, HttpEndpoint, Origin, Transport};

/// What a service says of a text is short.
const MAX_REPLY: usize = 1 << 20;

/// Asks on behalf of one request. What that costs is on a record of its own, and counts for no limit of the caller's.
#[derive(Debug)]
pub(super) struct Others {
    transport: Transport,
    /// What the context of each call is made like. No request goes with it.
    template: Mutex<Context>,
    timeouts: Timeouts,
}

impl Drop for Others {
    fn drop(&mut self) {
        let template = self.template.get_mut();
        let template = template.unwrap_or_else(PoisonError::into_inner);
        template.recording.forget();
    }
}

impl Others {
    /// `None`: no rule wants to know.
    pub fn of(transport: &Transport, context: &Context) -> Option<Arc<dyn Ask>> {
        if !context.policies.guardrails.asks_others() {
            return None;
        }
        Some(Arc::new(Self {
            transport: transport.clone(),
            template: Mutex::new(context.shadow()),
            timeouts: context.policies.timeouts,
        }))
    }
}

#[async_trait]
impl Ask for Others {
    async fn moderate(&self, model: &str, body: Bytes) -> Result<Bytes, String> {
        let template = self.template.lock();
        let mut context = template.unwrap_or_else(PoisonError::into_inner).shadow();
        let policies = Arc::clone(&context.policies);
        context.recording.asked(Some(model), false);
        context.recording.received(&body);
        let terms = Terms::default();
        let asking = Asking {
            body: &body,
            ..Asking::new(endpoint_of(&MODERATIONS), Some(model), &terms)
        };
        let plan = asking.plan(&context, moment::now());
        let mut plan = plan.map_err(|error| error.message)?;
        let mut failure = "it has no target".to_owned();
        while let Next::Try(candidate) = plan.next(moment::now()) {
            let asked = Asked::new(&self.transport, &policies, &context, &candidate);
            let offered = (MODERATIONS.offered)(&asked.upstream.kind.modalities);
            let Some(body) = with_model(&body, &candidate.model).ok().filter(|_| offered) else {
                failure = format!(
                    "the provider `{}` offers no moderations",
                    asked.upstream.name
                );
                plan.unfit(&candidate);
                continue;
            };
            let paths = asked.upstream.kind.paths;
            let wire = WireRequest {
                method: Method::POST,
                path: paths.path(MODERATIONS.path, &asked.target()),
                headers: json(),
                body,
                losses: Losses::default(),
                form: ReplyForm::default(),
            };
            let mut in_use = candidate.state.begin(candidate.key, moment::now());
            let mut trial = asked.trial(&context.recording);
            let told = async {
                // The operator's own doing, which no client pays for.
                let wire = Covered::free(asked.shape(wire));
                let reply = asked.send(&mut trial, wire, asked.errors()).await?;
                Ok::<_, Unanswered>(reply.body.collect(MAX_REPLY).await?)
            };
            match told.await {
                Ok(reply) => {
                    in_use.answered(trial.began().elapsed(), moment::now());
                    context.won(&mut trial);
                    context.recording.responding(200);
                    context.recording.end();
                    return Ok(reply);
                }
                Err(Unanswered::Unfit(error)) => {
                    failure = error.message;
                    plan.unfit(&candidate);
                }
                Err(Unanswered::Failed(mut error)) => {
                    asked.secrets().hide(&mut error.message);
                    context.recording.attempt_failed(&mut trial, &error);
                    context.recording.failed(&error);
                    context.recording.responding(error.status());
                    plan.failed(&candidate, &error, moment::now());
                    in_use.failed(&error, moment::now());
                    failure = error.message;
                }
            }
        }
        Err(failure)
    }

    async fn post(&self, url: &str, body: Bytes, timeout: Duration) -> Result<Bytes, String> {
        let uri: http::Uri = url.parse().map_err(|_| "the URL is none".to_owned())?;
        let origin = Origin::of(&uri)?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let mut headers = json();
        headers.insert(HOST, origin.host_header().clone());
        let endpoint = Endpoint::Http(HttpEndpoint {
            origin,
            base_path: String::new(),
            headers: HeaderMap::new(),
        });
        let request = WireRequest {
            method: Method::POST,
            path: path.to_owned(),
            headers,
            body: body.into(),
            losses: Losses::default(),
            form: ReplyForm::default(),
        };
        let give_up = Instant::now() + timeout;
        let posted = async {
            let sent = self
                .transport
                .send(&endpoint, request, &self.timeouts, give_up)
                .await;
            let reply = sent.map_err(|error| error.to_string())?;
            if !reply.status.is_success() {
                return Err(format!("it answered {}", reply.status.as_u16()));
            }
            let body = reply.body.collect(MAX_REPLY).await;
            body.map_err(|error| error.to_string())
        };
        tokio::time::timeout(timeout, posted)
            .await
            .unwrap_or_else(|_| Err(format!("no answer within {} ms", timeout.as_millis())))
    }
}

fn json() -> HeaderMap {
    HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))])
}

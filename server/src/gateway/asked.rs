//! The target of one attempt, and what all attempts have in common.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use llm::ChatCodec;
use llm::chat::{Losses, Protocol};
use llm::codec::{Target, WireRequest};
use llm::error::{ApiError, ErrorKind, ErrorSource};
use llm::pricing::UnitPrice;
use tokio::time::Instant;

use super::attempts::{Outcome, Unanswered};
use super::context::Context;
use super::covered::Covered;
use super::parameters::with_parameters;
use super::secrets::Secrets;
use crate::budgets::Claim;
use crate::policies::{Policies, Upstream};
use crate::recording::request::Recording;
use crate::recording::trial::Trial;
use crate::routing::Candidate;
use crate::transport::{Transport, Upload, UpstreamReply};

/// An error's body is for reading, not for streaming.
const MAX_ERROR_BODY: usize = 1 << 20;
/// A reply that is not streamed is held in memory.
pub(super) const MAX_REPLY_BODY: usize = 64 << 20;

/// Whom to ask.
pub(super) struct Asked<'a> {
    pub transport: &'a Transport,
    pub policies: &'a Policies,
    pub upstream: &'a Arc<Upstream>,
    pub candidate: &'a Candidate,
    /// When the call has to be over.
    pub give_up: Instant,
    /// When the answer has to have begun.
    pub first_token: Option<Instant>,
    /// The client's own key, where it goes upstream.
    pub client_key: Option<Arc<str>>,
    /// What the request takes of quotas and budgets.
    pub claim: Option<Claim>,
}

impl<'a> Asked<'a> {
    /// A call that begins now.
    pub fn new(
        transport: &'a Transport,
        policies: &'a Policies,
        context: &Context,
        candidate: &'a Candidate,
    ) -> Self {
        let upstream = policies.upstream(candidate);
        let timeouts = &upstream.timeouts;
        Self {
            transport,
            policies,
            upstream,
            candidate,
            give_up: context.recording.started() + timeouts.total,
            first_token: timeouts.first_token.map(|limit| Instant::now() + limit),
            client_key: context.client_key_for(upstream),
            claim: context.recording.claim().cloned(),
        }
    }

    /// What is to be learnt of the call.
    pub fn trial(&self, recording: &Recording) -> Trial {
        let (provider, model) = (self.upstream.name.clone(), self.candidate.model.clone());
        recording.trial(provider, model, self.policies.price(self.candidate))
    }

    /// What no message of the call may show.
    pub fn secrets(&self) -> Secrets {
        Secrets {
            upstream: Arc::clone(self.upstream),
            client_key: self.client_key.clone(),
        }
    }

    /// Waits for the beginning of the answer, for as long as the operator allows.
    pub async fn in_time<T>(
        &self,
        mut begun: Pin<&mut impl Future<Output = Outcome<T>>>,
    ) -> Outcome<T> {
        let Some(limit) = self.first_token else {
            return begun.await;
        };
        match tokio::time::timeout_at(limit, begun.as_mut()).await {
            Ok(begun) => begun,
            Err(_) => {
                let waited = self.upstream.timeouts.first_token.unwrap_or_default();
                let message = format!("the upstream sent no first token within {waited:?}");
                let error = ApiError::new(ErrorKind::Timeout, ErrorSource::Provider, message);
                Err(error.into())
            }
        }
    }

    /// The request with the parameters that the operator wants for this target.
    pub fn shape(&self, mut request: WireRequest) -> WireRequest {
        if let Some(parameters) = &self.candidate.parameters {
            request.body = with_parameters(request.body, parameters.iter());
        }
        request
    }

    /// The request with the key that this call is made with, where that is not the same for every call.
    pub fn sign(&self, mut request: WireRequest) -> Result<WireRequest, ApiError> {
        let chosen = self.candidate.key.unwrap_or(0);
        if let Some((name, value)) = self.upstream.credentials.get(chosen) {
            request.headers.insert(name.clone(), value.clone());
        } else if let Some(key) = &self.client_key {
            let header = self.upstream.kind.auth.header(key).map_err(|_| {
                ApiError::invalid("The API key holds characters that no header may hold.")
            })?;
            if let Some((name, value)) = header {
                request.headers.insert(name, value);
            }
        }
        Ok(request)
    }
    /// The target as codecs see it.
    pub fn target(&self) -> Target<'_> {
        Target {
            api_version: self.upstream.api_version.as_deref(),
            ..Target::new(&self.candidate.model)
        }
    }

    /// Sends a request; returns once the head of a good reply is there.
    pub async fn send(
        &self,
        trial: &mut Trial,
        request: Covered,
        errors: &dyn ChatCodec,
    ) -> Outcome<UpstreamReply> {
        let reply = self.exchange(trial, request).await?;
        if reply.status.is_success() {
            return Ok(reply);
        }
        Err(self.failure(reply, errors).await?.error.into())
    }

    /// Sends a request; returns once the head of any reply is there.
    pub async fn exchange(&self, trial: &mut Trial, request: Covered) -> Outcome<UpstreamReply> {
        let upstream = self.upstream;
        let request = self.sign(request.into_wire())?;
        let reply = self
            .transport
            .send_telling(
                &upstream.endpoint,
                request,
                &upstream.timeouts,
                self.give_up,
                &mut trial.sent,
            )
            .await?;
        trial.answered(reply.status.as_u16());
        Ok(reply)
    }

    /// Sends a request whose body is still coming.
    pub async fn upload(
        &self,
        trial: &mut Trial,
        request: Covered,
        upload: Upload,
    ) -> Outcome<UpstreamReply> {
        let upstream = self.upstream;
        let request = self.sign(request.into_wire())?;
        let reply = self
            .transport
            .upload(
                &upstream.endpoint,
                request,
                upload,
                &upstream.timeouts,
                self.give_up,
                &mut trial.sent,
            )
            .await?;
        trial.answered(reply.status.as_u16());
        Ok(reply)
    }

    /// Reads a reply with an error status.
    pub async fn failure(&self, reply: UpstreamReply, errors: &dyn ChatCodec) -> Outcome<Failure> {
        let body = reply.body.collect(MAX_ERROR_BODY).await?;
        let error = errors.decode_error(reply.status.as_u16(), &reply.headers, &body);
        Ok(Failure {
            error,
            status: reply.status,
            body,
        })
    }

    /// What the model costs where it is not charged by tokens.
    pub fn unit_price(&self) -> Option<UnitPrice> {
        self.policies.unit_price(self.candidate)
    }

    /// The codec that reads the errors of endpoints beside chat.
    pub fn errors(&self) -> &'static dyn ChatCodec {
        self.upstream.codec_for(Protocol::OpenAiChat)
    }

    /// What a strict request is told that cannot be carried whole.
    ///
    /// # Errors
    /// `unsupported_parameter`, naming all that would be left out.
    pub fn check_losses(&self, losses: &Losses, strict: bool) -> Outcome<()> {
        let Some(first) = losses.dropped.first() else {
            return Ok(());
        };
        if !strict && !self.candidate.strict {
            return Ok(());
        }
        let names: Vec<String> = losses
            .dropped
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
        let message = format!(
            "The provider `{}` cannot be told {}, and this request is strict: nothing may be left out of it.",
            self.upstream.name,
            names.join(", ")
        );
        let error = ApiError::invalid(message)
            .with_code("unsupported_parameter")
            .with_param(first.clone());
        Err(Unanswered::Unfit(error))
    }

    /// The provider has nothing of this kind.
    pub fn lacks(&self, what: &str) -> Unanswered {
        let message = format!(
            "The provider `{}` ({}) does not offer {what}.",
            self.upstream.name, self.upstream.kind.title
        );
        let error = ApiError::new(ErrorKind::InvalidRequest, ErrorSource::Policy, message)
            .with_code("unsupported_endpoint");
        Unanswered::Unfit(error)
    }
}

/// A reply with an error status.
pub(super) struct Failure {
    pub error: ApiError,
    pub status: StatusCode,
    pub body: Bytes,
}

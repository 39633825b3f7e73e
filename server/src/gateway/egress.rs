//! A request to an HTTP API that is no model's.

use std::sync::Arc;

use http::{HeaderMap, Method};
use llm::chat::Losses;
use llm::codec::{ReplyForm, WireRequest};
use llm::error::ApiError;
use llm::segments::Segments;
use tokio::time::Instant;

use super::{Context, Gateway};
use crate::config::Timeouts;
use crate::egress::Target;
use crate::transport::{Upload, UpstreamReply};

/// What is passed on.
#[derive(Debug)]
pub struct EgressRequest {
    pub method: Method,
    /// Behind the API's URL, with its query: `/users?id=1`.
    pub path: String,
    pub headers: HeaderMap,
    /// `None`: it has no body.
    pub body: Option<Upload>,
}

impl Gateway {
    /// Lets a caller in whose request does not count against rates.
    ///
    /// # Errors
    /// His key is not taken, or the gateway serves as many requests as it may.
    pub fn admit_uncounted(
        &self,
        context: &mut Context,
        credential: Option<&str>,
    ) -> Result<(), ApiError> {
        self.recognise(context, credential)?;
        context.permit = Some(context.policies.limits.enter()?);
        Ok(())
    }

    /// Asks the API. Its answer is passed on whatever its status.
    ///
    /// # Errors
    /// It gives none.
    pub async fn egress(
        &self,
        target: &Arc<Target>,
        request: EgressRequest,
        timeouts: &Timeouts,
        give_up: Instant,
    ) -> Result<UpstreamReply, ApiError> {
        let wire = WireRequest {
            method: request.method,
            path: request.path,
            headers: request.headers,
            body: Segments::default(),
            losses: Losses::default(),
            form: ReplyForm::default(),
        };
        let endpoint = &target.endpoint;
        match request.body {
            Some(upload) => {
                self.transport
                    .upload(endpoint, wire, upload, timeouts, give_up, &mut false)
                    .await
            }
            None => {
                let sent = self.transport.send(endpoint, wire, timeouts, give_up);
                Ok(sent.await?)
            }
        }
    }
}

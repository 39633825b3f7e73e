//! Calls to upstreams: the only place that opens connections.
//!
//! HTTP/1.1 over a pool of our own. A connection is not a task: whoever waits for its reply drives
//! it, so a chunk crosses no queue and wakes nobody else, and chunks that are ready together are
//! read together. That is what the hot path's figures rest on (see ARCHITECTURE.md, "Speed").

mod connect;
mod connection;
mod deadline;
mod error;
mod pool;
mod reply;
mod resolver;
mod simulated;
mod tls;
mod upload;

#[cfg(test)]
mod tests;

pub use connect::Origin;
pub use error::TransportError;
pub use reply::{ReplyBody, UpstreamReply};
pub use tls::{CertificateError, OwnAuthorities};
pub use upload::{Progress, Upload, UploadSource};

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body_util::BodyExt;
use llm::codec::WireRequest;
use llm::error::ApiError;
use llm::simulated::SimulatedSettings;
use tokio::time::Instant;

use self::connect::Dialer;
use self::connection::{Answered, Connection, RequestBody};
use self::deadline::Limit;
use self::pool::Pool;
use self::reply::Home;
use self::resolver::System;
use crate::config::{Destinations, Timeouts};

/// Where a provider is, and how it wants to be called.
#[derive(Debug)]
pub enum Endpoint {
    Http(HttpEndpoint),
    /// Answered within the process.
    Simulated(SimulatedSettings),
}

/// An HTTP upstream.
#[derive(Debug)]
pub struct HttpEndpoint {
    pub origin: Origin,
    /// Put before every path, without a slash at its end: `/v1`.
    pub base_path: String,
    /// Sent with every request: host, credentials and what the operator configured.
    pub headers: HeaderMap,
}

/// Opens and keeps connections to upstreams.
#[derive(Clone, Debug)]
pub struct Transport {
    pool: Arc<Pool>,
    dialer: Arc<Dialer>,
}

impl Transport {
    pub fn new(own: OwnAuthorities, destinations: Destinations) -> Self {
        Self {
            pool: Arc::new(Pool::new(own)),
            dialer: Arc::new(Dialer {
                destinations,
                resolver: Box::new(System),
            }),
        }
    }

    /// Closes connections that have been idle for long. Runs for as long as the gateway does.
    pub async fn sweep(self) {
        let mut ticks = tokio::time::interval(Duration::from_secs(15));
        loop {
            ticks.tick().await;
            self.pool.evict_idle();
        }
    }

    /// Sends `request` and waits for the reply's head.
    ///
    /// `give_up` bounds the whole call, the reply's body included.
    pub async fn send(
        &self,
        endpoint: &Endpoint,
        request: WireRequest,
        timeouts: &Timeouts,
        give_up: Instant,
    ) -> Result<UpstreamReply, TransportError> {
        self.send_telling(endpoint, request, timeouts, give_up, &mut false)
            .await
    }

    /// The same, telling whether the upstream may have seen the request: `sent` is set before it goes out.
    pub async fn send_telling(
        &self,
        endpoint: &Endpoint,
        request: WireRequest,
        timeouts: &Timeouts,
        give_up: Instant,
        sent: &mut bool,
    ) -> Result<UpstreamReply, TransportError> {
        match endpoint {
            Endpoint::Simulated(settings) => {
                simulated::send(request, settings, timeouts, give_up, sent).await
            }
            Endpoint::Http(endpoint) => {
                self.send_http(endpoint, request, timeouts, give_up, sent)
                    .await
            }
        }
    }

    async fn send_http(
        &self,
        endpoint: &HttpEndpoint,
        request: WireRequest,
        timeouts: &Timeouts,
        give_up: Instant,
        sent: &mut bool,
    ) -> Result<UpstreamReply, TransportError> {
        // A pooled connection may have been closed by the other side just now. Where that shows
        // before any byte of a reply, the request goes out once more, on a fresh connection.
        if let Some(connection) = self.pool.take(&endpoint.origin).await {
            let limit = deadline::first_byte(timeouts, give_up);
            let request = outgoing(endpoint, &request)?;
            *sent = true;
            match connection.send(request, limit).await {
                Err(TransportError::StaleConnection) => {}
                Err(error) => return Err(error),
                Ok(reply) => return Ok(self.reply(endpoint, reply, timeouts, give_up)),
            }
        }
        let limit = deadline::connect(timeouts, give_up);
        let connection = self.connect(endpoint, limit).await?;
        let limit = deadline::first_byte(timeouts, give_up);
        let request = outgoing(endpoint, &request)?;
        *sent = true;
        let reply = connection
            .send(request, limit)
            .await
            .map_err(TransportError::on_fresh_connection)?;
        Ok(self.reply(endpoint, reply, timeouts, give_up))
    }

    /// As [`send`](Self::send), with a body that is still coming. It goes out once, over a fresh connection:
    /// nothing of it is kept that could be sent again. `sent` is set once all of it has gone out.
    ///
    /// # Errors
    /// The client's part in the failure, where it has one.
    pub async fn upload(
        &self,
        endpoint: &Endpoint,
        request: WireRequest,
        upload: Upload,
        timeouts: &Timeouts,
        give_up: Instant,
        sent: &mut bool,
    ) -> Result<UpstreamReply, ApiError> {
        let progress = upload.progress();
        let reply = match endpoint {
            Endpoint::Simulated(settings) => {
                let body = upload.collect().await?.to_bytes();
                let request = WireRequest {
                    body: body.into(),
                    ..request
                };
                simulated::send(request, settings, timeouts, give_up, sent).await
            }
            Endpoint::Http(endpoint) => {
                self.upload_http(endpoint, request, upload, timeouts, give_up, sent)
                    .await
            }
        };
        reply.map_err(|error| progress.take_failure().unwrap_or_else(|| error.into()))
    }

    async fn upload_http(
        &self,
        endpoint: &HttpEndpoint,
        request: WireRequest,
        upload: Upload,
        timeouts: &Timeouts,
        give_up: Instant,
        sent: &mut bool,
    ) -> Result<UpstreamReply, TransportError> {
        let progress = upload.progress();
        let request = head(endpoint, &request)?.map(|()| RequestBody::Upload(upload));
        let limit = deadline::connect(timeouts, give_up);
        let connection = self.connect(endpoint, limit).await?;
        let while_sending = deadline::total(timeouts, give_up);
        let then = || {
            *sent = true;
            deadline::first_byte(timeouts, give_up)
        };
        let reply = connection
            .upload(request, &progress, while_sending, then)
            .await?;
        Ok(self.reply(endpoint, reply, timeouts, give_up))
    }

    /// The request that [`send`](Self::send) would send: its URL, and its head.
    ///
    /// # Errors
    /// No URL can be made of the path.
    pub fn outgoing(
        endpoint: &Endpoint,
        request: WireRequest,
    ) -> Result<(String, http::Request<Vec<Bytes>>), TransportError> {
        let (origin, mut head) = match endpoint {
            Endpoint::Http(endpoint) => (endpoint.origin.url(), head(endpoint, &request)?),
            Endpoint::Simulated(_) => {
                let mut head = http::Request::new(());
                *head.method_mut() = request.method;
                *head.uri_mut() = request.path.parse().map_err(unfit_path)?;
                *head.headers_mut() = request.headers;
                ("simulated:".to_owned(), head)
            }
        };
        let path = std::mem::take(head.uri_mut());
        let body = request.body.into_iter().collect();
        Ok((format!("{origin}{path}"), head.map(|()| body)))
    }

    async fn connect(
        &self,
        endpoint: &HttpEndpoint,
        limit: Limit,
    ) -> Result<Box<Connection>, TransportError> {
        let tls = self.pool.tls();
        Connection::open(&endpoint.origin, tls, &self.dialer, limit).await
    }

    fn reply(
        &self,
        endpoint: &HttpEndpoint,
        (head, body, connection): Answered,
        timeouts: &Timeouts,
        give_up: Instant,
    ) -> UpstreamReply {
        let home = Home {
            pool: self.pool.clone(),
            origin: endpoint.origin.clone(),
        };
        UpstreamReply::http(head, body, connection, home, timeouts, give_up)
    }
}

fn unfit_path(error: http::uri::InvalidUri) -> TransportError {
    TransportError::BadRequest(error.to_string())
}

/// The request to an upstream, which it can be more than once.
fn outgoing(
    endpoint: &HttpEndpoint,
    request: &WireRequest,
) -> Result<http::Request<RequestBody>, TransportError> {
    let body = RequestBody::new(request.body.parts().to_vec());
    Ok(head(endpoint, request)?.map(|()| body))
}

/// All of it but its body.
fn head(
    endpoint: &HttpEndpoint,
    request: &WireRequest,
) -> Result<http::Request<()>, TransportError> {
    let path = [endpoint.base_path.as_str(), request.path.as_str()].concat();
    let mut head = http::Request::new(());
    *head.method_mut() = request.method.clone();
    *head.uri_mut() = http::Uri::try_from(path).map_err(unfit_path)?;
    let headers = head.headers_mut();
    *headers = endpoint.headers.clone();
    headers.reserve(request.headers.len());
    for (name, value) in &request.headers {
        // What the operator configured wins.
        headers.entry(name).or_insert_with(|| value.clone());
    }
    Ok(head)
}

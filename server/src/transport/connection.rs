//! One HTTP/1.1 connection, driven by whoever waits for its reply.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use llm::error::ApiError;

use super::connect::{Dialer, Origin, Received, Stream};
use super::deadline::Limit;
use super::error::TransportError;
use super::upload::{Progress, Upload};

/// A reply's head, its body to come, and the connection that has to be driven for it.
pub(super) type Answered = (http::response::Parts, Incoming, Box<Connection>);

type Driver = http1::Connection<TokioIo<Stream>, RequestBody>;

/// An open connection. hyper splits it into a sender and a driver; both live here, and polling the
/// reply polls the driver.
pub(super) struct Connection {
    sender: http1::SendRequest<RequestBody>,
    driver: Driver,
    received: Received,
    used: bool,
}

impl Connection {
    pub async fn open(
        origin: &Origin,
        tls: impl FnOnce() -> std::sync::Arc<rustls::ClientConfig>,
        dialer: &Dialer,
        limit: Limit,
    ) -> Result<Box<Self>, TransportError> {
        let stream = tokio::time::timeout_at(limit.at, origin.connect(tls, dialer))
            .await
            .map_err(|_| limit.error())??;
        let received = stream.received();
        let (sender, driver) = http1::Builder::new()
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| TransportError::Protocol(error.to_string()))?;
        Ok(Box::new(Self {
            sender,
            driver,
            received,
            used: false,
        }))
    }

    /// Sends a request and waits for the reply's head.
    pub async fn send(
        self: Box<Self>,
        request: http::Request<RequestBody>,
        limit: Limit,
    ) -> Result<Answered, TransportError> {
        self.exchange(request, limit, || None).await
    }

    /// Sends a request whose body is still coming. `while_sending` holds for that; then it is the answer that
    /// is waited for, for as long as `then` says.
    pub async fn upload(
        self: Box<Self>,
        request: http::Request<RequestBody>,
        progress: &Progress,
        while_sending: Limit,
        mut then: impl FnMut() -> Limit,
    ) -> Result<Answered, TransportError> {
        let mut sending = true;
        let next = || {
            if sending && progress.is_over() {
                sending = false;
                return Some(then());
            }
            None
        };
        self.exchange(request, while_sending, next).await
    }

    /// `next` may give another limit at any time.
    async fn exchange(
        mut self: Box<Self>,
        request: http::Request<RequestBody>,
        mut limit: Limit,
        mut next: impl FnMut() -> Option<Limit>,
    ) -> Result<Answered, TransportError> {
        let before = self.received.bytes();
        let mut sent = pin!(self.sender.send_request(request));
        let mut late = pin!(tokio::time::sleep_until(limit.at));
        let driver = &mut self.driver;
        let mut closed = false;
        let reply = poll_fn(|cx| {
            if !closed {
                closed = Pin::new(&mut *driver).poll(cx).is_ready();
            }
            if let Poll::Ready(reply) = sent.as_mut().poll(cx) {
                return Poll::Ready(Ok(reply));
            }
            if let Some(next) = next() {
                late.as_mut().reset(next.at);
                limit = next;
            }
            late.as_mut().poll(cx).map(Err)
        });
        match reply.await {
            Ok(Ok(reply)) => {
                self.used = true;
                let (head, body) = reply.into_parts();
                Ok((head, body, self))
            }
            Ok(Err(error)) => Err(self.no_reply(&error, before)),
            Err(()) => Err(limit.error()),
        }
    }

    /// What it means that no head came; `before` is what had been received when the request went out.
    fn no_reply(&self, error: &hyper::Error, before: u64) -> TransportError {
        let closed = error.is_canceled()
            || error.is_closed()
            || error.is_incomplete_message()
            || is_reset(error);
        let silent = self.received.bytes() == before;
        match (closed, silent) {
            (true, true) if self.used => TransportError::StaleConnection,
            (true, true) => TransportError::NoReply,
            (true, false) => TransportError::Cut(full_message(error)),
            (false, _) => TransportError::Protocol(full_message(error)),
        }
    }

    /// Lets the connection make progress; ready once it is closed.
    pub fn poll_drive(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), hyper::Error>> {
        Pin::new(&mut self.driver).poll(cx)
    }

    /// Whether the connection can take a request now; notices when the peer has closed it.
    pub fn poll_usable(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        if self.poll_drive(cx).is_ready() {
            return Poll::Ready(false);
        }
        Poll::Ready(matches!(self.sender.poll_ready(cx), Poll::Ready(Ok(()))))
    }
}

fn is_reset(error: &hyper::Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            return matches!(
                io.kind(),
                std::io::ErrorKind::ConnectionReset
                    | std::io::ErrorKind::BrokenPipe
                    | std::io::ErrorKind::ConnectionAborted
                    | std::io::ErrorKind::UnexpectedEof
            );
        }
        cause = error.source();
    }
    false
}

/// An error's message with those of its causes.
pub(super) fn full_message(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        message.push_str(": ");
        message.push_str(&error.to_string());
        cause = error.source();
    }
    message
}

/// A request's body.
pub(super) enum RequestBody {
    /// Some slices, written as they are.
    Whole {
        parts: std::vec::IntoIter<Bytes>,
        left: u64,
    },
    Upload(Upload),
}

impl RequestBody {
    pub fn new(parts: Vec<Bytes>) -> Self {
        Self::Whole {
            left: parts.iter().map(|part| part.len() as u64).sum(),
            parts: parts.into_iter(),
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = ApiError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ApiError>>> {
        match self.get_mut() {
            Self::Whole { parts, left } => {
                let part = parts.next();
                *left -= part.as_ref().map_or(0, |part| part.len() as u64);
                Poll::Ready(part.map(|part| Ok(Frame::data(part))))
            }
            Self::Upload(upload) => Pin::new(upload).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole { left, .. } => *left == 0,
            Self::Upload(upload) => upload.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole { left, .. } => SizeHint::with_exact(*left),
            Self::Upload(upload) => upload.size_hint(),
        }
    }
}

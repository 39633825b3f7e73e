//! An upstream's reply: its head, and its body as it comes.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode, header};
use http_body::Body;
use hyper::body::Incoming;
use llm::framing::Framer;
use tokio::time::Instant;

use super::connect::Origin;
use super::connection::{Connection, full_message};
use super::deadline::BodyDeadline;
use super::error::TransportError;
use super::pool::Pool;
use super::simulated::SimulatedBody;
use crate::config::Timeouts;

/// How long an upstream may take to end a body after the protocol has said that it is complete.
const AFTER_THE_END: Duration = Duration::from_secs(1);

/// What an upstream answered.
pub struct UpstreamReply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: ReplyBody,
}

impl UpstreamReply {
    pub(super) fn http(
        head: http::response::Parts,
        incoming: Incoming,
        connection: Box<Connection>,
        home: Home,
        timeouts: &Timeouts,
        give_up: Instant,
    ) -> Self {
        Self {
            status: head.status,
            headers: head.headers,
            body: ReplyBody {
                source: Source::Http {
                    incoming,
                    connection: Some(connection),
                    home,
                },
                deadline: BodyDeadline::new(timeouts, give_up),
            },
        }
    }

    pub(super) fn simulated(
        status: StatusCode,
        headers: HeaderMap,
        body: SimulatedBody,
        timeouts: &Timeouts,
        give_up: Instant,
    ) -> Self {
        Self {
            status,
            headers,
            body: ReplyBody {
                source: Source::Simulated(body),
                deadline: BodyDeadline::new(timeouts, give_up),
            },
        }
    }

    /// How the body is cut into frames, if it is a stream of them.
    pub fn framer(&self) -> Option<Framer> {
        let content_type = self.headers.get(header::CONTENT_TYPE)?;
        Framer::for_content_type(content_type.to_str().ok()?)
    }
}

impl std::fmt::Debug for UpstreamReply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UpstreamReply")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// A reply's body. Dropping it before its end closes the connection, which is how an upstream is
/// told that nobody listens any more.
pub struct ReplyBody {
    source: Source,
    deadline: BodyDeadline,
}

/// Where a connection goes when its reply is over.
pub(super) struct Home {
    pub pool: Arc<Pool>,
    pub origin: Origin,
}

enum Source {
    Http {
        incoming: Incoming,
        /// `None` once it was closed or given back.
        connection: Option<Box<Connection>>,
        home: Home,
    },
    Simulated(SimulatedBody),
}

impl ReplyBody {
    /// The next piece, as soon as there is one; `None` at the end.
    pub fn poll_chunk(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, TransportError>>> {
        let polled = match &mut self.source {
            Source::Simulated(body) => body.poll_chunk(cx),
            Source::Http {
                incoming,
                connection,
                home,
            } => poll_http(incoming, connection, home, cx),
        };
        match polled {
            Poll::Ready(chunk) => {
                self.deadline.touch();
                Poll::Ready(chunk)
            }
            Poll::Pending => self.deadline.poll(cx).map(|error| Some(Err(error))),
        }
    }

    /// Whether all of it has been handed out: known before the end is polled where a length was told.
    pub fn is_complete(&self) -> bool {
        match &self.source {
            Source::Http { incoming, .. } => incoming.is_end_stream(),
            Source::Simulated(_) => false,
        }
    }

    /// Reads what nobody needs, so that the connection can be used again; not for long.
    pub fn read_to_end(mut self) {
        if !self.has_connection() {
            return;
        }
        tokio::spawn(tokio::time::timeout(AFTER_THE_END, async move {
            while let Some(Ok(_)) = poll_fn(|cx| self.poll_chunk(cx)).await {}
        }));
    }

    fn has_connection(&self) -> bool {
        match &self.source {
            Source::Http { connection, .. } => connection.is_some(),
            Source::Simulated(_) => false,
        }
    }

    /// The whole body, at most `limit` bytes.
    pub async fn collect(mut self, limit: usize) -> Result<Bytes, TransportError> {
        let Some(first) = poll_fn(|cx| self.poll_chunk(cx)).await.transpose()? else {
            return Ok(Bytes::new());
        };
        let Some(second) = poll_fn(|cx| self.poll_chunk(cx)).await.transpose()? else {
            return Ok(first);
        };
        let mut whole = BytesMut::with_capacity((first.len() + second.len()) * 2);
        whole.extend_from_slice(&first);
        let mut next = Some(second);
        while let Some(chunk) = next {
            if whole.len() + chunk.len() > limit {
                return Err(TransportError::TooLarge { limit });
            }
            whole.extend_from_slice(&chunk);
            next = poll_fn(|cx| self.poll_chunk(cx)).await.transpose()?;
        }
        Ok(whole.freeze())
    }
}

impl std::fmt::Debug for ReplyBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReplyBody").finish_non_exhaustive()
    }
}

fn poll_http(
    incoming: &mut Incoming,
    connection: &mut Option<Box<Connection>>,
    home: &Home,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<Bytes, TransportError>>> {
    let mut driven = false;
    loop {
        match Pin::new(&mut *incoming).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                if let Ok(data) = frame.into_data() {
                    return Poll::Ready(Some(Ok(data)));
                }
            }
            Poll::Ready(Some(Err(error))) => {
                *connection = None;
                return Poll::Ready(Some(Err(TransportError::Cut(full_message(&error)))));
            }
            Poll::Ready(None) => {
                home.take_back(connection, cx);
                return Poll::Ready(None);
            }
            Poll::Pending if driven => return Poll::Pending,
            Poll::Pending => {
                driven = true;
                if let Some(open) = connection {
                    // However it closed, the body says whether that was its end.
                    if open.poll_drive(cx).is_ready() {
                        *connection = None;
                    }
                }
            }
        }
    }
}

impl Home {
    /// A connection that can take another request waits for it in the pool.
    fn take_back(&self, connection: &mut Option<Box<Connection>>, cx: &mut Context<'_>) {
        if let Some(mut connection) = connection.take()
            && matches!(connection.poll_usable(cx), Poll::Ready(true))
        {
            self.pool.put(&self.origin, connection);
        }
    }
}

//! Answers that are no chat as response bodies.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body::Frame;
use llm::carried::Meter;
use llm::error::ApiError;
use llm::pricing::UnitPrice;
use llm::segments::Segments;

use super::reply::{REQUEST_ID, WholeBody, request_id, tell_cached};
use super::{losses, rates, tried};
use crate::gateway::{Answer, Context, Passed, Secrets};
use crate::transport::ReplyBody;

/// The answer as it came.
pub(super) async fn respond(context: Context, answer: Answer) -> Response {
    match answer {
        Answer::Whole {
            status,
            headers,
            body,
        } => whole(context, status, headers, body).await,
        Answer::Passed(passed) => stream(context, *passed),
    }
}

/// A JSON document of the gateway's own making.
pub(super) async fn json(context: Context, body: Segments) -> Response {
    let json = HeaderValue::from_static("application/json");
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, json)]);
    whole(context, StatusCode::OK, headers, body).await
}

async fn whole(
    mut context: Context,
    status: StatusCode,
    headers: HeaderMap,
    body: Segments,
) -> Response {
    context.recording.responding(status.as_u16());
    let headers = with_own(&mut context, headers);
    let body = WholeBody::new(context, body.into_iter().collect()).await;
    answer(status, headers, Body::new(body))
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    content_type.is_some_and(|kind| kind.to_ascii_lowercase().starts_with(b"text/event-stream"))
}

fn stream(mut context: Context, passed: Passed) -> Response {
    context.recording.responding(passed.status.as_u16());
    if is_event_stream(&passed.headers) {
        context.recording.streamed();
    }
    let headers = with_own(&mut context, passed.headers);
    let mut body = PassedBody {
        context,
        source: Some((passed.body, passed.meter)),
        secrets: passed.secrets,
        unit: passed.unit,
        last: None,
        commit: None,
    };
    // Of a body without bytes nobody asks for the first one.
    body.finish_if_complete();
    if body.source.is_none() {
        body.context.recording.end();
    }
    answer(passed.status, headers, Body::new(body))
}

fn answer(status: StatusCode, headers: HeaderMap, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// With the headers that every answer of the gateway has.
fn with_own(context: &mut Context, mut headers: HeaderMap) -> HeaderMap {
    headers.insert(REQUEST_ID, request_id(context));
    tried::tell(tried::value(context), &mut headers);
    losses::tell(&context.losses, &mut headers);
    tell_cached(context.cached, &mut headers);
    if context.policies.limits.has_rates() {
        rates::remove(&mut headers);
        rates::tell(rates::of(context), &mut headers);
    }
    headers
}

/// A body that is handed over as it comes.
struct PassedBody {
    context: Context,
    /// `None` at its end.
    source: Option<(ReplyBody, Meter)>,
    secrets: Secrets,
    unit: Option<UnitPrice>,
    /// Where the record has to be committed before the end: the piece that may be the last one.
    last: Option<Bytes>,
    commit: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl PassedBody {
    fn poll_piece(&mut self, cx: &mut TaskContext<'_>) -> Poll<Option<Result<Bytes, ApiError>>> {
        let Some((body, meter)) = &mut self.source else {
            return Poll::Ready(None);
        };
        match ready!(body.poll_chunk(cx)) {
            Some(Ok(chunk)) => {
                meter.push(&chunk);
                self.context.recording.began();
                self.context.recording.sent(chunk.len());
                self.context.recording.replied(&chunk);
                self.finish_if_complete();
                Poll::Ready(Some(Ok(chunk)))
            }
            Some(Err(error)) => {
                self.source = None;
                let mut error = ApiError::from(error);
                self.secrets.hide(&mut error.message);
                tracing::warn!(
                    requestId = %self.context.recording.id(),
                    error = %error,
                    kind = error.kind.as_str(),
                    "The provider failed in the middle of a reply"
                );
                self.context.broke(&error);
                self.context.recording.end();
                // The connection is cut: the client sees that this was not all.
                Poll::Ready(Some(Err(error)))
            }
            None => {
                self.finish();
                Poll::Ready(None)
            }
        }
    }

    /// Where a length was told, whoever takes the body does not ask for more.
    fn finish_if_complete(&mut self) {
        if let Some((body, _)) = &self.source
            && body.is_complete()
        {
            self.finish();
        }
    }

    fn finish(&mut self) {
        if let Some((body, meter)) = self.source.take() {
            body.read_to_end();
            self.context
                .recording
                .metered(&meter.finish(), self.unit.as_ref());
        }
    }

    /// The same, one piece behind.
    fn poll_durably(&mut self, cx: &mut TaskContext<'_>) -> Poll<Option<Result<Bytes, ApiError>>> {
        loop {
            if let Some(commit) = &mut self.commit {
                ready!(commit.as_mut().poll(cx));
                self.commit = None;
                return Poll::Ready(self.last.take().map(Ok));
            }
            match ready!(self.poll_piece(cx)) {
                Some(Ok(piece)) => {
                    if let Some(before) = self.last.replace(piece) {
                        return Poll::Ready(Some(Ok(before)));
                    }
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None if self.last.is_none() => return Poll::Ready(None),
                None => {
                    let mut recording = self.context.recording.take();
                    self.commit = Some(Box::pin(async move { recording.end_durably().await }));
                }
            }
        }
    }
}

impl http_body::Body for PassedBody {
    type Data = Bytes;
    type Error = ApiError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ApiError>>> {
        let body = self.get_mut();
        let piece = if body.context.durable {
            ready!(body.poll_durably(cx))
        } else {
            ready!(body.poll_piece(cx))
        };
        if body.source.is_none() && body.last.is_none() {
            body.context.recording.end();
        }
        Poll::Ready(piece.map(|piece| piece.map(Frame::data)))
    }
}

//! Answers as response bodies.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};

use axum::body::Body;
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use http::header::{AGE, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body::{Frame, SizeHint};
use llm::chat::ChatRequest;
use llm::dialect::{ChatDialect, StreamEncoder};
use llm::error::{ApiError, ErrorSource};

use super::{losses, rates, tried};
use crate::gateway::{Cached, Context, EventStream, Reply};
use crate::recording::record::CacheOutcome;

/// Of every recorded request's answer.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Of every reply that could be one given before: `HIT`, `MISS` or `BYPASS`.
const CACHE: HeaderName = HeaderName::from_static("x-cache");
/// What is ready together is written together, up to about this many bytes.
const WRITE_SIZE: usize = 64 << 10;

/// The answer in the client's dialect.
pub(super) async fn respond(
    mut context: Context,
    dialect: &dyn ChatDialect,
    request: &ChatRequest,
    reply: Reply,
) -> Response {
    context.recording.responding(200);
    let id = request_id(&context);
    let tried = tried::value(&context);
    let rates = rates::of(&context);
    let losses = std::mem::take(&mut context.losses);
    let cached = context.cached;
    let mut response = match reply {
        Reply::Whole(response) => {
            let finish = response.choices.first().and_then(|c| c.finish.as_ref());
            context
                .recording
                .consumed(response.usage, finish.map(|reason| reason.as_str()));
            let parts = dialect.encode_response(request, &response);
            let body = WholeBody::new(context, parts.into_iter().collect()).await;
            let mut response = Response::new(Body::new(body));
            let json = HeaderValue::from_static("application/json");
            response.headers_mut().insert(CONTENT_TYPE, json);
            response
        }
        Reply::Stream(events) => {
            let body = EventBody::new(context, events, dialect.stream_encoder(request));
            let mut response = Response::new(Body::new(body));
            let headers = response.headers_mut();
            let content_type = dialect.stream_content_type(request);
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
            // Proxies in front that buffer replies by default leave this one alone.
            headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
            response
        }
    };
    response.headers_mut().insert(REQUEST_ID, id);
    tried::tell(tried, response.headers_mut());
    rates::tell(rates, response.headers_mut());
    tell_cached(cached, response.headers_mut());
    if !losses.is_empty() {
        losses::tell(&losses, response.headers_mut());
    }
    response
}

/// Whether the answer was given before, and how old it is: <https://www.rfc-editor.org/rfc/rfc9111#section-5.1>
pub(super) fn tell_cached(cached: Option<Cached>, headers: &mut HeaderMap) {
    let Some(cached) = cached else { return };
    let outcome = match cached.outcome {
        CacheOutcome::Hit => "HIT",
        CacheOutcome::Miss => "MISS",
        CacheOutcome::Bypass => "BYPASS",
    };
    headers.insert(CACHE, HeaderValue::from_static(outcome));
    if let Some(age) = cached.age {
        headers.insert(AGE, HeaderValue::from(age.as_secs()));
    }
}

/// The id that client and record know a request by.
pub(super) fn request_id(context: &Context) -> HeaderValue {
    let mut buffer = uuid::Uuid::encode_buffer();
    let id = context
        .recording
        .id()
        .hyphenated()
        .encode_lower(&mut buffer);
    HeaderValue::from_str(id).expect("a UUID is made of hexadecimal digits and hyphens")
}

/// A body that is all there. The request ends when its last byte is handed over.
pub(super) struct WholeBody {
    context: Context,
    parts: std::vec::IntoIter<Bytes>,
    left: usize,
}

impl WholeBody {
    pub async fn new(mut context: Context, parts: Vec<Bytes>) -> Self {
        context.answered();
        let left = parts.iter().map(Bytes::len).sum();
        for part in &parts {
            context.recording.replied(part);
        }
        if context.durable {
            context.recording.sent(left);
            context.recording.end_durably().await;
        }
        Self {
            context,
            parts: parts.into_iter(),
            left,
        }
    }
}

impl http_body::Body for WholeBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(part) = self.parts.next() else {
            self.context.recording.end();
            return Poll::Ready(None);
        };
        self.left -= part.len();
        self.context.recording.sent(part.len());
        if self.left == 0 {
            self.context.recording.end();
        }
        Poll::Ready(Some(Ok(Frame::data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left as u64)
    }
}

/// A body that is written as its events come.
struct EventBody {
    context: Context,
    events: Box<EventStream>,
    encoder: Box<dyn StreamEncoder>,
    /// Encoded, not yet handed over.
    out: BytesMut,
    state: State,
}

enum State {
    Streaming,
    /// All is encoded; the record is being committed before the end is handed over.
    Committing(Pin<Box<dyn Future<Output = ()> + Send>>),
    Ending,
    Over,
}

impl EventBody {
    fn new(context: Context, events: Box<EventStream>, encoder: Box<dyn StreamEncoder>) -> Self {
        Self {
            context,
            events,
            encoder,
            out: BytesMut::new(),
            state: State::Streaming,
        }
    }

    /// Encodes what is there; ready when something should be handed over.
    fn poll_encode(&mut self, cx: &mut TaskContext<'_>) -> Poll<()> {
        loop {
            match self.events.poll_next(cx) {
                Poll::Pending if self.out.is_empty() => return Poll::Pending,
                Poll::Pending => return Poll::Ready(()),
                Poll::Ready(Ok(Some(batch))) => {
                    self.context.recording.watch(batch.events());
                    for (frame, events) in batch.items() {
                        self.encoder.encode(frame, events, &mut self.out);
                    }
                    if self.out.len() >= WRITE_SIZE {
                        return Poll::Ready(());
                    }
                }
                Poll::Ready(Ok(None)) => {
                    if self.events.is_cut() {
                        self.context.recording.cut();
                    }
                    self.encoder.finish(&mut self.out);
                    self.end();
                    return Poll::Ready(());
                }
                Poll::Ready(Err(error)) => {
                    self.fail(&error);
                    return Poll::Ready(());
                }
            }
        }
    }

    fn fail(&mut self, error: &ApiError) {
        if error.origin == ErrorSource::Provider {
            tracing::warn!(
                requestId = %self.context.recording.id(),
                error = %error,
                kind = error.kind.as_str(),
                "The provider failed in the middle of a stream"
            );
        }
        self.context.broke(error);
        self.encoder.encode_error(error, &mut self.out);
        self.end();
    }

    fn end(&mut self) {
        if self.context.durable {
            self.context.recording.sent(self.out.len());
            self.context.recording.replied(&self.out);
            let mut recording = self.context.recording.take();
            let commit = Box::pin(async move { recording.end_durably().await });
            self.state = State::Committing(commit);
        } else {
            self.state = State::Ending;
        }
    }

    fn take(&mut self) -> Bytes {
        let bytes = self.out.split().freeze();
        self.context.recording.sent(bytes.len());
        self.context.recording.replied(&bytes);
        bytes
    }
}

impl http_body::Body for EventBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let body = self.get_mut();
        loop {
            match &mut body.state {
                State::Streaming => {
                    ready!(body.poll_encode(cx));
                    if matches!(body.state, State::Streaming) {
                        return Poll::Ready(Some(Ok(Frame::data(body.take()))));
                    }
                }
                State::Committing(commit) => {
                    ready!(commit.as_mut().poll(cx));
                    body.state = State::Ending;
                }
                State::Ending => {
                    body.state = State::Over;
                    let last = body.take();
                    body.context.recording.end();
                    if !last.is_empty() {
                        return Poll::Ready(Some(Ok(Frame::data(last))));
                    }
                }
                State::Over => return Poll::Ready(None),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.state, State::Over)
    }
}

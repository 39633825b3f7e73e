//! Reading a request's body, and no more of it than is allowed.

use std::io;
use std::task::Poll;
use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http_body::Body as _;
use http_body_util::BodyExt;
use llm::error::{ApiError, ErrorKind, ErrorSource};
use tokio::time::Instant;

use crate::gateway::Context;

/// Reserved at most before the bytes are there: a length is only a claim.
const MAX_RESERVE: usize = 4 << 20;

/// How long, and how many bytes, a client whose request was refused may go on sending.
const DISCARD_TIME: Duration = Duration::from_secs(10);
const DISCARD_SIZE: usize = 256 << 20;

/// How much of a body is taken, and how long it may take.
pub(super) struct BodyLimits {
    /// Bytes.
    pub size: usize,
    /// From one piece to the next.
    pub between_chunks: Duration,
    pub give_up: Instant,
}

/// The limits that hold for a request.
pub(super) fn limits(context: &Context) -> BodyLimits {
    BodyLimits {
        size: context.policies.max_body_size,
        between_chunks: context.policies.timeouts.between_chunks,
        give_up: context.give_up(),
    }
}

/// # Errors
/// `request_too_large` over the limit, as early as that shows; `invalid_request` when the body is cut
/// short or compressed; `timeout` when it is not there in time.
pub(super) async fn read(
    headers: &HeaderMap,
    body: &mut Body,
    limits: &BodyLimits,
) -> Result<Bytes, ApiError> {
    if let Some(encoding) = headers.get(CONTENT_ENCODING)
        && encoding != "identity"
    {
        let message = "The request's body is compressed; send it without a content-encoding.";
        return Err(ApiError::invalid(message).with_code("unsupported_content_encoding"));
    }
    let claimed = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if claimed.is_some_and(|length| length > limits.size) {
        return Err(too_large(limits.size));
    }
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    while let Some(data) = next(body, limits).await? {
        if first.len() + whole.len() + data.len() > limits.size {
            return Err(too_large(limits.size));
        }
        if first.is_empty() && whole.is_empty() {
            // Most bodies come in one piece, which is then not copied.
            first = data;
            continue;
        }
        if whole.is_empty() {
            let known = first.len() + data.len();
            whole.reserve(claimed.unwrap_or(0).min(MAX_RESERVE).max(known));
            whole.extend_from_slice(&std::mem::take(&mut first));
        }
        whole.extend_from_slice(&data);
    }
    Ok(if whole.is_empty() {
        first
    } else {
        whole.freeze()
    })
}

/// The next piece; a timer is needed only where it is not there yet.
pub(super) async fn next(body: &mut Body, limits: &BodyLimits) -> Result<Option<Bytes>, ApiError> {
    loop {
        let mut frame = body.frame();
        let frame = match futures_util::poll!(&mut frame) {
            Poll::Ready(frame) => frame,
            Poll::Pending => {
                let late = limits.give_up.min(Instant::now() + limits.between_chunks);
                tokio::time::timeout_at(late, frame)
                    .await
                    .map_err(|_| too_late())?
            }
        };
        match frame {
            None => return Ok(None),
            Some(Err(error)) => {
                return Err(broken(&error));
            }
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}

pub(super) fn too_late() -> ApiError {
    let message = "The request's body did not arrive in time.";
    ApiError::new(ErrorKind::Timeout, ErrorSource::Caller, message)
}

pub(super) fn broken(error: &axum::Error) -> ApiError {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let incomplete = error
            .downcast_ref::<hyper::Error>()
            .is_some_and(hyper::Error::is_incomplete_message);
        let closed = error.downcast_ref::<io::Error>().is_some_and(|error| {
            matches!(
                error.kind(),
                io::ErrorKind::UnexpectedEof
                    | io::ErrorKind::ConnectionReset
                    | io::ErrorKind::ConnectionAborted
                    | io::ErrorKind::BrokenPipe
            )
        });
        if incomplete || closed {
            let message = "The client hung up before it had sent all of the request's body.";
            return ApiError::new(ErrorKind::Cancelled, ErrorSource::Caller, message);
        }
        cause = error.source();
    }
    ApiError::invalid(format!("The request's body broke off: {error}"))
}

/// Reads on after a refusal, for a while. A connection that is closed with unread bytes is reset, and
/// the client, still sending, would never see the answer.
pub(super) fn discard(mut body: Body) {
    if body.is_end_stream() {
        return;
    }
    // Where the runtime ends there is nobody left to read for.
    let Ok(runtime) = tokio::runtime::Handle::try_current() else {
        return;
    };
    runtime.spawn(tokio::time::timeout(DISCARD_TIME, async move {
        let mut left = DISCARD_SIZE;
        while let Some(Ok(frame)) = body.frame().await {
            let length = frame.data_ref().map_or(0, Bytes::len);
            match left.checked_sub(length) {
                Some(rest) => left = rest,
                None => return,
            }
        }
    }));
}

pub(super) fn too_large(limit: usize) -> ApiError {
    let message = format!("The request's body is over the limit of {limit} bytes.");
    ApiError::new(ErrorKind::RequestTooLarge, ErrorSource::Policy, message)
        .with_code("request_too_large")
}

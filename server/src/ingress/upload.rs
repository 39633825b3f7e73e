//! A client's body that is passed on while it comes.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use llm::carried::Multipart;
use llm::error::ApiError;
use tokio::time::{Instant, Sleep};

use super::body::{self, BodyLimits};

/// What has come of a body, and what is still to come. It keeps to the limits as a body does that is read whole.
pub(super) struct ClientUpload {
    /// Goes out first.
    held: VecDeque<Bytes>,
    body: Body,
    /// Reads along what comes: a form is what it says it is.
    form: Option<Multipart>,
    limits: BodyLimits,
    /// Bytes that came from the client.
    received: usize,
    /// Bytes that will have gone out at the end, where that is known.
    length: Option<u64>,
    sent: u64,
    late: Option<Pin<Box<Sleep>>>,
    over: bool,
}

impl ClientUpload {
    /// `received` bytes have been read of `body` already; `held` is what goes out of them. `length`: of all that
    /// goes out.
    pub fn new(
        body: Body,
        limits: BodyLimits,
        received: usize,
        held: impl IntoIterator<Item = Bytes>,
        length: Option<u64>,
    ) -> Self {
        let mut upload = Self {
            held: held.into_iter().collect(),
            body,
            form: None,
            limits,
            received,
            length,
            sent: 0,
            late: None,
            over: false,
        };
        upload.over = upload.held.is_empty() && upload.body.is_end_stream();
        upload
    }

    /// With what goes out first, and the length of all that does.
    pub fn holding(mut self, held: impl IntoIterator<Item = Bytes>, length: Option<u64>) -> Self {
        self.held = held.into_iter().collect();
        self.length = length;
        self.over = self.held.is_empty() && self.body.is_end_stream();
        self
    }

    /// Reads along: what was held has been pushed already.
    pub fn reading(mut self, form: Multipart) -> Self {
        self.form = Some(form);
        self
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, ApiError>>> {
        if let Some(held) = self.held.pop_front() {
            return Poll::Ready(Some(Ok(held)));
        }
        loop {
            match Pin::new(&mut self.body).poll_frame(cx) {
                Poll::Pending => {
                    ready!(self.poll_late(cx));
                    return Poll::Ready(Some(Err(body::too_late())));
                }
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Ready(Some(Err(error))) => {
                    return Poll::Ready(Some(Err(body::broken(&error))));
                }
                Poll::Ready(Some(Ok(frame))) => {
                    self.late = None;
                    if let Ok(data) = frame.into_data() {
                        return Poll::Ready(Some(self.take(data)));
                    }
                }
            }
        }
    }

    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let limits = &self.limits;
        let late = self.late.get_or_insert_with(|| {
            let at = limits.give_up.min(Instant::now() + limits.between_chunks);
            Box::pin(tokio::time::sleep_until(at))
        });
        late.as_mut().poll(cx)
    }

    fn take(&mut self, data: Bytes) -> Result<Bytes, ApiError> {
        self.received += data.len();
        if self.received > self.limits.size {
            return Err(body::too_large(self.limits.size));
        }
        if let Some(form) = &mut self.form {
            form.push(&data)?;
        }
        Ok(data)
    }

    fn check_end(&self) -> Result<(), ApiError> {
        self.form.as_ref().map_or(Ok(()), Multipart::finish)
    }
}

impl http_body::Body for ClientUpload {
    type Data = Bytes;
    type Error = ApiError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ApiError>>> {
        let upload = self.get_mut();
        if upload.over {
            return Poll::Ready(None);
        }
        let next = ready!(upload.poll_next(cx));
        let piece = match next {
            Some(Ok(piece)) => {
                upload.sent += piece.len() as u64;
                // Whoever sends it stops asking at the length that was told.
                upload.over = upload.length.is_some_and(|length| upload.sent >= length);
                Some(piece)
            }
            Some(Err(error)) => {
                upload.over = true;
                return Poll::Ready(Some(Err(error)));
            }
            None => {
                upload.over = true;
                None
            }
        };
        if upload.over
            && let Err(error) = upload.check_end()
        {
            return Poll::Ready(Some(Err(error)));
        }
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.over
    }

    fn size_hint(&self) -> SizeHint {
        match self.length {
            Some(length) => SizeHint::with_exact(length - self.sent.min(length)),
            None => SizeHint::default(),
        }
    }
}

impl Drop for ClientUpload {
    fn drop(&mut self) {
        // It may have been answered before all of it was read: the client is still sending.
        body::discard(std::mem::take(&mut self.body));
    }
}

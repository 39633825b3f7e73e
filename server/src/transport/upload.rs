//! A request's body that is still coming while it is sent.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use llm::error::ApiError;

/// Where the bytes come from.
pub type UploadSource = Pin<Box<dyn Body<Data = Bytes, Error = ApiError> + Send>>;

/// A body that can be sent once.
pub struct Upload {
    source: UploadSource,
    progress: Progress,
}

/// How far an upload is: whoever sends it shares this with whoever waits for the answer.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<State>);

#[derive(Debug, Default)]
struct State {
    bytes: AtomicU64,
    over: AtomicBool,
    /// Why there is no more to be sent.
    failure: Mutex<Option<ApiError>>,
}

impl Progress {
    /// Bytes that were sent.
    pub fn bytes(&self) -> u64 {
        self.0.bytes.load(Ordering::Relaxed)
    }

    /// All of it is sent, or there will be no more.
    pub(super) fn is_over(&self) -> bool {
        self.0.over.load(Ordering::Relaxed)
    }

    /// What went wrong on the client's side, once.
    pub(super) fn take_failure(&self) -> Option<ApiError> {
        let mut failure = self
            .0
            .failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        failure.take()
    }
}

impl Upload {
    /// The source's exact size, where it has one, is what `content-length` will say.
    pub fn new(source: UploadSource) -> Self {
        Self {
            source,
            progress: Progress::default(),
        }
    }

    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = ApiError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ApiError>>> {
        let frame = ready!(self.source.as_mut().poll_frame(cx));
        let state = &*self.progress.0;
        match &frame {
            Some(Ok(frame)) => {
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                state.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
                if self.source.is_end_stream() {
                    state.over.store(true, Ordering::Relaxed);
                }
            }
            Some(Err(error)) => {
                let mut failure = state.failure.lock().unwrap_or_else(PoisonError::into_inner);
                *failure = Some(error.clone());
                state.over.store(true, Ordering::Relaxed);
            }
            None => state.over.store(true, Ordering::Relaxed),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.source.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.source.size_hint()
    }
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload")
            .field("progress", &self.progress)
            .finish_non_exhaustive()
    }
}

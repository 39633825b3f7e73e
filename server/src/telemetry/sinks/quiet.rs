//! Tasks whose own log lines are not shipped: those that ship, with all that they call.

use std::cell::Cell;
use std::pin::Pin;
use std::task::{Context, Poll};

thread_local! {
    static HERE: Cell<bool> = const { Cell::new(false) };
}

/// Whether what is logged just now is logged by such a task.
pub(super) fn is_here() -> bool {
    HERE.get()
}

/// The same for what is done until this is dropped, on this thread.
pub(super) fn begin() -> Silence {
    Silence {
        before: HERE.replace(true),
    }
}

/// The work of such a task.
pub(super) struct Quiet<F>(Pin<Box<F>>);

impl<F> Quiet<F> {
    pub fn new(work: F) -> Self {
        Self(Box::pin(work))
    }
}

impl<F: Future> Future for Quiet<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let _while_polled = begin();
        self.0.as_mut().poll(cx)
    }
}

/// Ends when it is dropped, by a panic as well.
pub(super) struct Silence {
    before: bool,
}

impl Drop for Silence {
    fn drop(&mut self) {
        HERE.set(self.before);
    }
}

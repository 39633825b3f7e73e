//! Waiting for tasks.

use tokio::task::{JoinHandle, spawn_blocking};

/// What a task comes to. Its panic goes on here; when the runtime is shut down under it, this waits with it for the end.
pub async fn outcome<T>(task: JoinHandle<T>) -> T {
    match task.await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => std::future::pending().await,
        },
    }
}

/// What takes its time, on a thread on which nobody waits for something else.
pub async fn unblocked<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    outcome(spawn_blocking(work)).await
}

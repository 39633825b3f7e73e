//! What changes something goes on although its client is gone.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;

use crate::tasks::outcome;

/// hyper drops the handling of a request whose client hung up, wherever that is just then: a change might be kept, and
/// not in force until the next start. So changes have tasks of their own.
pub(super) async fn changes(request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    outcome(tokio::spawn(next.run(request).in_current_span())).await
}

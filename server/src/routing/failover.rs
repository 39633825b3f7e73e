//! After which failures another target is worth a try.

use llm::error::{ApiError, ErrorKind, ErrorSource};

/// Whether another target may do better. A request that is itself at fault fails everywhere.
pub fn fails_over(error: &ApiError) -> bool {
    if error.origin != ErrorSource::Provider {
        return false;
    }
    match error.kind {
        // The upstream's own view of our key, of our account or of its models is no fault of the
        // request's.
        ErrorKind::Authentication
        | ErrorKind::PermissionDenied
        | ErrorKind::NotFound
        | ErrorKind::MethodNotAllowed
        | ErrorKind::RateLimited
        | ErrorKind::QuotaExceeded
        | ErrorKind::Overloaded
        | ErrorKind::Unreachable
        | ErrorKind::Timeout
        | ErrorKind::UpstreamFailed
        | ErrorKind::BadReply => true,
        ErrorKind::InvalidRequest
        | ErrorKind::RequestTooLarge
        | ErrorKind::ContextLengthExceeded
        | ErrorKind::ContentFiltered
        | ErrorKind::Cancelled
        | ErrorKind::Internal => false,
    }
}

//! What an error says: whether another target may do better, and of whom it is evidence.

use llm::error::{ApiError, ErrorKind, ErrorSource};

/// What follows from one failed try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub elsewhere: Elsewhere,
    /// The same target may be tried again, after a while: the try has cost nothing.
    pub again: bool,
    pub evidence: Evidence,
}

/// Who may do better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elsewhere {
    /// Nobody: the request itself is at fault.
    Nowhere,
    /// Any other target.
    AnyTarget,
    /// A model that takes longer requests.
    LongerContext,
    /// A model that refuses less.
    OtherFilter,
}

/// What the error tells of the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// Nothing.
    None,
    /// It fails.
    Failure,
    /// It knows no such model.
    UnknownModel,
    /// It does not accept the key.
    Key,
    /// The key is used too much for now.
    Limited,
    /// The key is used up.
    Exhausted,
}

impl Verdict {
    pub fn of(error: &ApiError) -> Self {
        use ErrorKind as Kind;
        let (elsewhere, again, evidence) = match (error.kind, error.origin) {
            (Kind::ContextLengthExceeded, ErrorSource::Caller | ErrorSource::Provider) => {
                (Elsewhere::LongerContext, false, Evidence::None)
            }
            (Kind::ContentFiltered, ErrorSource::Caller | ErrorSource::Provider) => {
                (Elsewhere::OtherFilter, false, Evidence::None)
            }
            (kind, ErrorSource::Provider) => of_provider(kind),
            _ => (Elsewhere::Nowhere, false, Evidence::None),
        };
        Self {
            elsewhere,
            again,
            evidence,
        }
    }
}

/// The upstream's own view of our key, of our account or of its models is no fault of the request's.
fn of_provider(kind: ErrorKind) -> (Elsewhere, bool, Evidence) {
    use Elsewhere::{AnyTarget, Nowhere};
    match kind {
        ErrorKind::Authentication | ErrorKind::PermissionDenied => {
            (AnyTarget, false, Evidence::Key)
        }
        ErrorKind::NotFound => (AnyTarget, false, Evidence::UnknownModel),
        ErrorKind::MethodNotAllowed => (AnyTarget, false, Evidence::None),
        ErrorKind::RateLimited => (AnyTarget, true, Evidence::Limited),
        ErrorKind::QuotaExceeded => (AnyTarget, false, Evidence::Exhausted),
        ErrorKind::Overloaded
        | ErrorKind::Unreachable
        | ErrorKind::UpstreamFailed
        | ErrorKind::BadReply => (AnyTarget, true, Evidence::Failure),
        // It may still be at work, and be paid for it.
        ErrorKind::Timeout => (AnyTarget, false, Evidence::Failure),
        ErrorKind::InvalidRequest
        | ErrorKind::RequestTooLarge
        | ErrorKind::ContextLengthExceeded
        | ErrorKind::ContentFiltered
        | ErrorKind::Cancelled
        | ErrorKind::Internal => (Nowhere, false, Evidence::None),
    }
}

/// Whether any other target may do better. A request that is itself at fault fails everywhere.
pub fn fails_over(error: &ApiError) -> bool {
    Verdict::of(error).elsewhere == Elsewhere::AnyTarget
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(kind: ErrorKind, origin: ErrorSource) -> (Elsewhere, bool, Evidence) {
        let verdict = Verdict::of(&ApiError::new(kind, origin, ""));
        (verdict.elsewhere, verdict.again, verdict.evidence)
    }

    #[test]
    fn says_who_is_to_blame() {
        use Elsewhere::*;
        use ErrorKind::*;
        use ErrorSource::{Caller, Gateway, Policy, Provider};
        for (kind, origin, expected) in [
            (
                UpstreamFailed,
                Provider,
                (AnyTarget, true, Evidence::Failure),
            ),
            (Timeout, Provider, (AnyTarget, false, Evidence::Failure)),
            (Timeout, Caller, (Nowhere, false, Evidence::None)),
            (RateLimited, Provider, (AnyTarget, true, Evidence::Limited)),
            (RateLimited, Policy, (Nowhere, false, Evidence::None)),
            (
                QuotaExceeded,
                Provider,
                (AnyTarget, false, Evidence::Exhausted),
            ),
            (Authentication, Provider, (AnyTarget, false, Evidence::Key)),
            (Authentication, Caller, (Nowhere, false, Evidence::None)),
            (InvalidRequest, Provider, (Nowhere, false, Evidence::None)),
            (
                ContextLengthExceeded,
                Caller,
                (LongerContext, false, Evidence::None),
            ),
            (
                ContentFiltered,
                Provider,
                (OtherFilter, false, Evidence::None),
            ),
            (ContentFiltered, Policy, (Nowhere, false, Evidence::None)),
            (Internal, Gateway, (Nowhere, false, Evidence::None)),
        ] {
            assert_eq!(verdict(kind, origin), expected, "{kind} of {origin:?}");
        }
    }
}

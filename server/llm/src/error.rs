//! One vocabulary of errors for every protocol.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What went wrong. This alone decides the client's HTTP status, whether another target is tried,
/// and the metrics' label.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, Hash)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The request makes no sense: bad JSON, a missing or wrong parameter.
    InvalidRequest,
    /// No key, or a wrong one.
    Authentication,
    /// A valid key that may not do this.
    PermissionDenied,
    /// No such URL, model or object.
    NotFound,
    /// The URL exists, the method does not.
    MethodNotAllowed,
    /// The body is over the size limit.
    RequestTooLarge,
    /// More input tokens than the model takes.
    ContextLengthExceeded,
    /// Refused for its content.
    ContentFiltered,
    /// Too many requests or tokens in too little time.
    RateLimited,
    /// Money or allowance used up; waiting a little does not help.
    QuotaExceeded,
    /// Temporarily unable to serve.
    Overloaded,
    /// No connection could be made.
    Unreachable,
    /// Nothing came in time.
    Timeout,
    /// The upstream failed: 5xx, or an error within a reply.
    UpstreamFailed,
    /// The upstream's reply was cut short, or is not what its protocol says.
    BadReply,
    /// The client hung up.
    Cancelled,
    /// A fault of the gateway's own.
    Internal,
}

impl ErrorKind {
    /// The status that a client gets. 499 is never sent: it marks a record whose client was gone.
    pub fn status(self) -> u16 {
        match self {
            Self::InvalidRequest | Self::ContextLengthExceeded | Self::ContentFiltered => 400,
            Self::Authentication => 401,
            Self::PermissionDenied => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::RequestTooLarge => 413,
            Self::RateLimited | Self::QuotaExceeded => 429,
            Self::Cancelled => 499,
            Self::Internal => 500,
            Self::Unreachable | Self::UpstreamFailed | Self::BadReply => 502,
            Self::Overloaded => 503,
            Self::Timeout => 504,
        }
    }

    /// The name in records, metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::Authentication => "authentication",
            Self::PermissionDenied => "permission_denied",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::RequestTooLarge => "request_too_large",
            Self::ContextLengthExceeded => "context_length_exceeded",
            Self::ContentFiltered => "content_filtered",
            Self::RateLimited => "rate_limited",
            Self::QuotaExceeded => "quota_exceeded",
            Self::Overloaded => "overloaded",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::UpstreamFailed => "upstream_failed",
            Self::BadReply => "bad_reply",
            Self::Cancelled => "cancelled",
            Self::Internal => "internal",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whose fault it is.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, Hash)]
#[serde(rename_all = "snake_case")]
pub enum ErrorSource {
    /// The client's request.
    Caller,
    /// An operator's rule.
    Policy,
    /// The upstream.
    Provider,
    /// The gateway itself.
    Gateway,
}

impl ErrorSource {
    /// The name in records, metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Policy => "policy",
            Self::Provider => "provider",
            Self::Gateway => "gateway",
        }
    }
}

/// An error on its way to a client, in no dialect yet.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    pub kind: ErrorKind,
    pub origin: ErrorSource,
    /// What was wrong and what to do about it.
    pub message: String,
    /// A stable word for programs, for example `model_not_found`; dialects have a default a kind.
    pub code: Option<Cow<'static, str>>,
    /// The request's parameter that is to blame.
    pub param: Option<Cow<'static, str>>,
    pub retry_after: Option<Duration>,
    /// What the upstream answered, where it did.
    pub upstream_status: Option<u16>,
}

impl ApiError {
    pub fn new(kind: ErrorKind, origin: ErrorSource, message: impl Into<String>) -> Self {
        Self {
            kind,
            origin,
            message: message.into(),
            code: None,
            param: None,
            retry_after: None,
            upstream_status: None,
        }
    }

    /// The request is the caller's to mend.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidRequest, ErrorSource::Caller, message)
    }

    #[must_use]
    pub fn with_code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.code = Some(code.into());
        self
    }

    #[must_use]
    pub fn with_param(mut self, param: impl Into<Cow<'static, str>>) -> Self {
        self.param = Some(param.into());
        self
    }

    #[must_use]
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// The HTTP status that the client gets: the kind's, but for two. A provider that refuses the
    /// gateway's key says nothing about the client's, and a client that is slow to send is not an
    /// upstream that is slow to answer.
    pub fn status(&self) -> u16 {
        match (self.kind, self.origin) {
            (ErrorKind::Authentication | ErrorKind::PermissionDenied, ErrorSource::Provider) => 502,
            (ErrorKind::Timeout, ErrorSource::Caller) => 408,
            (kind, _) => kind.status(),
        }
    }
}

//! The `error` object: <https://cloud.google.com/apis/design/errors>

use std::time::Duration;

use bytes::Bytes;

use super::{items, member};
use crate::error::{ApiError, ErrorKind};
use crate::json::{Node, ObjectWriter, object};

/// What an upstream says of an error, as far as it says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ErrorBody {
    /// The HTTP status.
    pub code: Option<u16>,
    /// `RESOURCE_EXHAUSTED`
    pub status: Option<String>,
    pub message: Option<String>,
    /// Of an `ErrorInfo`: `API_KEY_INVALID`.
    pub reason: Option<String>,
    /// Of a `QuotaFailure`: an allowance for a day is used up.
    pub daily: bool,
    /// Of a `RetryInfo`.
    pub retry_after: Option<Duration>,
    /// Of a `BadRequest`: the first field that is wrong.
    pub field: Option<String>,
}

/// Reads `{"error": {…}}`, alone or in an array; `None` where it is none.
pub(crate) fn read_error(body: &Node<'_>) -> Option<ErrorBody> {
    let outer = items(body).first()?;
    let error = outer.get("error")?;
    let mut read = ErrorBody::default();
    if let Ok(message) = error.str() {
        read.message = Some(message.into_owned());
        return Some(read);
    }
    let code = error.get("code").and_then(|code| code.u64().ok());
    read.code = code
        .and_then(|code| u16::try_from(code).ok())
        .filter(|code| (400..600).contains(code));
    read.status = text(error, "status");
    read.message = text(error, "message");
    for detail in error.get("details").map(items).unwrap_or_default() {
        read.detail(detail);
    }
    Some(read)
}

impl ErrorBody {
    fn detail(&mut self, detail: &Node<'_>) {
        let kind = text(detail, "@type").unwrap_or_default();
        match kind.rsplit('.').next().unwrap_or_default() {
            "ErrorInfo" => self.reason = text(detail, "reason"),
            "RetryInfo" => {
                let delay = text(detail, "retryDelay");
                self.retry_after = delay.as_deref().and_then(seconds);
            }
            "QuotaFailure" => {
                let violations = member(detail, "violations").map(items).unwrap_or_default();
                self.daily = violations.iter().any(|violation| {
                    text(violation, "quotaId").is_some_and(|id| id.contains("PerDay"))
                });
            }
            "BadRequest" => {
                let violations = member(detail, "fieldViolations").map(items);
                let first = violations.unwrap_or_default().first();
                self.field = first.and_then(|violation| text(violation, "field"));
            }
            _ => {}
        }
    }
}

fn text(object: &Node<'_>, name: &str) -> Option<String> {
    let text = member(object, name)?.str().ok()?;
    Some(text.into_owned())
}

/// `"38s"`, `"3.5s"`
fn seconds(delay: &str) -> Option<Duration> {
    let seconds = delay.strip_suffix('s')?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// An error as SDKs read it.
pub(crate) fn write_error(error: &ApiError) -> Bytes {
    object(|outer| {
        outer.object("error", |inner| {
            inner.plain("code", error.status());
            inner.string("message", &error.message);
            inner.string("status", word(error.kind));
            let code = error.code.as_deref();
            if code.is_some() || error.param.is_some() || error.retry_after.is_some() {
                inner.array("details", |details| {
                    if let Some(code) = code {
                        details.object(|detail| {
                            detail.string("@type", "type.googleapis.com/google.rpc.ErrorInfo");
                            detail.string("reason", code);
                        });
                    }
                    if let Some(param) = &error.param {
                        details.object(|detail| bad_request(detail, param, &error.message));
                    }
                    if let Some(wait) = error.retry_after {
                        details.object(|detail| {
                            detail.string("@type", "type.googleapis.com/google.rpc.RetryInfo");
                            detail.string("retryDelay", &format!("{}s", wait.as_secs_f64()));
                        });
                    }
                });
            }
        });
    })
}

fn bad_request(detail: &mut ObjectWriter<'_>, field: &str, description: &str) {
    detail.string("@type", "type.googleapis.com/google.rpc.BadRequest");
    detail.array("fieldViolations", |violations| {
        violations.object(|violation| {
            violation.string("field", field);
            violation.string("description", description);
        });
    });
}

/// The canonical code: <https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto>
fn word(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidRequest
        | ErrorKind::RequestTooLarge
        | ErrorKind::ContextLengthExceeded
        | ErrorKind::ContentFiltered => "INVALID_ARGUMENT",
        ErrorKind::Authentication => "UNAUTHENTICATED",
        ErrorKind::PermissionDenied => "PERMISSION_DENIED",
        ErrorKind::NotFound => "NOT_FOUND",
        ErrorKind::MethodNotAllowed => "UNIMPLEMENTED",
        ErrorKind::RateLimited | ErrorKind::QuotaExceeded => "RESOURCE_EXHAUSTED",
        ErrorKind::Overloaded | ErrorKind::Unreachable => "UNAVAILABLE",
        ErrorKind::Timeout => "DEADLINE_EXCEEDED",
        ErrorKind::Cancelled => "CANCELLED",
        ErrorKind::UpstreamFailed | ErrorKind::BadReply | ErrorKind::Internal => "INTERNAL",
    }
}

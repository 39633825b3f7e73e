//! The error object: <https://docs.anthropic.com/en/api/errors>

use bytes::Bytes;

use crate::error::{ApiError, ErrorKind, ErrorSource};
use crate::json::{Kind, Node, object};

/// What an upstream says of an error, as far as it says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ErrorBody {
    pub kind: Option<String>,
    pub message: Option<String>,
    /// `error.details.error_code`
    pub code: Option<String>,
}

/// Reads `{"type":"error","error":{…}}`; what stands before or beside it is of no matter.
pub(crate) fn read_error(body: &Bytes) -> Option<ErrorBody> {
    let root = Node::parse(body).ok()?;
    let error = root.get("error").unwrap_or(&root);
    if error.kind() == Kind::String {
        return Some(ErrorBody {
            message: Some(error.text().ok()?.to_string()),
            ..ErrorBody::default()
        });
    }
    let text = |node: &Node<'_>, key: &str| Some(node.get(key)?.text().ok()?.to_string());
    Some(ErrorBody {
        kind: text(error, "type"),
        message: text(error, "message").or_else(|| text(error, "detail")),
        code: error
            .get("details")
            .and_then(|details| text(details, "error_code")),
    })
}

/// An error as Anthropic's SDKs read it.
pub(crate) fn write_error(error: &ApiError) -> Bytes {
    object(|out| {
        out.string("type", "error");
        out.object("error", |out| {
            out.string("type", word(error));
            out.string("message", &error.message);
            if let Some(code) = &error.code {
                out.object("details", |details| details.string("error_code", code));
            }
        });
    })
}

/// The status that goes with the word: the SDKs tell errors apart by it.
pub(crate) fn status_of(error: &ApiError) -> u16 {
    match error.kind {
        ErrorKind::Overloaded => 529,
        ErrorKind::QuotaExceeded => 402,
        _ => error.status(),
    }
}

fn word(error: &ApiError) -> &'static str {
    match error.kind {
        // The gateway's key was refused: nothing that the client could mend.
        ErrorKind::Authentication | ErrorKind::PermissionDenied
            if error.origin == ErrorSource::Provider =>
        {
            "api_error"
        }
        ErrorKind::InvalidRequest
        | ErrorKind::ContextLengthExceeded
        | ErrorKind::ContentFiltered
        | ErrorKind::MethodNotAllowed => "invalid_request_error",
        ErrorKind::Authentication => "authentication_error",
        ErrorKind::PermissionDenied => "permission_error",
        ErrorKind::NotFound => "not_found_error",
        ErrorKind::RequestTooLarge => "request_too_large",
        ErrorKind::RateLimited => "rate_limit_error",
        ErrorKind::QuotaExceeded => "billing_error",
        ErrorKind::Overloaded => "overloaded_error",
        ErrorKind::Timeout => "timeout_error",
        ErrorKind::Unreachable
        | ErrorKind::UpstreamFailed
        | ErrorKind::BadReply
        | ErrorKind::Cancelled
        | ErrorKind::Internal => "api_error",
    }
}

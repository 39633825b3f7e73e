//! What an upstream's error means: <https://platform.openai.com/docs/guides/error-codes>

use std::time::Duration;

use http::HeaderMap;

use crate::error::{ApiError, ErrorKind, ErrorSource};
use crate::wire::openai_chat::{ErrorBody, read_error};

/// The longest wait that is believed.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);
/// The longest message that is passed on, in bytes.
const MAX_MESSAGE: usize = 2_000;

/// A reply with an error status.
pub(super) fn from_status(status: u16, headers: &HeaderMap, body: &[u8]) -> ApiError {
    let read = read_error(body).unwrap_or_default();
    let kind = kind_of(Some(status), &read);
    // What is wrong with the request is the caller's fault, whoever notices.
    let origin = match kind {
        ErrorKind::InvalidRequest
        | ErrorKind::ContextLengthExceeded
        | ErrorKind::ContentFiltered
        | ErrorKind::RequestTooLarge => ErrorSource::Caller,
        _ => ErrorSource::Provider,
    };
    let mut error = describe(kind, origin, Some(status), read);
    error.upstream_status = Some(status);
    error.retry_after = retry_after(headers);
    error
}

/// An error object where a reply or a piece of one was expected.
pub(super) fn from_body(body: &[u8]) -> ApiError {
    let read = read_error(body)
        .or_else(|| in_a_choice(body))
        .unwrap_or_default();
    let kind = kind_of(read.status(), &read);
    describe(kind, ErrorSource::Provider, None, read)
}

/// `{"choices":[{"error":{…}}]}`
fn in_a_choice(body: &[u8]) -> Option<ErrorBody> {
    let value: serde_json::Value = serde_json::from_slice(body).ok()?;
    let choices = value.get("choices")?.as_array()?;
    let error = choices
        .iter()
        .find_map(|choice| choice.get("error").filter(|error| !error.is_null()))?;
    read_error(error.to_string().as_bytes())
}

fn describe(
    kind: ErrorKind,
    origin: ErrorSource,
    status: Option<u16>,
    read: ErrorBody,
) -> ApiError {
    // The upstream's words on a refused key may quote the key.
    let message = match (kind, read.message, status) {
        (ErrorKind::Authentication, _, _) => {
            "The upstream refused the API key it was given: check the key that belongs to it."
                .to_owned()
        }
        (_, Some(message), _) if !message.trim().is_empty() => shortened(message),
        (_, _, Some(status)) => format!("The upstream answered {status} and did not say why."),
        (_, _, None) => "The upstream reported an error and did not say which.".to_owned(),
    };
    let mut error = ApiError::new(kind, origin, message);
    error.param = read.param.map(Into::into);
    error.code = match kind {
        // One word for programs, whatever the upstream's is.
        ErrorKind::ContextLengthExceeded | ErrorKind::QuotaExceeded => None,
        _ => read
            .code
            .filter(|code| code.parse::<u16>().is_err())
            .map(Into::into),
    };
    error
}

/// What kind of error it is, by the upstream's words first and its status then.
fn kind_of(status: Option<u16>, read: &ErrorBody) -> ErrorKind {
    by_word(read.code.as_deref())
        .or_else(|| by_word(read.kind.as_deref()))
        .or_else(|| by_message(status, read.message.as_deref()?))
        .unwrap_or_else(|| by_status(status))
}

fn by_word(word: Option<&str>) -> Option<ErrorKind> {
    Some(match word? {
        "insufficient_quota"
        | "billing_hard_limit_reached"
        | "billing_not_active"
        | "quota_exceeded"
        | "insufficient_balance" => ErrorKind::QuotaExceeded,
        "rate_limit_exceeded" | "rate_limit_error" | "rate_limited" | "RESOURCE_EXHAUSTED" => {
            ErrorKind::RateLimited
        }
        "context_length_exceeded" | "exceed_context_size_error" => ErrorKind::ContextLengthExceeded,
        "content_filter"
        | "content_policy_violation"
        | "moderation_blocked"
        | "ResponsibleAIPolicyViolation" => ErrorKind::ContentFiltered,
        "invalid_api_key" | "authentication_error" | "UNAUTHENTICATED" => ErrorKind::Authentication,
        "permission_denied"
        | "permission_error"
        | "PERMISSION_DENIED"
        | "unsupported_country_region_territory" => ErrorKind::PermissionDenied,
        "model_not_found" | "not_found_error" | "NotFoundError" | "NOT_FOUND" => {
            ErrorKind::NotFound
        }
        "overloaded_error" | "engine_overloaded" | "service_unavailable" | "UNAVAILABLE" => {
            ErrorKind::Overloaded
        }
        "request_too_large" => ErrorKind::RequestTooLarge,
        _ => return None,
    })
}

/// Many upstreams have no word for these, only a sentence.
fn by_message(status: Option<u16>, message: &str) -> Option<ErrorKind> {
    const TOO_LONG: [&str; 6] = [
        "maximum context length",
        "context window",
        "context length",
        "context size",
        "prompt is too long",
        "too many input tokens",
    ];
    const PAID_UP: [&str; 4] = [
        "insufficient balance",
        "insufficient credits",
        "insufficient_quota",
        "credit balance is too low",
    ];
    let message = message.to_ascii_lowercase();
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| message.contains(phrase));
    match status {
        Some(400 | 413 | 422) if says(&TOO_LONG) => Some(ErrorKind::ContextLengthExceeded),
        Some(400 | 402 | 403 | 429) | None if says(&PAID_UP) => Some(ErrorKind::QuotaExceeded),
        _ => None,
    }
}

fn by_status(status: Option<u16>) -> ErrorKind {
    match status {
        Some(401) => ErrorKind::Authentication,
        Some(402) => ErrorKind::QuotaExceeded,
        Some(403) => ErrorKind::PermissionDenied,
        Some(404) => ErrorKind::NotFound,
        Some(405) => ErrorKind::MethodNotAllowed,
        Some(408 | 504 | 524) => ErrorKind::Timeout,
        Some(413) => ErrorKind::RequestTooLarge,
        Some(429) => ErrorKind::RateLimited,
        Some(503 | 529) => ErrorKind::Overloaded,
        Some(400..500) => ErrorKind::InvalidRequest,
        _ => ErrorKind::UpstreamFailed,
    }
}

/// How long to wait: `retry-after-ms`, or `Retry-After` in seconds. A date cannot be read without a clock.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok();
    let seconds = number("retry-after-ms")
        .map(|millis| millis / 1_000.0)
        .or_else(|| number("retry-after"))?;
    let wait = Duration::try_from_secs_f64(seconds).ok()?;
    Some(wait.min(MAX_RETRY_AFTER))
}

fn shortened(mut message: String) -> String {
    if message.len() > MAX_MESSAGE {
        message.truncate(message.floor_char_boundary(MAX_MESSAGE));
        message.push('…');
    }
    message
}

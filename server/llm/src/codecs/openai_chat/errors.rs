//! What an upstream's error means: <https://platform.openai.com/docs/guides/error-codes>

use http::HeaderMap;

use crate::codecs::failure::{by_status, origin, retry_after, shortened};
use crate::error::{ApiError, ErrorKind, ErrorSource};
use crate::wire::openai_chat::{ErrorBody, read_error};

/// A reply with an error status.
pub(in crate::codecs) fn from_status(status: u16, headers: &HeaderMap, body: &[u8]) -> ApiError {
    let read = read_error(body).unwrap_or_default();
    let kind = kind_of(Some(status), &read);
    let mut error = describe(kind, origin(kind), Some(status), read);
    error.upstream_status = Some(status);
    error.retry_after = retry_after(headers);
    error
}

/// An error object where a reply or a piece of one was expected.
pub(in crate::codecs) fn from_body(body: &[u8]) -> ApiError {
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
        "rate_limit_exceeded"
        | "rate_limit_error"
        | "rate_limited"
        | "service_tier_capacity_exceeded"
        | "RESOURCE_EXHAUSTED" => ErrorKind::RateLimited,
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

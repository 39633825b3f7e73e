//! The `error` object: <https://platform.openai.com/docs/guides/error-codes>

use serde::Serialize;
use serde_json::Value;

use crate::error::{ApiError, ErrorKind};

/// What an upstream says of an error, as far as it says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ErrorBody {
    pub message: Option<String>,
    pub kind: Option<String>,
    pub param: Option<String>,
    pub code: Option<String>,
}

impl ErrorBody {
    /// A status that is given in place of a code: `"code": 429`.
    pub fn status(&self) -> Option<u16> {
        let code = self.code.as_deref()?.parse().ok()?;
        (400..600).contains(&code).then_some(code)
    }
}

/// Reads an error's body: `{"error": {…}}`, `{"error": "…"}`, the same in an array, or the object itself
/// with `message` or `detail`, which may be a list of what is wrong. None where nothing of it can be recognised.
pub(crate) fn read_error(body: &[u8]) -> Option<ErrorBody> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let value = match value {
        Value::Array(mut items) if !items.is_empty() => items.swap_remove(0),
        other => other,
    };
    let error = value.get("error").filter(|error| !error.is_null());
    let inner = error.unwrap_or(&value);
    if let Value::String(message) = inner {
        // A word may stand beside it; some say sentences there.
        let word = |key: &str| {
            let word = value.get(key)?.as_str()?;
            (!word.contains(' ')).then(|| word.to_owned())
        };
        return Some(ErrorBody {
            message: Some(message.clone()),
            kind: word("error_type").or_else(|| word("type")),
            code: word("code"),
            ..ErrorBody::default()
        });
    }
    let text = |key: &str| match inner.get(key)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let (wrong, place) = invalid(inner).unwrap_or_default();
    let read = ErrorBody {
        message: text("message").or_else(|| text("detail")).or(wrong),
        kind: text("type").or_else(|| text("status")),
        param: text("param").or(place),
        code: text("code"),
    };
    (error.is_some() || read != ErrorBody::default()).then_some(read)
}

/// What a validator finds, as FastAPI and Mistral list it: `{"detail": [{"loc": ["body", "n"], "msg": "…"}]}`, or that in
/// `message`. Gives all of it as a sentence, and the first place as a parameter: `messages[0].content`.
/// <https://fastapi.tiangolo.com/tutorial/handling-errors/>
fn invalid(error: &Value) -> Option<(Option<String>, Option<String>)> {
    let inner = error.get("message").filter(|inner| inner.is_object());
    let found = inner.unwrap_or(error).get("detail")?.as_array()?;
    let sentences: Vec<String> = found
        .iter()
        .filter_map(|one| {
            let said = one.get("msg")?.as_str()?;
            Some(match place(one) {
                Some(place) => format!("{place}: {said}"),
                None => said.to_owned(),
            })
        })
        .collect();
    let message = (!sentences.is_empty()).then(|| sentences.join("; "));
    Some((message, found.first().and_then(place)))
}

/// `["body", "messages", 0, "content"]`
fn place(one: &Value) -> Option<String> {
    let mut place = String::new();
    for step in one.get("loc")?.as_array()? {
        match step {
            Value::String(name) if place.is_empty() && name == "body" => {}
            Value::String(name) if place.is_empty() => place.push_str(name),
            Value::String(name) => {
                place.push('.');
                place.push_str(name);
            }
            other => {
                place.push('[');
                place.push_str(&other.to_string());
                place.push(']');
            }
        }
    }
    (!place.is_empty()).then_some(place)
}

#[derive(Serialize)]
struct Outer<'a> {
    error: Inner<'a>,
}

#[derive(Serialize)]
struct Inner<'a> {
    message: &'a str,
    r#type: &'static str,
    param: Option<&'a str>,
    code: Option<&'a str>,
}

/// An error as OpenAI's SDKs read it.
pub(crate) fn write_error(error: &ApiError) -> Vec<u8> {
    let (r#type, code) = error_words(error.kind);
    let outer = Outer {
        error: Inner {
            message: &error.message,
            r#type,
            param: error.param.as_deref(),
            code: error.code.as_deref().or(code),
        },
    };
    serde_json::to_vec(&outer).expect("strings can be written as JSON")
}

/// OpenAI's `type` and the default `code`.
pub(crate) fn error_words(kind: ErrorKind) -> (&'static str, Option<&'static str>) {
    match kind {
        ErrorKind::InvalidRequest | ErrorKind::NotFound => ("invalid_request_error", None),
        ErrorKind::Authentication => ("invalid_request_error", Some("invalid_api_key")),
        ErrorKind::PermissionDenied => ("invalid_request_error", Some("permission_denied")),
        ErrorKind::MethodNotAllowed => ("invalid_request_error", Some("method_not_allowed")),
        ErrorKind::RequestTooLarge => ("invalid_request_error", Some("request_too_large")),
        ErrorKind::ContextLengthExceeded => {
            ("invalid_request_error", Some("context_length_exceeded"))
        }
        ErrorKind::ContentFiltered => ("invalid_request_error", Some("content_filter")),
        ErrorKind::RateLimited => ("rate_limit_error", Some("rate_limit_exceeded")),
        ErrorKind::QuotaExceeded => ("insufficient_quota", Some("insufficient_quota")),
        ErrorKind::Overloaded => ("server_error", Some("overloaded")),
        ErrorKind::Unreachable => ("server_error", Some("upstream_unreachable")),
        ErrorKind::Timeout => ("server_error", Some("timeout")),
        ErrorKind::UpstreamFailed => ("server_error", Some("upstream_failed")),
        ErrorKind::BadReply => ("server_error", Some("bad_reply")),
        ErrorKind::Cancelled => ("server_error", Some("cancelled")),
        ErrorKind::Internal => ("server_error", Some("internal_error")),
    }
}

//! The request that is sent: carried, or built.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};

use super::{Path, Quirks, build, carry};
use crate::chat::{ChatRequest, Layout, Losses, Protocol};
use crate::codec::{ReplyForm, Target, WireRequest};
use crate::error::ApiError;

pub(super) fn encode(
    quirks: &Quirks,
    request: &ChatRequest,
    target: &Target<'_>,
) -> Result<WireRequest, ApiError> {
    let mut headers = HeaderMap::with_capacity(1 + request.headers.len());
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let mut losses = Losses::default();
    let carried = match &request.layout {
        Layout::OpenAiChat(layout) if request.protocol == Protocol::OpenAiChat => Some(layout),
        _ => None,
    };
    let body = match carried {
        Some(layout) => {
            headers.extend(request.headers.iter().cloned());
            carry::body(quirks, request, layout, target, &mut losses)
        }
        None => build::body(quirks, request, target, &mut losses)?,
    };
    Ok(WireRequest {
        method: http::Method::POST,
        path: quirks.path.of("chat/completions", target),
        headers,
        body,
        losses,
        form: ReplyForm {
            carried: carried.is_some(),
            answer_tool: None,
        },
    })
}

impl Path {
    /// The path and query of an endpoint, such as `chat/completions`.
    pub(crate) fn of(self, endpoint: &str, target: &Target<'_>) -> String {
        match self {
            Self::Fixed(path) => path.to_owned(),
            Self::Deployment { api_version } => {
                let version = target.api_version.unwrap_or(api_version);
                format!(
                    "/deployments/{}/{endpoint}?api-version={}",
                    Escaped(target.model),
                    Escaped(version)
                )
            }
        }
    }
}

/// A segment of a path or a value of a query, with all but unreserved characters escaped (RFC 3986).
struct Escaped<'a>(&'a str);

impl std::fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for &byte in self.0.as_bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                write!(f, "{}", char::from(byte))?;
            } else {
                write!(f, "%{byte:02X}")?;
            }
        }
        Ok(())
    }
}

/// What a model is told that cannot be told through `response_format`.
pub(in crate::codecs) fn in_words(schema: Option<&str>) -> String {
    const JSON: &str = "Answer with a JSON object and nothing else: no explanation, no code fence.";
    match schema {
        Some(schema) => format!("{JSON} It must match this JSON schema: {schema}"),
        None => JSON.to_owned(),
    }
}

/// A `response_format` for any object.
pub(super) const ANY_OBJECT: Bytes = Bytes::from_static(
    br#"{"type":"json_schema","json_schema":{"name":"answer","schema":{"type":"object"}}}"#,
);

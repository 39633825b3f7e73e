//! The request that is sent: carried, or built.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};

use super::{Path, Quirks, build, carry};
use crate::carried::Paths;
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
        path: path(quirks, target),
        headers,
        body,
        losses,
        form: ReplyForm {
            carried: carried.is_some(),
            answer_tool: None,
        },
    })
}

fn path(quirks: &Quirks, target: &Target<'_>) -> String {
    match quirks.path {
        Path::Fixed(path) => path.to_owned(),
        Path::Deployment { api_version } => {
            Paths::Deployments { api_version }.path("/chat/completions", target)
        }
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

//! The request that is sent: carried, or built.

use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};

use super::{build, carry};
use crate::carried::Escaped;
use crate::chat::{ChatRequest, Losses, Protocol};
use crate::codec::{ReplyForm, Target, WireRequest};
use crate::error::ApiError;

/// `api_version` is of an upstream whose API has dated ones.
pub(super) fn encode(
    api_version: Option<&str>,
    request: &ChatRequest,
    target: &Target<'_>,
) -> Result<WireRequest, ApiError> {
    let mut headers = HeaderMap::with_capacity(1 + request.headers.len());
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let mut losses = Losses::default();
    let carried = request.protocol == Protocol::OpenAiResponses;
    let body = if carried {
        headers.extend(request.headers.iter().cloned());
        carry::body(request, target, &mut losses)?
    } else {
        build::body(request, target, &mut losses)?
    };
    Ok(WireRequest {
        method: http::Method::POST,
        path: match api_version {
            None => "/responses".to_owned(),
            Some(version) => {
                let version = Escaped(target.api_version.unwrap_or(version));
                format!("/responses?api-version={version}")
            }
        },
        headers,
        body,
        losses,
        form: ReplyForm {
            carried,
            answer_tool: None,
        },
    })
}

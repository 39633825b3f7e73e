//! A client's body with what the upstream needs spliced in.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};

use super::OpenAiCompletions;
use crate::chat::{ChatRequest, Losses, Protocol};
use crate::codec::{ReplyForm, Target, WireRequest};
use crate::error::{ApiError, ErrorKind, ErrorSource};
use crate::json::{Kind, Node, Object, quote};

pub(super) fn encode(
    codec: &OpenAiCompletions,
    request: &ChatRequest,
    target: &Target<'_>,
) -> Result<WireRequest, ApiError> {
    if request.protocol != Protocol::OpenAiCompletions {
        return Err(ApiError::new(
            ErrorKind::InvalidRequest,
            ErrorSource::Gateway,
            "This provider is set to continue texts, and cannot be asked in a chat.",
        ));
    }
    let mut body = Object::scan(request.body.clone())
        .map_err(|error| ApiError::invalid(format!("The body is not valid JSON: {error}.")))?;
    if request.model.as_deref() != Some(target.model) {
        body.set("model", quote(target.model));
    }
    if !codec.stream_options {
        body.remove("stream_options");
    } else if request.stream && !request.include_usage {
        let options = body.get("stream_options").map(Bytes::copy_from_slice);
        body.set("stream_options", with_usage(options));
    }
    if let Some(system) = target.system_prompt {
        let prompt = body.get("prompt").map(Bytes::copy_from_slice);
        body.set("prompt", after_system(system, prompt)?);
    }
    let mut headers = HeaderMap::with_capacity(1 + request.headers.len());
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.extend(request.headers.iter().cloned());
    Ok(WireRequest {
        method: http::Method::POST,
        path: codec.paths.path("/completions", target),
        headers,
        body: body.finish(),
        losses: Losses::default(),
        form: ReplyForm {
            carried: true,
            answer_tool: None,
        },
    })
}

/// Requests are recorded, whatever their client wants to see.
fn with_usage(options: Option<Bytes>) -> Bytes {
    let options = options.and_then(|options| Object::scan(options).ok());
    let Some(mut options) = options else {
        return Bytes::from_static(b"{\"include_usage\":true}");
    };
    options.set("include_usage", Bytes::from_static(b"true"));
    options.finish().concat()
}

/// A text has no system: what the operator wants said stands before it.
fn after_system(system: &str, prompt: Option<Bytes>) -> Result<Bytes, ApiError> {
    let before = |text: &str| quote(&format!("{system}\n\n{text}"));
    let Some(prompt) = prompt else {
        return Ok(quote(system));
    };
    let refused = || {
        let message = "The parameter 'prompt' must be text here, not tokens: the operator's own prompt goes before it.";
        ApiError::invalid(message).with_param("prompt")
    };
    let node = Node::parse(&prompt).map_err(|_| refused())?;
    match node.kind() {
        Kind::Null => Ok(quote(system)),
        Kind::String => Ok(before(&node.str()?)),
        _ => {
            let mut list = vec![b'['];
            for item in node.array()? {
                let text = item.str().map_err(|_| refused())?;
                if list.len() > 1 {
                    list.push(b',');
                }
                list.extend_from_slice(&before(&text));
            }
            list.push(b']');
            Ok(Bytes::from(list))
        }
    }
}

//! A client's body with what the upstream needs spliced in.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};

use crate::chat::{ChatRequest, Layout, Losses};
use crate::codec::{ReplyForm, Target, WireRequest};
use crate::error::{ApiError, ErrorKind, ErrorSource};
use crate::json::{Edit, Span, quote, splice};
use crate::segments::Segments;
use crate::wire::openai_chat::{RequestLayout, StreamOptions};

pub(super) fn encode(request: &ChatRequest, target: &Target<'_>) -> Result<WireRequest, ApiError> {
    let Layout::OpenAiChat(layout) = &request.layout else {
        let message = "A request of another protocol cannot be sent to this provider.";
        return Err(ApiError::new(
            ErrorKind::InvalidRequest,
            ErrorSource::Gateway,
            message,
        ));
    };
    let mut headers = HeaderMap::with_capacity(1);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(WireRequest {
        method: http::Method::POST,
        path: "/chat/completions".to_owned(),
        headers,
        body: body(request, layout, target),
        losses: Losses::default(),
        form: ReplyForm {
            carried: true,
            answer_tool: None,
        },
    })
}

fn body(request: &ChatRequest, layout: &RequestLayout, target: &Target<'_>) -> Segments {
    let mut edits = Vec::new();
    let mut first_members = Vec::new();
    if request.model.as_deref() != Some(target.model) {
        let model = quote(target.model);
        match &layout.model {
            Some(span) => edits.push(replace(span, model)),
            None => {
                first_members.extend_from_slice(b"\"model\":");
                first_members.extend_from_slice(&model);
                first_members.push(b',');
            }
        }
    }
    // Usage is always asked for: requests are recorded, whatever their client wants to see.
    if request.stream && !request.include_usage {
        const ON: &[u8] = b"\"include_usage\":true";
        match &layout.stream_options {
            StreamOptions::Absent => {
                first_members.extend_from_slice(b"\"stream_options\":{");
                first_members.extend_from_slice(ON);
                first_members.extend_from_slice(b"},");
            }
            StreamOptions::Null(span) => {
                edits.push(replace(span, Bytes::from([b"{", ON, b"}"].concat())));
            }
            StreamOptions::Object { start, empty } => {
                let comma: &[u8] = if *empty { b"" } else { b"," };
                edits.push(insert(*start, [ON, comma].concat()));
            }
            StreamOptions::IncludeUsage(span) => {
                edits.push(replace(span, Bytes::from_static(b"true")));
            }
        }
    }
    if let Some(prompt) = target.system_prompt {
        let (before, after) = layout.system_neighbours;
        let mut message = Vec::with_capacity(prompt.len() + 32);
        if before {
            message.push(b',');
        }
        message.extend_from_slice(b"{\"role\":\"system\",\"content\":");
        message.extend_from_slice(&quote(prompt));
        message.push(b'}');
        if after && !before {
            message.push(b',');
        }
        edits.push(insert(layout.system, message));
    }
    if !first_members.is_empty() {
        // `messages` is always there, so a comma follows rightly.
        edits.push(insert(layout.start, first_members));
    }
    splice(&request.body, edits)
}

fn replace(span: &Span, with: Bytes) -> Edit {
    Edit {
        span: span.clone(),
        with,
    }
}

fn insert(at: usize, with: Vec<u8>) -> Edit {
    Edit {
        span: at..at,
        with: Bytes::from(with),
    }
}

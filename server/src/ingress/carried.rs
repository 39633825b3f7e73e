//! Images, audio and moderations: bodies that travel as they are. JSON is read whole, forms are passed on while
//! they come.

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use llm::carried::{Bodies, JsonHead, Multipart, Operation};
use llm::error::ApiError;

use super::upload::ClientUpload;
use super::{Route, arrival, body, passed, route};
use crate::gateway::{Answer, CarriedRequest, Context, Form, FormRequest, Gateway};
use crate::transport::Upload;

/// Answers with what the provider answers.
pub async fn carried(
    route: Route,
    operation: &'static Operation,
    State(gateway): super::Gateway,
    request: http::Request<Body>,
) -> Response {
    carry(&route, operation, &gateway, None, request).await
}

/// The same, of a model whose name the path may say.
pub(super) async fn carry(
    route: &Route,
    operation: &'static Operation,
    gateway: &Gateway,
    model: Option<&str>,
    request: http::Request<Body>,
) -> Response {
    let (head, mut body) = request.into_parts();
    let mut context = arrival::begin(gateway, &head, &route.dialect, &route.template);
    match answer(gateway, &mut context, operation, model, &head, &mut body).await {
        Ok(reply) => passed::respond(context, reply).await,
        Err(error) => route::refuse(context, body, &error).await,
    }
}

async fn answer(
    gateway: &Gateway,
    context: &mut Context,
    operation: &'static Operation,
    model: Option<&str>,
    head: &Parts,
    body: &mut Body,
) -> Result<Answer, ApiError> {
    let terms = route::admit(gateway, context, head)?;
    let content_type = head.headers.get(CONTENT_TYPE);
    if is_form(operation, content_type) {
        let mut request = read_form(context, operation, head, body).await?;
        if let Some(model) = model {
            request.head.model = Some(model.to_owned());
        }
        return gateway.carry_form(context, request, terms).await;
    }
    let body = route::read(context, head, body).await?;
    let json = JsonHead::read(operation, &body)?;
    let request = CarriedRequest {
        operation,
        stream: json.stream,
        model: model.map(str::to_owned).or(json.model),
        characters: json.characters,
        body,
    };
    gateway.carry(context, &request, terms).await
}

fn is_form(operation: &Operation, content_type: Option<&HeaderValue>) -> bool {
    let says_form = content_type
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| {
            let start = value.trim_start().get(.."multipart/".len());
            start.is_some_and(|start| start.eq_ignore_ascii_case("multipart/"))
        });
    match operation.bodies {
        Bodies::Json => false,
        Bodies::Multipart => true,
        Bodies::Both => says_form,
    }
}

/// Reads a form until the model's name has come, and no further.
async fn read_form(
    context: &mut Context,
    operation: &'static Operation,
    head: &Parts,
    body: &mut Body,
) -> Result<FormRequest, ApiError> {
    let content_type = head.headers.get(CONTENT_TYPE);
    let content_type = content_type
        .cloned()
        .unwrap_or_else(|| HeaderValue::from_static(""));
    let mut form = Multipart::new(content_type.to_str().unwrap_or_default())?;
    let limits = body::limits(context);
    let length = claimed_length(&head.headers);
    if length.is_some_and(|length| length > limits.size as u64) {
        return Err(body::too_large(limits.size));
    }
    let mut chunks: Vec<Bytes> = Vec::new();
    let mut received = 0;
    while form.head().model.is_none() {
        let Some(chunk) = body::next(body, &limits).await? else {
            form.finish()?;
            break;
        };
        received += chunk.len();
        context.recording.received_bytes(received as u64);
        if received > limits.size {
            return Err(body::too_large(limits.size));
        }
        form.push(&chunk)?;
        chunks.push(chunk);
    }
    let form_head = form.head().clone();
    let of_form = form_head.clone();
    // Already what it will be: a client whose form is refused before any of it is sent is still sending.
    let upload = ClientUpload::new(std::mem::take(body), limits, received, [], None).reading(form);
    let send = move |model: &str| {
        let held = of_form.with_model(&chunks, model);
        let length = length.map(|length| of_form.length_with(model, length));
        Upload::new(Box::pin(upload.holding(held, length)))
    };
    Ok(FormRequest {
        operation,
        head: form_head,
        content_type,
        length: claimed_length(&head.headers),
        form: Form::new(send),
    })
}

/// What `content-length` says.
pub(super) fn claimed_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

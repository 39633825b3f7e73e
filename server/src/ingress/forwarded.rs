//! `/v1/{model}/{tail}`: any endpoint of the model's provider, at its base URL and the tail. Whatever the method,
//! the content type and the size, both ways. What is asked at an [endpoint of the gateway's own](ServedTails) is asked there.

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use chrono::Utc;
use http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, EXPECT, FORWARDED, HOST,
};
use http::request::Parts;
use http::{HeaderMap, Method, Uri};
use http_body::Body as _;
use llm::dialects::openai_chat::OpenAiChat;
use llm::error::ApiError;

use super::call::KEY_HEADERS;
use super::carried::claimed_length;
use super::refusal::{unknown, unrecorded};
use super::served_tail::{ServedTails, may_say};
use super::upload::ClientUpload;
use super::{Route, arrival, body, call, passed, query, route};
use crate::gateway::{
    Answer, Context, ForwardedBody, ForwardedRequest, Gateway, without_hop_by_hop,
};
use crate::transport::Upload;

/// Names are for people to read.
const MAX_ENDPOINT: usize = 200;

/// Passes a request on, and its answer back.
pub async fn forwarded(
    tails: ServedTails,
    State(gateway): super::Gateway,
    path: Result<Path<(String, String)>, PathRejection>,
    request: http::Request<Body>,
) -> Response {
    let (head, mut body) = request.into_parts();
    let (model, tail) = match (path, tail(&head.uri)) {
        (Ok(Path((model, _))), Some(tail)) => (model, tail.to_owned()),
        _ => {
            body::discard(body);
            return unrecorded(&OpenAiChat, &unknown(&head.method, &head.uri));
        }
    };
    if let Err(error) = check_name(&gateway, &model, &head) {
        body::discard(body);
        return unrecorded(&OpenAiChat, &error);
    }
    if head.method == Method::POST
        && let Some(served) = tails.at(&tail)
    {
        let request = http::Request::from_parts(head, body);
        return served.answer(&gateway, &model, request).await;
    }
    let route = Route::new("forwarded", endpoint(&tail));
    let mut context = arrival::begin(&gateway, &head, &route.dialect, &route.template);
    match answer(&gateway, &mut context, model, &tail, &head, &mut body).await {
        Ok(reply) => passed::respond(context, reply).await,
        Err(error) => route::refuse(context, body, &error).await,
    }
}

/// Behind the model's name, as it was written. `None` where a part of it would lead out of the provider's base
/// URL.
fn tail(uri: &Uri) -> Option<&str> {
    let (_, tail) = uri.path().strip_prefix("/v1/")?.split_once('/')?;
    stays_below(tail).then_some(tail)
}

/// Whether no part of a path leads out of what it is put behind.
pub(super) fn stays_below(path: &str) -> bool {
    let leads_out = |part: &str| {
        let part = part.to_ascii_lowercase().replace("%2e", ".");
        part == "." || part == ".."
    };
    let escapes_slash = |part: &str| {
        let part = part.to_ascii_lowercase();
        part.contains('\\')
            || part.contains("%5c")
            || part.contains("%2f..")
            || part.contains("..%2f")
    };
    !path
        .split('/')
        .any(|part| leads_out(part) || escapes_slash(part))
}

fn endpoint(tail: &str) -> &str {
    &tail[..tail.floor_char_boundary(MAX_ENDPOINT)]
}

/// A path like this is a URL of ours that is mistaken, unless somebody configured a model of this name: the default
/// provider does not get whatever nobody knows.
fn check_name(gateway: &Gateway, model: &str, head: &Parts) -> Result<(), ApiError> {
    let policies = gateway.policies();
    if policies.routing.knows(model) || call::provider(&head.headers)?.is_some() {
        return Ok(());
    }
    let credential = call::credential(&head.headers, &head.uri);
    policies
        .keys
        .authenticate(credential.as_deref(), Utc::now())?;
    let mut error = unknown(&head.method, &head.uri);
    error.message.push_str(&format!(
        " If it is meant for a provider: there is no model `{model}`."
    ));
    Err(error)
}

async fn answer(
    gateway: &Gateway,
    context: &mut Context,
    model: String,
    tail: &str,
    head: &Parts,
    body: &mut Body,
) -> Result<Answer, ApiError> {
    let terms = route::admit(gateway, context, head)?;
    let limits = body::limits(context);
    let length = claimed_length(&head.headers);
    if length.is_some_and(|length| length > limits.size as u64) {
        return Err(body::too_large(limits.size));
    }
    let only_path = matches!(head.method, Method::GET | Method::HEAD | Method::DELETE);
    let asks = !only_path || !body.is_end_stream();
    let may_say = may_say(tail, asks);
    let body = if body.is_end_stream() {
        ForwardedBody::Whole(bytes::Bytes::new())
    } else if is_json(&head.headers) || may_say && !is_form(&head.headers) {
        // Servers of models take for JSON what is sent as something else, too.
        ForwardedBody::Json(route::read(context, head, body).await?)
    } else {
        let upload = ClientUpload::new(std::mem::take(body), limits, 0, [], length);
        ForwardedBody::Upload(Upload::new(Box::pin(upload)))
    };
    let request = ForwardedRequest {
        method: head.method.clone(),
        model,
        may_say,
        path: format!("/{tail}"),
        query: head
            .uri
            .query()
            .and_then(|all| query::without(all, query::KEY)),
        headers: passed_on(&head.headers),
        body,
    };
    gateway.forward(context, request, terms).await
}

fn is_json(headers: &HeaderMap) -> bool {
    essence(headers)
        .is_some_and(|essence| essence == "application/json" || essence.ends_with("+json"))
}

fn is_form(headers: &HeaderMap) -> bool {
    essence(headers).is_some_and(|essence| essence.starts_with("multipart/"))
}

/// What the body is said to be, without parameters.
fn essence(headers: &HeaderMap) -> Option<String> {
    let content_type = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let essence = content_type.split(';').next().unwrap_or_default();
    Some(essence.trim().to_ascii_lowercase())
}

/// The headers that are the upstream's business: not the connection's, the gateway's, or the client's credentials.
fn passed_on(headers: &HeaderMap) -> HeaderMap {
    let mut kept = without_hop_by_hop(headers);
    for name in [
        ACCEPT_ENCODING,
        AUTHORIZATION,
        CONTENT_LENGTH,
        COOKIE,
        EXPECT,
        FORWARDED,
        HOST,
    ] {
        kept.remove(name);
    }
    for name in KEY_HEADERS {
        kept.remove(name);
    }
    for name in ["x-llm-provider", "x-real-ip"] {
        kept.remove(name);
    }
    let ours: Vec<_> = kept
        .keys()
        .filter(|name| {
            let name = name.as_str();
            name.starts_with("x-gateway-") || name.starts_with("x-forwarded-")
        })
        .cloned()
        .collect();
    for name in ours {
        kept.remove(name);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_stays_below_the_base_url() {
        for (path, expected) in [
            ("/v1/m/files", Some("files")),
            ("/v1/m/a/b%20c/", Some("a/b%20c/")),
            ("/v1/org%2Fm/a..b", Some("a..b")),
            ("/v1/m/../x", None),
            ("/v1/m/a/%2E%2e/x", None),
            ("/v1/m/..%2Fx", None),
            ("/v1/m/a/.", None),
        ] {
            assert_eq!(tail(&path.parse().unwrap()), expected, "{path}");
        }
    }

    #[test]
    fn credentials_stay_here() {
        let mut headers = HeaderMap::new();
        for name in [
            "authorization",
            "x-api-key",
            "x-goog-api-key",
            "cookie",
            "x-gateway-strict",
            "x-forwarded-for",
            "connection",
            "x-hop",
            "keep-alive",
        ] {
            headers.insert(name, "x-hop".parse().unwrap());
        }
        headers.insert("anthropic-version", "2023-06-01".parse().unwrap());
        let kept = passed_on(&headers);
        assert_eq!(kept.len(), 1, "{kept:?}");
    }
}

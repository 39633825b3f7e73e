//! `/egress/{name}/…`: any HTTP API of the operator's, whatever the method and the size, streamed both ways.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use http::header::{
    AGE, AUTHORIZATION, CONTENT_LENGTH, COOKIE, EXPECT, FORWARDED, HOST, SET_COOKIE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use http_body::{Body as _, Frame};
use llm::dialects::openai_chat::OpenAiChat;
use llm::error::{ApiError, ErrorKind, ErrorSource};
use percent_encoding::percent_decode_str;

use super::call::KEY_HEADERS;
use super::carried::claimed_length;
use super::forwarded::stays_below;
use super::reply::{REQUEST_ID, request_id};
use super::upload::ClientUpload;
use super::{Route, arrival, body, call, query, rates, refusal};
use crate::egress::{Freshness, Keeping, Target, Wants};
use crate::gateway::{Context, EgressRequest, Gateway, without_hop_by_hop};
use crate::transport::{ReplyBody, Upload};

const PREFIX: &str = "/egress/";
static CACHE: HeaderName = HeaderName::from_static("x-cache");

/// Passes a request on, and its answer back.
pub async fn egress(State(gateway): super::Gateway, request: http::Request<Body>) -> Response {
    let (head, mut body) = request.into_parts();
    let Some((name, path)) = addressed(&head.uri) else {
        body::discard(body);
        let message = format!("Unknown request URL: {} {}.", head.method, head.uri.path());
        let error = ApiError::new(ErrorKind::NotFound, ErrorSource::Caller, message);
        return refusal::unrecorded(&OpenAiChat, &error.with_code("unknown_url"));
    };
    let route = Route::new("egress", "/egress/{name}");
    let mut context = arrival::begin(&gateway, &head, &route.dialect, &route.template);
    match answer(&gateway, &mut context, (&name, path), &head, &mut body).await {
        Ok(answer) => respond(context, answer),
        Err(error) => {
            body::discard(body);
            refusal::refuse(context, &OpenAiChat, &error).await
        }
    }
}

/// The route's name, and what stands behind it as it was written; `None` where that would lead out of the API.
fn addressed(uri: &Uri) -> Option<(String, &str)> {
    let rest = uri.path().strip_prefix(PREFIX)?;
    let (name, path) = match rest.find('/') {
        Some(end) => rest.split_at(end),
        None => (rest, ""),
    };
    let name = percent_decode_str(name).decode_utf8().ok()?;
    (!name.is_empty() && stays_below(path)).then(|| (name.into_owned(), path))
}

#[allow(
    clippy::large_enum_variant,
    reason = "there is one of them for a request, and it does not move"
)]
enum Answer {
    Kept {
        status: StatusCode,
        headers: HeaderMap,
        body: Bytes,
        age: u64,
    },
    Passed {
        status: StatusCode,
        headers: HeaderMap,
        body: ReplyBody,
        keeping: Option<Keeping>,
        /// It could have been kept.
        missed: bool,
    },
}

async fn answer(
    gateway: &Gateway,
    context: &mut Context,
    (name, path): (&str, &str),
    head: &Parts,
    body: &mut Body,
) -> Result<Answer, ApiError> {
    let policies = Arc::clone(&context.policies);
    let credential = call::credential(&head.headers, &head.uri);
    let target = policies.egress.target(name);
    match target {
        Some(target) if !target.rate_limit => {
            gateway.admit_uncounted(context, credential.as_deref())?;
        }
        // Whoever guesses at names is counted, too.
        _ => gateway.admit(context, credential.as_deref())?,
    }
    let target = target.ok_or_else(|| {
        let message = format!("There is no route `{name}`.");
        ApiError::new(ErrorKind::NotFound, ErrorSource::Caller, message)
            .with_code("route_not_found")
    })?;
    let open = policies.keys.is_open();
    let headers = passed_on(context, &head.headers, open);
    let asked = path_and_query(path, head.uri.query(), open);
    let url = format!("{}{asked}", target.url.trim_end_matches('/'));
    let wants = Wants::of(&headers);
    let keeps = target.cache && head.method == Method::GET && !wants.no_store;
    let kept = policies.egress.kept();
    if keeps
        && !wants.no_cache
        && let Some((entry, age)) = kept.find(&url, &headers, wants)
    {
        return Ok(Answer::Kept {
            status: entry.status,
            headers: entry.headers.clone(),
            body: entry.body.clone(),
            age: age.as_secs(),
        });
    }
    let request = EgressRequest {
        method: head.method.clone(),
        path: asked,
        headers: headers.clone(),
        body: upload(context, head, body)?,
    };
    let give_up = context.give_up();
    let reply = gateway.egress(target, request, &policies.timeouts, give_up);
    let reply = reply.await.map_err(|error| about(target, error))?;
    let is_safe = matches!(head.method, Method::GET | Method::HEAD | Method::OPTIONS);
    if target.cache && !is_safe && reply.status.as_u16() < 400 {
        kept.forget(&url);
    }
    let passed = passed_back(&reply.headers);
    let freshness = keeps
        .then(|| Freshness::of(reply.status, &reply.headers, wants))
        .flatten();
    let head = (reply.status, &passed);
    let keeping = freshness.map(|fresh| Keeping::new(kept, url, &headers, head, fresh));
    Ok(Answer::Passed {
        status: reply.status,
        headers: passed,
        body: reply.body,
        keeping,
        missed: keeps && !wants.no_cache,
    })
}

/// Clients know the route, and not where it leads.
fn about(target: &Target, mut error: ApiError) -> ApiError {
    error.message = format!("The route `{}` failed: {}", target.name, error.message);
    error
}

fn path_and_query(path: &str, query: Option<&str>, open: bool) -> String {
    let query = query.and_then(|all| match open {
        true => Some(all.to_owned()),
        false => query::without(all, query::KEY),
    });
    let path = if path.is_empty() { "/" } else { path };
    match query {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    }
}

fn upload(context: &Context, head: &Parts, body: &mut Body) -> Result<Option<Upload>, ApiError> {
    if body.is_end_stream() {
        return Ok(None);
    }
    let limits = body::limits(context);
    let length = claimed_length(&head.headers);
    if length.is_some_and(|length| length > limits.size as u64) {
        return Err(body::too_large(limits.size));
    }
    let upload = ClientUpload::new(std::mem::take(body), limits, 0, [], length);
    Ok(Some(Upload::new(Box::pin(upload))))
}

/// The headers that are the API's business: not the connection's, nor the gateway's. Where clients have keys of the
/// gateway's, these are not passed on, wherever they stand.
fn passed_on(context: &Context, headers: &HeaderMap, open: bool) -> HeaderMap {
    let mut kept = without_hop_by_hop(headers);
    for name in [CONTENT_LENGTH, COOKIE, EXPECT, FORWARDED, HOST] {
        kept.remove(name);
    }
    if !open {
        kept.remove(AUTHORIZATION);
        for name in KEY_HEADERS {
            let keys = &context.policies.keys;
            // The one that opened the door, and any other that would, did, or may some day.
            let mut values = headers.get_all(name).iter();
            if values.any(|value| value.to_str().is_ok_and(|value| keys.is_ours(value))) {
                kept.remove(name);
            }
        }
    }
    let ours: Vec<_> = kept
        .keys()
        .filter(|name| {
            let name = name.as_str();
            ["x-gateway-", "x-forwarded-"]
                .iter()
                .any(|ours| name.starts_with(ours))
                || ["x-llm-provider", "x-real-ip"].contains(&name)
        })
        .cloned()
        .collect();
    for name in ours {
        kept.remove(name);
    }
    kept
}

/// What a client gets of the API's headers: not what belongs to the connection to it, or to its site.
fn passed_back(headers: &HeaderMap) -> HeaderMap {
    let mut kept = without_hop_by_hop(headers);
    kept.remove(SET_COOKIE);
    for name in ["alt-svc", "strict-transport-security"] {
        kept.remove(name);
    }
    kept
}

fn respond(mut context: Context, answer: Answer) -> Response {
    let (status, mut headers, source, cache) = match answer {
        Answer::Kept {
            status,
            mut headers,
            body,
            age,
        } => {
            headers.insert(AGE, HeaderValue::from(age));
            (status, headers, Source::Kept(Some(body)), Some("HIT"))
        }
        Answer::Passed {
            status,
            headers,
            body,
            keeping,
            missed,
        } => {
            let source = Source::Passed { body, keeping };
            (status, headers, source, missed.then_some("MISS"))
        }
    };
    context.recording.responding(status.as_u16());
    headers.insert(REQUEST_ID, request_id(&context));
    if let Some(cache) = cache {
        headers.insert(CACHE.clone(), HeaderValue::from_static(cache));
    }
    if context.policies.limits.has_rates() {
        rates::remove(&mut headers);
        rates::tell(rates::of(&context), &mut headers);
    }
    let mut body = EgressBody { context, source };
    body.end_if_complete();
    let mut response = Response::new(Body::new(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// An answer's body, handed over as it comes.
struct EgressBody {
    context: Context,
    source: Source,
}

#[allow(
    clippy::large_enum_variant,
    reason = "there is one of them for a request, and it does not move"
)]
enum Source {
    Kept(Option<Bytes>),
    Passed {
        body: ReplyBody,
        keeping: Option<Keeping>,
    },
    Over,
}

impl EgressBody {
    /// Where a length was told, whoever takes the body does not ask for more.
    fn end_if_complete(&mut self) {
        let is_complete = match &self.source {
            Source::Kept(body) => body.as_ref().is_none_or(Bytes::is_empty),
            Source::Passed { body, .. } => body.is_complete(),
            Source::Over => false,
        };
        if is_complete {
            self.end();
        }
    }

    fn end(&mut self) {
        if let Source::Passed { body, keeping } = std::mem::replace(&mut self.source, Source::Over)
        {
            body.read_to_end();
            if let Some(keeping) = keeping {
                keeping.finish();
            }
        }
        self.context.recording.end();
    }

    fn sent(&mut self, chunk: &Bytes) {
        self.context.recording.began();
        self.context.recording.sent(chunk.len());
        self.end_if_complete();
    }
}

impl http_body::Body for EgressBody {
    type Data = Bytes;
    type Error = ApiError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ApiError>>> {
        let this = self.get_mut();
        let next = match &mut this.source {
            Source::Over => return Poll::Ready(None),
            Source::Kept(body) => body.take().map(Ok),
            Source::Passed { body, .. } => ready!(body.poll_chunk(cx)),
        };
        Poll::Ready(match next {
            None => {
                this.end();
                None
            }
            Some(Ok(chunk)) => {
                if let Source::Passed { keeping, .. } = &mut this.source {
                    *keeping = keeping.take().and_then(|keeping| keeping.push(&chunk));
                }
                this.sent(&chunk);
                Some(Ok(Frame::data(chunk)))
            }
            Some(Err(error)) => {
                this.source = Source::Over;
                let error = ApiError::from(error);
                this.context.broke(&error);
                this.context.recording.end();
                // The connection is cut: the client sees that this was not all.
                Some(Err(error))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_below_the_api() {
        for (uri, expected) in [
            ("/egress/a", Some(("a", ""))),
            ("/egress/a/", Some(("a", "/"))),
            ("/egress/a%20b/c%2Fd?e=f", Some(("a b", "/c%2Fd"))),
            ("/egress/a/b..c", Some(("a", "/b..c"))),
            ("/egress/", None),
            ("/egress/a/../b", None),
            ("/egress/a/%2e%2E/b", None),
            ("/egress/a/..%2fb", None),
            ("/egress/a/b%5c..", None),
            ("/egress/a/.", None),
        ] {
            let uri: Uri = uri.parse().unwrap();
            let found = addressed(&uri);
            let found = found.as_ref().map(|(name, path)| (name.as_str(), *path));
            assert_eq!(found, expected, "{uri}");
        }
    }
}

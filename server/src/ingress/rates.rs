//! How it stands with the rates that hold for a request, as headers of its answer.
//!
//! Every answer has them where a rate holds: plain numbers, as gateways before this one had them, under the names of
//! <https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-06> and under those that came before
//! it. An upstream's own, about its clients, are not passed on where the gateway has rates.

use std::fmt::Write as _;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};

use axum::body::Body;
use axum::response::Response;
use chrono::Utc;
use http::{HeaderMap, HeaderName, HeaderValue};
use tower::{Layer, Service};

use super::call;
use crate::auth::Caller;
use crate::gateway::{Context, Gateway};
use crate::limits::Shown;
use crate::policies::Policies;
use crate::serve::ClientConnection;

const LIMIT: [HeaderName; 2] = [
    HeaderName::from_static("ratelimit-limit"),
    HeaderName::from_static("x-ratelimit-limit"),
];
const REMAINING: [HeaderName; 2] = [
    HeaderName::from_static("ratelimit-remaining"),
    HeaderName::from_static("x-ratelimit-remaining"),
];
const RESET: [HeaderName; 2] = [
    HeaderName::from_static("ratelimit-reset"),
    HeaderName::from_static("x-ratelimit-reset"),
];

/// What the answer to a counted request says.
pub(super) fn of(context: &Context) -> Option<Shown> {
    context.permit.as_ref()?.shown()
}

pub(super) fn tell(shown: Option<Shown>, headers: &mut HeaderMap) {
    let Some(shown) = shown else { return };
    headers.reserve(LIMIT.len() + REMAINING.len() + RESET.len());
    for (names, number) in [
        (LIMIT, shown.limit),
        (REMAINING, shown.remaining),
        (RESET, shown.reset),
    ] {
        let value = HeaderValue::from(number);
        for name in names {
            headers.insert(name, value.clone());
        }
    }
}

/// The same as lines of a response's head, for what is no request: the connection's address is all there is to go by.
pub fn rate_lines(gateway: &Gateway, address: IpAddr) -> String {
    let caller = Caller {
        address: Some(address.to_canonical()),
        ..Caller::default()
    };
    let mut headers = HeaderMap::new();
    if gateway.has_rates() {
        tell(gateway.policies().limits.shown(&caller), &mut headers);
    }
    let mut lines = String::new();
    for (name, value) in &headers {
        let value = value.to_str().unwrap_or_default();
        let _ = write!(lines, "{name}: {value}\r\n");
    }
    lines
}

/// Takes out what an upstream says of its own rates.
pub(super) fn remove(headers: &mut HeaderMap) {
    // Nearly always there is nothing, which is seen sooner than looked up by six names.
    if !headers
        .keys()
        .any(|name| name.as_str().contains("ratelimit-"))
    {
        return;
    }
    for name in LIMIT.into_iter().chain(REMAINING).chain(RESET) {
        headers.remove(name);
    }
}

/// Tells the state of rates with all answers that do not say it yet: those to requests that were not counted.
#[derive(Clone, Debug)]
pub struct TellRates(pub Arc<Gateway>);

impl<S> Layer<S> for TellRates {
    type Service = Telling<S>;

    fn layer(&self, inner: S) -> Telling<S> {
        Telling {
            inner,
            gateway: Arc::clone(&self.0),
        }
    }
}

/// A service whose answers tell it.
#[derive(Clone, Debug)]
pub struct Telling<S> {
    inner: S,
    gateway: Arc<Gateway>,
}

impl<S> Service<http::Request<Body>> for Telling<S>
where
    S: Service<http::Request<Body>, Response = Response>,
    S::Future: Unpin,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Told<S::Future>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Told {
            asking: Asking::of(&self.gateway, &request),
            answer: self.inner.call(request),
        }
    }
}

/// Who asks, as far as it can be known without letting them in.
#[derive(Debug)]
struct Asking {
    policies: Arc<Policies>,
    caller: Caller,
    credential: Option<String>,
}

impl Asking {
    /// `None`: there are no rates.
    fn of(gateway: &Gateway, request: &http::Request<Body>) -> Option<Self> {
        if !gateway.has_rates() {
            return None;
        }
        let policies = gateway.policies();
        let connection = request.extensions().get::<ClientConnection>();
        let address = connection.map(|connection| {
            let trusted = &policies.trusted_proxies;
            call::client_address(connection.address, request.headers(), trusted)
        });
        let credential = call::credential(request.headers(), request.uri());
        Some(Self {
            credential: credential.map(Into::into),
            caller: Caller {
                address,
                ..Caller::default()
            },
            policies,
        })
    }

    fn shown(self) -> Option<Shown> {
        let credential = self.credential.as_deref();
        let known = self.policies.keys.known(credential, Utc::now());
        let caller = Caller {
            key: known.and_then(|caller| caller.key.clone()),
            ..self.caller
        };
        self.policies.limits.shown(&caller)
    }
}

/// The answer, and what it says besides.
#[derive(Debug)]
pub struct Told<F> {
    asking: Option<Asking>,
    answer: F,
}

impl<F, E> Future for Told<F>
where
    F: Future<Output = Result<Response, E>> + Unpin,
{
    type Output = Result<Response, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let mut answer = ready!(Pin::new(&mut self.answer).poll(cx))?;
        if let Some(asking) = self.asking.take()
            && !answer.headers().contains_key(&LIMIT[0])
        {
            tell(asking.shown(), answer.headers_mut());
        }
        Poll::Ready(Ok(answer))
    }
}

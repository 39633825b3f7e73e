//! A handler that panics answers all the same, and its connection lives on.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::response::Response;
use futures_util::FutureExt;
use futures_util::future::CatchUnwind;
use llm::dialect::ChatDialect;
use llm::error::{ApiError, ErrorKind, ErrorSource};
use tower::{Layer, Service};

use super::{refusal, spoken};

/// Tells clients of panics, in their own dialect.
#[derive(Clone, Copy, Debug)]
pub struct CatchPanics;

impl<S> Layer<S> for CatchPanics {
    type Service = Caught<S>;

    fn layer(&self, inner: S) -> Caught<S> {
        Caught { inner }
    }
}

/// A service whose panics are caught.
#[derive(Clone, Debug)]
pub struct Caught<S> {
    inner: S,
}

impl<S> Service<http::Request<Body>> for Caught<S>
where
    S: Service<http::Request<Body>, Response = Response>,
    S::Future: Unpin,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Answer<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Answer {
            dialect: spoken::at(request.uri().path()),
            answer: AssertUnwindSafe(self.inner.call(request)).catch_unwind(),
        }
    }
}

/// The answer of a service, or of its panic.
#[derive(Debug)]
pub struct Answer<F> {
    dialect: &'static dyn ChatDialect,
    answer: CatchUnwind<AssertUnwindSafe<F>>,
}

impl<F, E> Future for Answer<F>
where
    F: Future<Output = Result<Response, E>> + Unpin,
{
    type Output = Result<Response, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match ready!(Pin::new(&mut self.answer).poll(cx)) {
            Ok(answer) => Poll::Ready(answer),
            Err(_) => {
                let error = ApiError::new(
                    ErrorKind::Internal,
                    ErrorSource::Gateway,
                    "The gateway failed to handle this request. This is a bug; its log says more.",
                );
                Poll::Ready(Ok(refusal::unrecorded(self.dialect, &error)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use tower::{ServiceExt, service_fn};

    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_answer() {
        async fn panics(_: http::Request<Body>) -> Result<Response, Infallible> {
            panic!("on purpose")
        }
        let service = CatchPanics.layer(service_fn(|request| Box::pin(panics(request))));
        let request = http::Request::get("/v1/models")
            .body(Body::empty())
            .unwrap();
        let response = service.oneshot(request).await.unwrap();
        assert_eq!(response.status(), 500);
        assert_eq!(response.headers()["content-type"], "application/json");
    }
}

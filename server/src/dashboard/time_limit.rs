//! A page that does not get done is an error that says so, not a page that loads for ever.

use std::panic::resume_unwind;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Far above what a page's queries may take: whoever waits this long waits in vain.
pub(super) const LIMIT: Duration = Duration::from_secs(30);

/// Answers 503 in plain text for what is not there in time. A page counts once the last of it is
/// there: its data comes after its HTML, and the renderer may wait for either.
///
/// What was begun is done even if the client has hung up. Leptos renders in tasks of its own, too,
/// and they panic when the request that they belong to goes away under them.
pub(super) async fn apply(State(limit): State<Duration>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let answer = async {
        let response = next.run(request).await;
        if is_page(&response) {
            gather(response).await
        } else {
            response
        }
    };
    match tokio::spawn(tokio::time::timeout(limit, answer)).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => {
            tracing::error!(%path, "The dashboard gave up on a page that was not done in time");
            late()
        }
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // The gateway is being stopped.
            Err(_) => late(),
        },
    }
}

fn late() -> Response {
    let text = "The page was not done in time. Please load it again.\n";
    (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
}

fn is_page(response: &Response) -> bool {
    response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

async fn gather(response: Response) -> Response {
    let (head, body) = response.into_parts();
    match to_bytes(body, usize::MAX).await {
        Ok(page) => Response::from_parts(head, Body::from(page)),
        Err(error) => {
            tracing::error!(%error, "The dashboard could not finish a page");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::future::pending;
    use std::sync::{Arc, Mutex};

    use axum::Router;
    use axum::body::Bytes;
    use axum::middleware;
    use axum::response::Html;
    use axum::routing::get;
    use futures_util::{StreamExt, stream};
    use http_body_util::BodyExt;
    use tokio::sync::oneshot;
    use tower::ServiceExt;

    use super::*;

    async fn done() -> Html<Body> {
        let parts = ["begun, ", "done"].map(Ok::<_, Infallible>);
        Html(Body::from_stream(stream::iter(parts)))
    }

    async fn held_up() -> Html<Body> {
        let begun = stream::iter([Ok::<_, Infallible>("begun, ")]);
        Html(Body::from_stream(begun.chain(stream::pending())))
    }

    async fn page(path: &str, limit: Duration) -> (StatusCode, Bytes) {
        let router = Router::new()
            .route("/done", get(done))
            .route("/silent", get(pending::<Response>))
            .route("/held-up", get(held_up))
            .layer(middleware::from_fn_with_state(limit, apply));
        let request = Request::get(path).body(Body::empty()).expect("a request");
        let response = router.oneshot(request).await.expect("an answer");
        let (head, body) = response.into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        (head.status, body)
    }

    #[tokio::test]
    async fn what_is_done_in_time_is_passed_on() {
        let (status, text) = page("/done", LIMIT).await;
        assert_eq!((status, &text[..]), (StatusCode::OK, &b"begun, done"[..]));
    }

    #[tokio::test]
    async fn neither_head_nor_body_keeps_anybody_waiting() {
        for path in ["/silent", "/held-up"] {
            let (status, text) = page(path, Duration::from_millis(20)).await;
            assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
            assert!(text.starts_with(b"The page was not done"), "{path}");
        }
    }

    #[tokio::test]
    async fn what_was_begun_is_done_without_the_client() {
        let (begin, begun) = oneshot::channel();
        let (go_on, held) = oneshot::channel::<()>();
        let (end, ended) = oneshot::channel();
        let channels = Arc::new(Mutex::new(Some((begin, held, end))));
        let page = || async move {
            let channels = channels.lock().expect("no panic").take();
            let (begin, held, end) = channels.expect("one request");
            begin.send(()).expect("the test waits");
            held.await.expect("the test goes on");
            end.send(()).expect("the test waits");
        };
        let router = Router::new()
            .route("/", get(page))
            .layer(middleware::from_fn_with_state(LIMIT, apply));
        let request = Request::get("/").body(Body::empty()).expect("a request");
        let client = tokio::spawn(router.oneshot(request));
        begun.await.expect("the page is begun");
        client.abort();
        assert!(client.await.expect_err("hung up").is_cancelled());
        go_on.send(()).expect("the page is still there");
        ended.await.expect("the page is done");
    }
}

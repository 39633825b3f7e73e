//! What the dashboard's pages say before any script runs.

#[path = "../../examples/dashboard_preview/sample.rs"]
mod sample;

mod interleaved;
mod policies;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, COOKIE, LOCATION, REFERER, SET_COOKIE};
use axum::http::request::Builder;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use sample::{Sample, Scene};
use server::access::{Operator, Via};
use shared::GatewayApi;
use shared::policies::PolicyApi;
use tower::ServiceExt;

struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

/// More than the dashboard itself allows for a page.
const HANGS: Duration = Duration::from_secs(60);

async fn send(scene: Scene, request: Builder, body: &'static str) -> Reply {
    let sample = Arc::new(Sample::new(scene));
    send_to(sample.clone(), sample.policies.clone(), request, body).await
}

async fn send_to(
    api: Arc<dyn GatewayApi>,
    policies: Arc<dyn PolicyApi>,
    request: Builder,
    body: &str,
) -> Reply {
    let operator = Operator::with_admin_token(Via::Session);
    send_by(operator, api, policies, request, body).await
}

async fn send_by(
    operator: Operator,
    api: Arc<dyn GatewayApi>,
    policies: Arc<dyn PolicyApi>,
    request: Builder,
    body: &str,
) -> Reply {
    interleaved::prepare();
    let router = server::dashboard::router(api, policies).layer(Extension(operator));
    let request = request
        .body(Body::from(body.to_owned()))
        .expect("a valid request");
    let reply = async {
        let response = router.oneshot(request).await;
        let (head, body) = response.expect("the router cannot fail").into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        (head, body)
    };
    let (head, body) = tokio::time::timeout(HANGS, reply)
        .await
        .expect("an answer, before long");
    Reply {
        status: head.status,
        headers: head.headers,
        text: String::from_utf8_lossy(&body).into_owned(),
    }
}

async fn get(scene: Scene, path: &str) -> Reply {
    send(scene, Request::get(path), "").await
}

async fn get_from(api: Arc<dyn GatewayApi>, policies: Arc<dyn PolicyApi>, path: &str) -> Reply {
    send_to(api, policies, Request::get(path), "").await
}

impl Reply {
    #[track_caller]
    fn says(&self, text: &str) -> &Self {
        assert!(
            self.text.contains(text),
            "`{text}` is missing:\n{}",
            self.text
        );
        self
    }

    #[track_caller]
    fn hides(&self, text: &str) -> &Self {
        assert!(!self.text.contains(text), "`{text}` is there");
        self
    }
}

#[tokio::test]
async fn figures_charts_and_tables_come_with_the_page() {
    let page = get(Scene::Busy, "/").await;
    assert_eq!(page.status, StatusCode::OK);
    page.says("<title>Overview · AI Gateway</title>")
        .says("23,196")
        .says("1.24%")
        .says("$31.39")
        .says("claude-sonnet-4-5")
        .says("rate_limited")
        .says(r#"viewBox="0 0 560 216""#)
        .says("var(--series-1)")
        .says("Data table")
        .says("Serving")
        .hides("No requests yet")
        .hides("Open gateway");
}

#[tokio::test]
async fn figures_are_sent_once_as_data_and_drawings_once_as_html() {
    let page = get(Scene::Busy, "/").await;
    assert_eq!(page.text.matches("bucket_seconds").count(), 1);
    let data = &page.text[page.text.find("__RESOLVED_RESOURCES").expect("data")..];
    assert!(!data.contains("viewBox"), "drawings are among the data");
    // Both sizes of each of four charts; stacked ones have their bars in an element of their own.
    assert_eq!(
        page.text.matches(r#"<svg viewBox="0 0 560 216""#).count(),
        4
    );
    assert_eq!(
        page.text.matches(r#"<svg viewBox="0 0 330 190""#).count(),
        4
    );
}

#[tokio::test]
async fn scripts_carry_the_nonce_of_the_policy() {
    let page = get(Scene::Busy, "/").await;
    let policy = page.headers["content-security-policy"]
        .to_str()
        .expect("text");
    let nonce = policy
        .split_once("'nonce-")
        .and_then(|(_, rest)| rest.split_once('\''))
        .map(|(nonce, _)| nonce.to_owned())
        .expect("a nonce");

    for script in page.text.split("<script").skip(1) {
        let tag = script.split_once('>').expect("a whole tag").0;
        assert!(tag.contains(&nonce), "no nonce: <script{tag}>");
    }
    let again = get(Scene::Busy, "/").await;
    assert!(!again.text.contains(&nonce), "a nonce is used twice");
}

#[tokio::test]
async fn a_fresh_gateway_says_how_to_make_a_request() {
    get(Scene::Fresh, "/")
        .await
        .says("No requests yet")
        .says("curl http://127.0.0.1:8080/v1/chat/completions")
        .says("x-llm-provider: simulated")
        .says("anyone who reaches the port is served")
        .says("Every provider is simulated")
        .hides("Bearer")
        .hides("Error rate");
}

#[tokio::test]
async fn a_filter_that_nothing_passes_is_not_a_fresh_gateway() {
    get(Scene::Fresh, "/?provider=openai")
        .await
        .says("Nothing matches")
        .says("Remove the filter Provider openai")
        .hides("No requests yet");
}

#[tokio::test]
async fn a_database_that_does_not_answer_is_named() {
    let page = get(Scene::Failing, "/").await;
    assert_eq!(page.status, StatusCode::OK);
    page.says("The database does not answer")
        .says("disk I/O error (code 10)")
        .hides("No requests yet")
        .hides("Error rate");
}

#[tokio::test]
async fn trouble_with_recording_is_on_every_page() {
    get(Scene::Troubled, "/")
        .await
        .says("Not recording")
        .says("database is locked")
        .says("1,830 records wait on disk")
        .says("3 records since the start")
        .says("Without a price")
        .says("Nothing was recorded in the 24h before.");
}

#[tokio::test]
async fn range_and_filters_come_from_the_address() {
    let page = get(Scene::Busy, "/?range=7d&model=%3Cscript%3Ealert(1)").await;
    page.says("compared with the 7d before")
        .says("&lt;script&gt;alert(1)")
        .says("range=1h&amp;model=%3Cscript%3Ealert%281%29")
        .hides("<script>alert(1)");
    // A range that does not exist is the default one.
    get(Scene::Busy, "/?range=99y")
        .await
        .says("compared with the 24h before");
}

#[tokio::test]
async fn the_theme_is_chosen_without_a_script() {
    get(Scene::Busy, "/").await.hides("data-theme=");
    let request = Request::get("/").header(COOKIE, "other=1; theme=dark");
    send(Scene::Busy, request, "")
        .await
        .says(r#"data-theme="dark""#);

    let form = Request::post("/ui/api/theme")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("accept", "text/html")
        .header(REFERER, "http://127.0.0.1:8081/?range=7d");
    let reply = send(Scene::Busy, form, "theme=light").await;
    assert_eq!(reply.status, StatusCode::FOUND);
    assert_eq!(reply.headers[LOCATION], "http://127.0.0.1:8081/?range=7d");
    let cookie = reply.headers[SET_COOKIE].to_str().expect("text");
    assert!(cookie.starts_with("theme=light;"), "{cookie}");
}

#[tokio::test]
async fn the_browser_gets_figures_and_drawings_together() {
    let reply = get(Scene::Busy, "/ui/api/overview?range=24h&draw=true").await;
    assert_eq!(reply.status, StatusCode::OK);
    let json: serde_json::Value = serde_json::from_str(&reply.text).expect("JSON");
    assert_eq!(json["overview"]["totals"]["requests"], 23_196);
    let charts = json["charts"].as_array().expect("charts");
    assert_eq!(charts.len(), 4);
    for chart in charts {
        assert!(
            chart["wide"]
                .as_str()
                .expect("a drawing")
                .starts_with("<svg ")
        );
        assert!(
            chart["narrow"]
                .as_str()
                .expect("a drawing")
                .ends_with("</svg>")
        );
    }
    let failed = get(Scene::Failing, "/ui/api/overview?range=24h&draw=true").await;
    assert!(failed.status.is_server_error());
    failed.says("disk I/O error");
}

#[tokio::test]
async fn the_login_is_a_plain_form() {
    get(Scene::Busy, "/login")
        .await
        .says(r#"method="post" action="/login""#)
        .says(r#"name="token""#)
        .says(r#"name="password""#)
        .hides("not the admin token");
    get(Scene::Busy, "/login?error=token")
        .await
        .says("This is not the admin token.");
    get(Scene::Busy, "/login?error=password")
        .await
        .says("The name or the password is wrong.");
    get(Scene::Busy, "/login?error=%3Cb%3Ex")
        .await
        .hides("<b>x");
}

#[tokio::test]
async fn files_that_do_not_exist_are_not_found() {
    let reply = get(Scene::Busy, "/pkg/none.js").await;
    assert_eq!(reply.status, StatusCode::NOT_FOUND);
}

/// Another router may come into being while a page is rendered.
#[tokio::test]
async fn routers_that_are_built_meanwhile_hold_up_no_page() {
    let stop = Arc::new(AtomicBool::new(false));
    interleaved::prepare();
    let builder = std::thread::spawn({
        let stop = stop.clone();
        move || {
            while !stop.load(Ordering::Relaxed) {
                let sample = Arc::new(Sample::new(Scene::Fresh));
                let _ = server::dashboard::router(sample.clone(), sample.policies.clone());
            }
        }
    });
    for _ in 0..50 {
        get(Scene::Fresh, "/").await.says("No requests yet");
    }
    stop.store(true, Ordering::Relaxed);
    builder.join().expect("routers can be built");
}

//! HTTP APIs that are no models, reached through the gateway.

use reqwest::Method;
use serde_json::{Value, json};
use server::config::{Config, Secret};
use shared::policies::{EgressRoute, Rate, RateLimit};

use crate::test_app::{TestApp, key, simulated};
use crate::upstream::{Act, Upstream, response};

const TOKEN: &str = "the-token-of-these-tests";

fn route(upstream: &Upstream) -> EgressRoute {
    EgressRoute {
        enabled: true,
        endpoint: upstream.url("/v2"),
        cache: true,
        rate_limit: true,
    }
}

fn config(upstream: &Upstream) -> Config {
    let mut config = Config {
        providers: vec![simulated("a", llm::simulated::Fault::None)],
        ..Config::default()
    };
    config.admin.token = Some(Secret::new(TOKEN));
    config.egress.insert("api".to_owned(), route(upstream));
    config
}

fn ask(app: &TestApp, method: Method, path: &str) -> reqwest::RequestBuilder {
    app.expect_record();
    app.client.request(method, app.url(path))
}

fn send(head: &str, body: &str) -> Vec<Act> {
    vec![Act::Send(response("200 OK", head, body))]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_and_answers_pass() {
    let head = "x-more: a\r\nset-cookie: a=b\r\nconnection: x-hop\r\nx-hop: 1\r\n";
    let upstream =
        Upstream::start(vec![Act::Send(response("418 I'm a teapot", head, "tea"))]).await;
    let mut config = config(&upstream);
    config.keys = vec![key("team-a", "sk-a")];
    let app = TestApp::start(config).await;
    let request = ask(
        &app,
        Method::from_bytes(b"PURGE").unwrap(),
        "/egress/api/a%2Fb//c?x=%20&key=sk-a&y",
    );
    let answer = request
        .header("x-own", "1")
        .header("x-api-key", "sk-a")
        .header("api-key", "the API's own")
        .header("x-goog-api-key", "gw-of-before")
        .header("cookie", "ai_gateway_session=1")
        .header("x-forwarded-for", "192.0.2.1")
        .header("connection", "x-mine")
        .header("x-mine", "1")
        .body("hello")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 418);
    let headers = answer.headers().clone();
    assert_eq!(headers["x-more"], "a");
    assert!(headers.contains_key("x-request-id"));
    for gone in ["set-cookie", "x-hop"] {
        assert!(!headers.contains_key(gone), "{gone}");
    }
    assert_eq!(answer.text().await.unwrap(), "tea");
    let sent = upstream.received().pop().unwrap();
    let (line, lines) = sent.head.split_once("\r\n").unwrap();
    assert_eq!(line, "PURGE /v2/a%2Fb//c?x=%20&y HTTP/1.1");
    let lines = lines.to_ascii_lowercase();
    assert!(lines.contains("x-own: 1"), "{lines}");
    assert!(lines.contains("api-key: the api's own"), "{lines}");
    for gone in ["sk-a", "gw-of", "cookie", "x-forwarded", "x-mine"] {
        assert!(!lines.contains(gone), "{gone} in {lines}");
    }
    assert_eq!(sent.body, b"hello");
    let record = app.record().await;
    use sqlx::Row;
    assert_eq!(record.get::<String, _>("endpoint"), "/egress/{name}");
    assert_eq!(record.get::<i64, _>("status"), 418);
    assert_eq!(record.get::<String, _>("key_name"), "team-a");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_without_a_key_and_nothing_beside_it() {
    let upstream = Upstream::start(send("", "")).await;
    let mut config = config(&upstream);
    config.keys = vec![key("team-a", "sk-a")];
    let app = TestApp::start(config).await;
    let stranger = ask(&app, Method::GET, "/egress/api/x")
        .send()
        .await
        .unwrap();
    assert_eq!(stranger.status(), 401);
    let unknown = ask(&app, Method::GET, "/egress/other/x").bearer_auth("sk-a");
    assert_eq!(unknown.send().await.unwrap().status(), 404);
    assert_eq!(upstream.received().len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_gateway_has_no_key_to_keep() {
    let upstream = Upstream::start(send("", "")).await;
    let app = TestApp::start(config(&upstream)).await;
    let request = ask(&app, Method::GET, "/egress/api/x?key=its").bearer_auth("its");
    assert_eq!(request.send().await.unwrap().status(), 200);
    let head = upstream.received().pop().unwrap().head;
    assert!(head.starts_with("GET /v2/x?key=its HTTP/1.1"), "{head}");
    assert!(
        head.to_ascii_lowercase()
            .contains("authorization: bearer its")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rates_hold_where_the_route_says_so() {
    let upstream = Upstream::start(send("", "ok")).await;
    let mut config = config(&upstream);
    let free = EgressRoute {
        rate_limit: false,
        ..route(&upstream)
    };
    config.egress.insert("free".to_owned(), free);
    let limit = RateLimit {
        enabled: true,
        rate: Rate {
            requests: Some(1),
            window_seconds: 3600,
            ..Rate::default()
        },
        ..RateLimit::default()
    };
    config.limits.insert("one".to_owned(), limit);
    let app = TestApp::start(config).await;
    for (path, status) in [
        ("/egress/free/x", 200),
        ("/egress/free/x", 200),
        ("/egress/api/x", 200),
        ("/egress/api/x", 429),
        ("/egress/free/x", 200),
    ] {
        let answer = ask(&app, Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_be_kept_is_kept() {
    let upstream = Upstream::by_head(|head| {
        let control = match head {
            head if head.contains("/v2/mine") => "cache-control: private, max-age=60\r\n",
            head if head.contains("/v2/vary") => "cache-control: max-age=60\r\nvary: accept\r\n",
            head if head.contains("/v2/silent") => "",
            _ => "cache-control: max-age=60\r\n",
        };
        send(control, "body")
    })
    .await;
    let mut config = config(&upstream);
    let never = EgressRoute {
        cache: false,
        ..route(&upstream)
    };
    config.egress.insert("never".to_owned(), never);
    let app = TestApp::start(config).await;
    for (method, path, headers, asked) in [
        ("GET", "/egress/api/a?x=1", &[][..], true),
        ("GET", "/egress/api/a?x=1", &[], false),
        ("GET", "/egress/api/a?x=2", &[], true),
        (
            "GET",
            "/egress/api/a?x=1",
            &[("cache-control", "no-cache")],
            true,
        ),
        (
            "GET",
            "/egress/api/a?x=1",
            &[("cache-control", "no-store")],
            true,
        ),
        (
            "GET",
            "/egress/api/a?x=1",
            &[("authorization", "Bearer his")],
            true,
        ),
        ("GET", "/egress/api/a?x=1", &[], false),
        ("GET", "/egress/api/a?x=3", &[("x-api-key", "his")], true),
        (
            "GET",
            "/egress/api/a?x=3",
            &[("x-auth-token", "hers")],
            true,
        ),
        ("GET", "/egress/api/a?x=3", &[], true),
        ("POST", "/egress/api/a?x=1", &[], true),
        ("GET", "/egress/api/a?x=1", &[], true),
        ("GET", "/egress/api/mine", &[], true),
        ("GET", "/egress/api/mine", &[], true),
        ("GET", "/egress/api/silent", &[], true),
        ("GET", "/egress/api/silent", &[], true),
        ("GET", "/egress/api/vary", &[("accept", "a/b")], true),
        ("GET", "/egress/api/vary", &[("accept", "a/b")], false),
        ("GET", "/egress/api/vary", &[("accept", "a/c")], true),
        ("GET", "/egress/never/a?x=1", &[], true),
        ("GET", "/egress/never/a?x=1", &[], true),
    ] {
        let before = upstream.received().len();
        let mut request = ask(&app, Method::from_bytes(method.as_bytes()).unwrap(), path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let is_hit = answer
            .headers()
            .get("x-cache")
            .is_some_and(|it| it == "HIT");
        assert_eq!(is_hit, answer.headers().contains_key("age"));
        assert_eq!(answer.text().await.unwrap(), "body");
        let was_asked = upstream.received().len() > before;
        assert_eq!(was_asked, asked, "{method} {path} {headers:?}");
        assert_eq!(is_hit, !asked, "{method} {path} {headers:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn routes_are_policies() {
    let upstream = Upstream::start(send("", "ok")).await;
    let app = TestApp::start(config(&upstream)).await;
    let admin = |method: Method, path: &str| {
        app.client
            .request(method, app.admin_url(path))
            .bearer_auth(TOKEN)
    };
    let posted = json!({"name": "new", "endpoint": upstream.url("/v3"), "enableCache": false});
    let answer = admin(Method::POST, "/admin/routes")
        .json(&posted)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 201);
    assert_eq!(
        answer.text().await.unwrap(),
        "Service route configured successfully: new"
    );
    let answer = ask(&app, Method::GET, "/egress/new/x")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.text().await.unwrap(), "ok");
    assert!(upstream.received()[0].head.starts_with("GET /v3/x "));
    let all: Value = admin(Method::GET, "/admin/routes")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(all.as_object().unwrap().len(), 2);
    let expected = json!({
        "name": "new", "endpoint": upstream.url("/v3"), "enableCache": false, "enableRateLimit": true,
    });
    assert_eq!(all["new"], expected);
    let entry = admin(Method::GET, "/api/v1/routes/new")
        .send()
        .await
        .unwrap();
    let entry: Value = entry.json().await.unwrap();
    assert_eq!(entry["value"]["cache"], false);
    assert_eq!(entry["version"], 1);
    for wrong in [
        json!({"name": "", "endpoint": "http://a"}),
        json!({"name": "a", "endpoint": ""}),
        json!({"name": "a", "endpoint": "ftp://a"}),
        json!({"name": "a"}),
    ] {
        let answer = admin(Method::POST, "/admin/routes")
            .json(&wrong)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 400, "{wrong}");
    }
    let gone = admin(Method::DELETE, "/admin/routes/new")
        .send()
        .await
        .unwrap();
    assert_eq!(gone.status(), 200);
    let answer = ask(&app, Method::GET, "/egress/new/x")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 404);
    for path in ["/admin/routes/new", "/api/v1/routes/new"] {
        assert_eq!(admin(Method::GET, path).send().await.unwrap().status(), 404);
    }
}

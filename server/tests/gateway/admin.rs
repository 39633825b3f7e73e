//! The admin listener: who gets in, and what it answers.

use std::time::{Duration, Instant};

use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response, StatusCode};
use server::app::App;
use server::config::{Config, Secret};
use sqlx::Executor;

use crate::test_app::{SOON, TestApp};

const TOKEN: &str = "the-admin-token+ä&=%";

async fn app() -> (TestApp, Client) {
    let client = Client::builder().redirect(Policy::none());
    (TestApp::start(config()).await, client.build().unwrap())
}

fn config() -> Config {
    let mut config = Config::default();
    config.admin.token = Some(Secret::new(TOKEN));
    config
}

/// Logs in with the form; returns the cookie.
async fn log_in(app: &TestApp, client: &Client) -> String {
    let form = client.post(app.admin_url("/login"));
    cookie(&form.form(&[("token", TOKEN)]).send().await.unwrap())
}

async fn status(app: &TestApp, client: &Client, session: &str) -> StatusCode {
    let status = client.get(app.admin_url("/api/v1/status"));
    let response = status.header("cookie", session).send().await.unwrap();
    response.status()
}

#[track_caller]
fn assert_problem(response: &Response, status: u16) {
    assert_eq!(response.status(), status, "{}", response.url());
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json",
        "{}",
        response.url()
    );
}

fn cookie(response: &Response) -> String {
    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite"),
        "{cookie}"
    );
    cookie.split(';').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_without_a_token_or_a_session() {
    let (app, client) = app().await;
    for path in [
        "/",
        "/api/v1/status",
        "/api/v1/overview",
        "/ui/api/overview",
        "/ui/chart/x.svg",
    ] {
        let response = client.get(app.admin_url(path)).send().await.unwrap();
        assert_eq!(response.status(), 401, "{path}");
    }
    let page = client.get(app.admin_url("/")).header("accept", "text/html");
    let response = page.send().await.unwrap();
    assert_eq!(response.status(), 303);
    assert_eq!(response.headers()["location"], "/login");
    let wrong = client
        .get(app.admin_url("/api/v1/status"))
        .bearer_auth("wrong");
    assert_eq!(wrong.send().await.unwrap().status(), 401);
    let right = client
        .get(app.admin_url("/api/v1/status"))
        .bearer_auth(TOKEN);
    assert_eq!(right.send().await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_lasts_until_the_logout() {
    let (app, client) = app().await;
    let link = client.get(app.admin_url("/login?token=the-admin-token%2B%C3%A4%26=%25"));
    let by_link = cookie(&link.send().await.unwrap());
    let form = client
        .post(app.admin_url("/login"))
        .form(&[("token", TOKEN)]);
    let by_form = cookie(&form.send().await.unwrap());
    for session in [&by_link, &by_form] {
        let status = client
            .get(app.admin_url("/api/v1/status"))
            .header("cookie", session);
        assert_eq!(status.send().await.unwrap().status(), 200);
    }
    let logout = client
        .post(app.admin_url("/logout"))
        .header("cookie", &by_form);
    assert_eq!(logout.send().await.unwrap().status(), 303);
    let status = client
        .get(app.admin_url("/api/v1/status"))
        .header("cookie", &by_form);
    assert_eq!(status.send().await.unwrap().status(), 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_token_opens_nothing() {
    let (app, client) = app().await;
    let form = client
        .post(app.admin_url("/login"))
        .form(&[("token", "guess")]);
    let response = form.send().await.unwrap();
    assert_eq!(response.headers()["location"], "/login?error=token");
    assert!(!response.headers().contains_key("set-cookie"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_sites_and_other_names_are_refused() {
    let (app, client) = app().await;
    let link = client.get(app.admin_url("/login?token=the-admin-token%2B%C3%A4%26=%25"));
    let session = cookie(&link.send().await.unwrap());
    let rebound = client
        .get(app.admin_url("/api/v1/status"))
        .header("host", "evil.example.com")
        .header("cookie", &session);
    assert_eq!(rebound.send().await.unwrap().status(), 421);
    for (name, value) in [
        ("origin", "http://evil.example.com"),
        ("sec-fetch-site", "cross-site"),
        ("origin", "null"),
    ] {
        let forged = client
            .post(app.admin_url("/logout"))
            .header("cookie", &session)
            .header(name, value);
        assert_eq!(
            forged.send().await.unwrap().status(),
            403,
            "{name}: {value}"
        );
    }
    let status = client
        .get(app.admin_url("/api/v1/status"))
        .header("cookie", &session);
    let response = status.send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["x-frame-options"], "DENY");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_made_token_is_kept_where_only_its_owner_reads() {
    use std::os::unix::fs::PermissionsExt;
    let app = TestApp::simulated().await;
    let shown = app.app().token_to_show.clone().unwrap();
    let file = format!("{}.admin-token", app.database.display());
    assert_eq!(std::fs::read_to_string(&file).unwrap().trim(), shown);
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn questions_that_make_no_sense_are_told_so() {
    let (app, client) = app().await;
    let query = client
        .get(app.admin_url("/api/v1/overview?range=2y"))
        .bearer_auth(TOKEN);
    let response = query.send().await.unwrap();
    assert_eq!(response.status(), 400);
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_logout_outlasts_a_restart() {
    let (mut app, client) = app().await;
    let (ended, open) = (log_in(&app, &client).await, log_in(&app, &client).await);
    let logout = client.post(app.admin_url("/logout"));
    logout.header("cookie", &ended).send().await.unwrap();
    let port_before = app.app().admin_address.port().to_string();
    app.stop().await;

    let mut config = config();
    (config.server.port, config.admin.port) = (0, 0);
    config.database.url = format!("sqlite:{}", app.database.display());
    let again = App::start(&config).await.unwrap();
    let port = again.admin_address.port().to_string();
    let url = format!("http://{}/api/v1/status", again.admin_address);
    for (session, expected) in [(&ended, 401), (&open, 200)] {
        let session = session.replacen(&port_before, &port, 1);
        let status = client.get(&url).header("cookie", session);
        assert_eq!(status.send().await.unwrap().status(), expected);
    }
    again.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_logout_does_not_wait_for_a_locked_database_but_is_written_later() {
    let (app, client) = app().await;
    let session = log_in(&app, &client).await;
    let mut other = app.connect().await;
    other.execute("BEGIN IMMEDIATE").await.unwrap();

    let before = Instant::now();
    let logout = client.post(app.admin_url("/logout"));
    let response = logout.header("cookie", &session).send().await.unwrap();
    assert_eq!(response.status(), 303);
    assert!(before.elapsed() < Duration::from_secs(4));
    assert_eq!(status(&app, &client, &session).await, 401);

    let still_there = "SELECT 1 FROM sessions";
    assert_eq!(app.rows(still_there).await.len(), 1);
    other.execute("ROLLBACK").await.unwrap();
    let until = Instant::now() + SOON;
    while !app.rows(still_there).await.is_empty() {
        assert!(Instant::now() < until, "the logout is not written");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_sessions_cannot_be_read_all_have_ended() {
    let (mut app, client) = app().await;
    let session = log_in(&app, &client).await;
    let port_before = app.app().admin_address.port().to_string();
    app.stop().await;
    let mut other = app.connect().await;
    let junk = "UPDATE sessions SET sha256 = x'00'";
    other.execute(junk).await.unwrap();

    let mut config = config();
    (config.server.port, config.admin.port) = (0, 0);
    config.database.url = format!("sqlite:{}", app.database.display());
    let again = App::start(&config).await.unwrap();
    let port = again.admin_address.port().to_string();
    let session = session.replacen(&port_before, &port, 1);
    let url = format!("http://{}/api/v1/status", again.admin_address);
    let status = client.get(url).header("cookie", session);
    assert_eq!(status.send().await.unwrap().status(), 401);
    again.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guesses_are_slow_and_few() {
    let (app, client) = app().await;
    let session = log_in(&app, &client).await;
    let before = Instant::now();
    let form = client.post(app.admin_url("/login"));
    form.form(&[("token", "guess")]).send().await.unwrap();
    assert!(before.elapsed() >= Duration::from_millis(250));

    let guesses = (0..30).map(|_| {
        let guess = client.get(app.admin_url("/api/v1/status"));
        guess.bearer_auth("guess").send()
    });
    let answers = futures_util::future::try_join_all(guesses).await.unwrap();
    let looked_at = answers.iter().filter(|answer| answer.status() == 401);
    assert_eq!(looked_at.count(), 9);

    let api = client.get(app.admin_url("/api/v1/status"));
    let refused = api.bearer_auth(TOKEN).send().await.unwrap();
    assert_problem(&refused, 429);
    let retry_after = refused.headers()["retry-after"].to_str().unwrap();
    assert!((1..=6).contains(&retry_after.parse::<u32>().unwrap()));
    let page = client
        .post(app.admin_url("/login"))
        .header("accept", "text/html");
    let refused = page.form(&[("token", TOKEN)]).send().await.unwrap();
    assert_eq!(refused.status(), 303);
    assert_eq!(refused.headers()["location"], "/login?error=rate_limited");
    assert_eq!(
        status(&app, &client, &session).await,
        200,
        "who is in stays in"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pictures_on_other_sites_are_no_guesses() {
    let (app, client) = app().await;
    for _ in 0..20 {
        let picture = client
            .get(app.admin_url("/login?token=guess"))
            .header("sec-fetch-dest", "image");
        assert_eq!(picture.send().await.unwrap().status(), 200);
    }
    log_in(&app, &client).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cookie_is_named_after_the_port() {
    let (app, client) = app().await;
    let port = app.app().admin_address.port();
    let session = log_in(&app, &client).await;
    assert!(session.starts_with(&format!("ai_gateway_session_{port}=")));
    let others = session.replacen(&port.to_string(), "1", 1);
    assert_eq!(status(&app, &client, &others).await, 401);
    let both = format!("{others}; {session}");
    assert_eq!(status(&app, &client, &both).await, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_has_the_same_security_headers() {
    let (app, client) = app().await;
    for path in ["/", "/login", "/api/v1/status", "/nothing", "/api/nothing"] {
        for signed_in in [true, false] {
            let mut request = client.get(app.admin_url(path));
            if signed_in {
                request = request.bearer_auth(TOKEN);
            }
            let response = request.send().await.unwrap();
            for (name, value) in [
                ("cache-control", "no-store"),
                ("x-content-type-options", "nosniff"),
                ("x-frame-options", "DENY"),
                ("referrer-policy", "same-origin"),
                ("cross-origin-opener-policy", "same-origin"),
            ] {
                let values: Vec<_> = response.headers().get_all(name).iter().collect();
                assert_eq!(values, [value], "{path}: {name}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mistakes_are_answered_with_problems() {
    let (app, client) = app().await;
    let json = client.post(app.admin_url("/login")).json(&TOKEN);
    assert_problem(&json.send().await.unwrap(), 415);
    let long = client
        .post(app.admin_url("/login"))
        .form(&[("token", "a".repeat(100_000))]);
    assert_problem(&long.send().await.unwrap(), 413);
    for path in ["/api", "/api/", "/api/v1/nothing", "/api/v2/status"] {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let request = client.request(method, app.admin_url(path));
            assert_problem(&request.bearer_auth(TOKEN).send().await.unwrap(), 404);
        }
    }
    let posted = client.post(app.admin_url("/api/v1/status"));
    let response = posted.bearer_auth(TOKEN).send().await.unwrap();
    assert_problem(&response, 405);
    assert_eq!(response.headers()["allow"], "GET,HEAD");

    let arguments = client.get(app.admin_url("/ui/api/overview?range=x"));
    let response = arguments.bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(response.status(), 400);

    let page = client.get(app.admin_url("/nothing")).bearer_auth(TOKEN);
    let response = page.send().await.unwrap();
    assert_eq!(response.status(), 404);
    assert!(response.headers().contains_key("content-security-policy"));
    assert!(
        response
            .text()
            .await
            .unwrap()
            .contains("There is no such page")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_method_is_too_much_for_any_path() {
    let (app, client) = app().await;
    for path in [
        "/",
        "/login",
        "/logout",
        "/health",
        "/api/v1/status",
        "/api/v1/overview",
        "/ui/api/overview",
        "/ui/api/status",
        "/ui/api/nothing",
        "/pkg/nothing.js",
        "/nothing",
    ] {
        for method in [
            "GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "TRACE", "BREW",
        ] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let request = client.request(method.clone(), app.admin_url(path));
            let response = request.bearer_auth(TOKEN).send().await.unwrap();
            assert!(
                !response.status().is_server_error(),
                "{method} {path}: {}",
                response.status()
            );
        }
    }
    for path in [
        "/",
        "/login",
        "/health",
        "/api/v1/status",
        "/api/v1/overview",
    ] {
        let head = client.head(app.admin_url(path)).bearer_auth(TOKEN);
        let response = head.send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        assert!(response.bytes().await.unwrap().is_empty());
    }
}

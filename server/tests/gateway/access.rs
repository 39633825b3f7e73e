//! Users, API tokens and sessions: who may do what.

use std::time::{Duration, Instant};

use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use server::app::App;
use server::config::{Config, Secret};
use shared::access::Area;
use sqlx::Row;

use crate::operator::put_and_hang_up;
use crate::test_app::{SOON, TestApp};

pub const TOKEN: &str = "the-admin-token-of-the-test";
pub const PASSWORD: &str = "correct horse battery";

/// A gateway, and somebody who calls it.
pub struct Access {
    pub app: TestApp,
    pub client: Client,
}

pub fn config() -> Config {
    let mut config = Config::default();
    config.admin.token = Some(Secret::new(TOKEN));
    config
}

impl Access {
    pub async fn start() -> Self {
        let client = Client::builder().redirect(Policy::none());
        Self {
            app: TestApp::start(config()).await,
            client: client.build().unwrap(),
        }
    }

    pub fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.app.admin_url(path))
    }

    /// With the admin token.
    pub async fn admin(&self, method: Method, path: &str, body: Option<Value>) -> Response {
        let mut request = self.ask(method, path).bearer_auth(TOKEN);
        if let Some(body) = body {
            request = request.json(&body);
        }
        request.send().await.unwrap()
    }

    pub async fn user(&self, name: &str, role: &str) {
        let body = json!({"role": role, "password": PASSWORD});
        let path = format!("/api/v1/users/{name}");
        let made = self.admin(Method::PUT, &path, Some(body));
        assert_eq!(made.await.status(), 201, "{name}");
    }

    /// The answer to a login.
    pub async fn login(&self, name: &str, password: &str) -> Response {
        let form = self.ask(Method::POST, "/login");
        let form = form.form(&[("username", name), ("password", password)]);
        form.send().await.unwrap()
    }

    /// The cookie of a login.
    pub async fn session(&self, name: &str, password: &str) -> String {
        cookie(&self.login(name, password).await)
    }

    /// What a session gets of a path.
    pub async fn visit(&self, session: &str, path: &str) -> Response {
        let request = self.ask(Method::GET, path).header("cookie", session);
        request.send().await.unwrap()
    }

    /// An API token's secret.
    pub async fn token(&self, body: Value) -> String {
        let made = self.admin(Method::POST, "/api/v1/tokens", Some(body)).await;
        assert_eq!(made.status(), 201);
        let made: Value = made.json().await.unwrap();
        made["secret"].as_str().unwrap().to_owned()
    }

    pub async fn with_token(&self, token: &str, method: Method, path: &str) -> StatusCode {
        let request = self.ask(method, path).bearer_auth(token);
        request.send().await.unwrap().status()
    }
}

#[track_caller]
pub fn cookie(response: &Response) -> String {
    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"));
    cookie.split(';').next().unwrap().to_owned()
}

async fn json_of(response: Response) -> Value {
    response.json().await.unwrap()
}

/// The fields that a problem is about.
async fn fields(response: Response) -> Vec<String> {
    assert_eq!(response.status(), 422);
    let problem = json_of(response).await;
    let errors = problem["errors"].as_array().unwrap().iter();
    errors
        .map(|error| error["field"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_logs_in_and_may_what_the_role_says() {
    let access = Access::start().await;
    access.user("vera", "viewer").await;
    access.user("ed", "editor").await;
    for (name, may_edit) in [("vera", false), ("ed", true)] {
        // Names are in lower case, however they are typed.
        let session = access.session(&name.to_uppercase(), PASSWORD).await;
        let me = json_of(access.visit(&session, "/api/v1/me").await).await;
        assert_eq!(
            (me["name"].as_str(), me["via"].as_str()),
            (Some(name), Some("session"))
        );
        assert_eq!(access.visit(&session, "/api/v1/limits").await.status(), 200);
        assert_eq!(access.visit(&session, "/").await.status(), 200);
        let put = access
            .ask(Method::PUT, "/api/v1/limits/a")
            .header("cookie", &session);
        let put = put.json(&json!({"rate": {"window_seconds": 60, "requests": 1}}));
        let put = put.send().await.unwrap();
        let users = access.visit(&session, "/api/v1/users").await;
        assert_eq!(users.status(), 403, "{name}");
        let detail = json_of(users).await["detail"].to_string();
        assert!(detail.contains("the role admin"), "{detail}");
        if may_edit {
            assert_eq!(put.status(), 201);
            assert_eq!(json_of(put).await["changed_by"], "ed");
        } else {
            assert_eq!(put.status(), 403);
            let detail = json_of(put).await["detail"].to_string();
            assert!(detail.contains("the role editor"), "{detail}");
        }
        // The dashboard's forms are edits, too.
        let form = access
            .ask(Method::POST, "/limits")
            .header("cookie", &session);
        let form = form.form(&[("do", "delete"), ("kind", "limit"), ("name", "a")]);
        let answer = form.send().await.unwrap().status();
        assert_eq!(answer == 403, !may_edit, "{name}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_are_put_and_conditions_hold() {
    let access = Access::start().await;
    let path = "/api/v1/users/alice";
    let settings = json!({"role": "viewer", "password": PASSWORD});
    let put = |condition: Option<(&'static str, &'static str)>, body: Value| {
        let mut put = access.ask(Method::PUT, path).bearer_auth(TOKEN).json(&body);
        if let Some((name, value)) = condition {
            put = put.header(name, value);
        }
        async { put.send().await.unwrap() }
    };
    let made = put(Some(("if-none-match", "*")), settings.clone()).await;
    assert_eq!(made.status(), 201);
    assert_eq!(made.headers()["etag"], "\"1\"");
    assert_eq!(
        put(Some(("if-none-match", "*")), settings).await.status(),
        412
    );
    // The same again, without the password or with its mask, changes nothing.
    for body in [
        json!({"role": "viewer"}),
        json!({"role": "viewer", "password": "********"}),
    ] {
        let same = put(None, body).await;
        assert_eq!(
            (same.status().as_u16(), &same.headers()["etag"]),
            (200, &"\"1\"".parse().unwrap())
        );
    }
    access.session("alice", PASSWORD).await;
    let edited = put(Some(("if-match", "\"1\"")), json!({"role": "editor"})).await;
    assert_eq!(edited.headers()["etag"], "\"2\"");
    assert_eq!(
        put(Some(("if-match", "\"1\"")), json!({"role": "admin"}))
            .await
            .status(),
        412
    );
    let one = json_of(access.admin(Method::GET, path, None).await).await;
    assert_eq!(one["role"], "editor");
    assert_eq!(one["has_password"], true);
    assert_eq!(one["changed_by"], "token");

    for (name, body, expected) in [
        ("bob", json!({"role": "viewer"}), "password"),
        (
            "bob",
            json!({"role": "viewer", "password": "short"}),
            "password",
        ),
        ("bob", json!({"role": "root", "password": PASSWORD}), "role"),
        ("bob", json!({"password": PASSWORD}), "role"),
        (
            "bob",
            json!({"role": "viewer", "password": PASSWORD, "identity_provider": "x"}),
            "identity_provider",
        ),
        (
            "Bob",
            json!({"role": "viewer", "password": PASSWORD}),
            "name",
        ),
        (
            "admin",
            json!({"role": "viewer", "password": PASSWORD}),
            "name",
        ),
    ] {
        let path = format!("/api/v1/users/{name}");
        let wrong = access.admin(Method::PUT, &path, Some(body));
        assert_eq!(fields(wrong.await).await, [expected]);
    }
    for number in 0..3 {
        access.user(&format!("user{number}"), "viewer").await;
    }
    let page = access
        .admin(Method::GET, "/api/v1/users?limit=2", None)
        .await;
    let next = page.headers()["link"].to_str().unwrap().to_owned();
    assert_eq!(next, "</api/v1/users?after=user0&limit=2>; rel=\"next\"");
    let rest = access
        .admin(Method::GET, "/api/v1/users?after=user0&limit=2", None)
        .await;
    assert!(!rest.headers().contains_key("link"));
    assert_eq!(json_of(rest).await.as_array().unwrap().len(), 2);
    assert_eq!(access.admin(Method::DELETE, path, None).await.status(), 204);
    assert_eq!(access.admin(Method::DELETE, path, None).await.status(), 404);
    assert_eq!(
        access.login("alice", PASSWORD).await.headers()["location"],
        "/login?error=password"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_of_a_user_hold_at_once() {
    let access = Access::start().await;
    let path = "/api/v1/users/alice";
    access.user("alice", "editor").await;
    let session = access.session("alice", PASSWORD).await;
    let demoted = access.admin(Method::PUT, path, Some(json!({"role": "viewer"})));
    assert_eq!(demoted.await.status(), 200);
    assert_eq!(access.visit(&session, "/api/v1/me").await.status(), 401);
    let session = access.session("alice", PASSWORD).await;
    let promoted = access.admin(Method::PUT, path, Some(json!({"role": "editor"})));
    assert_eq!(promoted.await.status(), 200);
    let me = json_of(access.visit(&session, "/api/v1/me").await).await;
    assert_eq!(
        me["role"], "editor",
        "the session goes on with the greater role"
    );
    let demoted = access.admin(Method::PUT, path, Some(json!({"role": "viewer"})));
    assert_eq!(demoted.await.status(), 200);
    let session = access.session("alice", PASSWORD).await;

    let token = access
        .token(json!({"name": "of-alice", "user": "alice", "role": "editor"}))
        .await;
    assert_eq!(
        access
            .with_token(&token, Method::GET, "/api/v1/limits")
            .await,
        200
    );
    let reset = access
        .with_token(&token, Method::POST, "/api/v1/cache/reset")
        .await;
    assert_eq!(reset, 403, "no more than its user");

    let off = access.admin(
        Method::PUT,
        path,
        Some(json!({"role": "viewer", "disabled": true})),
    );
    assert_eq!(off.await.status(), 200);
    assert_eq!(access.visit(&session, "/api/v1/me").await.status(), 401);
    assert_eq!(
        access
            .with_token(&token, Method::GET, "/api/v1/limits")
            .await,
        401
    );
    let refused = access.login("alice", PASSWORD).await;
    assert_eq!(refused.headers()["location"], "/login?error=password");
    access
        .admin(Method::PUT, path, Some(json!({"role": "viewer"})))
        .await;
    assert_eq!(
        access.visit(&session, "/api/v1/me").await.status(),
        401,
        "it has ended"
    );
    assert_eq!(
        access
            .with_token(&token, Method::GET, "/api/v1/limits")
            .await,
        200
    );

    let session = access.session("alice", PASSWORD).await;
    let other = json!({"role": "viewer", "password": "another good password"});
    access.admin(Method::PUT, path, Some(other)).await;
    assert_eq!(access.visit(&session, "/api/v1/me").await.status(), 401);
    let session = access.session("alice", "another good password").await;
    access.admin(Method::DELETE, path, None).await;
    assert_eq!(access.visit(&session, "/api/v1/me").await.status(), 401);
    assert_eq!(
        access
            .with_token(&token, Method::GET, "/api/v1/limits")
            .await,
        401
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ones_own_password_is_changed_with_the_one_before() {
    let access = Access::start().await;
    access.user("alice", "viewer").await;
    let (here, elsewhere) = (
        access.session("alice", PASSWORD).await,
        access.session("alice", PASSWORD).await,
    );
    let change = |session: String, current: &str, new: &str| {
        let put = access
            .ask(Method::PUT, "/api/v1/me/password")
            .header("cookie", session);
        let put = put.json(&json!({"current": current, "new": new}));
        async { put.send().await.unwrap() }
    };
    let new = "a password of today";
    assert_eq!(
        fields(change(here.clone(), "wrong", new).await).await,
        ["current"]
    );
    assert_eq!(
        fields(change(here.clone(), PASSWORD, "short").await).await,
        ["new"]
    );
    let changed = change(here.clone(), PASSWORD, new).await;
    assert_eq!(changed.status(), 200);
    let rotated = cookie(&changed);
    for (session, expected) in [(&here, 401), (&elsewhere, 401), (&rotated, 200)] {
        assert_eq!(access.visit(session, "/api/v1/me").await.status(), expected);
    }
    assert_eq!(
        access.login("alice", PASSWORD).await.headers()["location"],
        "/login?error=password"
    );
    let nobodys = access.admin(
        Method::PUT,
        "/api/v1/me/password",
        Some(json!({"current": TOKEN, "new": new})),
    );
    assert_eq!(nobodys.await.status(), 409, "the admin token is no user's");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_are_for_what_they_say() {
    let access = Access::start().await;
    let token = access
        .token(json!({"name": "figures", "role": "viewer", "areas": ["analytics"]}))
        .await;
    for (method, path, expected) in [
        (Method::GET, "/api/v1/overview", 200),
        (Method::GET, "/metrics", 200),
        (Method::GET, "/api/v1/limits/states", 200),
        (Method::GET, "/api/v1/me", 200),
        (Method::GET, "/api/v1/limits", 403),
        (Method::GET, "/api/v1/tokens", 403),
        (Method::GET, "/", 403),
        (Method::DELETE, "/api/v1/cache/entries", 403),
    ] {
        assert_eq!(
            access.with_token(&token, method, path).await,
            expected,
            "{path}"
        );
    }
    let listed = json_of(
        access
            .admin(Method::GET, "/api/v1/tokens/figures", None)
            .await,
    )
    .await;
    assert!(listed["last_used_at"].is_string(), "{listed}");
    assert!(token.starts_with(listed["prefix"].as_str().unwrap().trim_end_matches('…')));
    assert!(listed.get("secret").is_none() && !listed.to_string().contains(&token));

    let soon = chrono::Utc::now() + chrono::TimeDelta::seconds(2);
    let brief = access
        .token(json!({"name": "brief", "role": "viewer", "expires_at": soon}))
        .await;
    let until = tokio::time::Instant::now() + crate::test_app::SOON;
    while access.with_token(&brief, Method::GET, "/api/v1/me").await == 200 {
        assert!(tokio::time::Instant::now() < until, "it does not expire");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert!(chrono::Utc::now() >= soon);

    let gone = access
        .admin(Method::DELETE, "/api/v1/tokens/figures", None)
        .await;
    assert_eq!(gone.status(), 204);
    assert_eq!(
        access
            .with_token(&token, Method::GET, "/api/v1/overview")
            .await,
        401
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_gives_more_than_they_have() {
    let access = Access::start().await;
    access.user("vera", "viewer").await;
    let session = access.session("vera", PASSWORD).await;
    let make = |session: &str, body: Value| {
        let make = access.ask(Method::POST, "/api/v1/tokens");
        let make = make.header("cookie", session).json(&body);
        async { make.send().await.unwrap() }
    };
    for (body, expected) in [
        (json!({"name": "a", "role": "editor"}), "role"),
        (json!({"name": "a", "role": "viewer", "user": "ed"}), "user"),
        (json!({"name": "a", "role": "viewer", "areas": []}), "areas"),
        (
            json!({"name": "a", "role": "viewer", "areas": ["all"]}),
            "areas[0]",
        ),
        (json!({"name": "a b", "role": "viewer"}), "name"),
        (
            json!({"name": "a", "role": "viewer", "expires_at": "2020-01-01T00:00:00Z"}),
            "expires_at",
        ),
    ] {
        assert_eq!(
            fields(make(&session, body.clone()).await).await,
            [expected],
            "{body}"
        );
    }
    let made = make(&session, json!({"name": "own", "role": "viewer"})).await;
    assert_eq!(
        (made.status().as_u16(), &made.headers()["location"]),
        (201, &"/api/v1/tokens/own".parse().unwrap())
    );
    let again = make(&session, json!({"name": "own", "role": "viewer"})).await;
    assert_eq!(again.status(), 409);

    // A token gives no more than itself: neither areas nor time.
    let end = chrono::Utc::now() + chrono::TimeDelta::hours(1);
    let narrow = access
        .token(json!({"name": "narrow", "role": "admin", "areas": ["access"], "expires_at": end}))
        .await;
    let later = end + chrono::TimeDelta::hours(1);
    for (body, expected) in [
        (
            json!({"name": "b", "role": "viewer", "expires_at": end}),
            vec!["areas"],
        ),
        (
            json!({"name": "b", "role": "viewer", "areas": ["export"], "expires_at": end}),
            vec!["areas"],
        ),
        (
            json!({"name": "b", "role": "viewer", "areas": ["access"], "expires_at": later}),
            vec!["expires_at"],
        ),
        (
            json!({"name": "b", "role": "viewer", "areas": ["access"]}),
            vec!["expires_at"],
        ),
    ] {
        let make = access
            .ask(Method::POST, "/api/v1/tokens")
            .bearer_auth(&narrow);
        let wrong = make.json(&body).send().await.unwrap();
        assert_eq!(fields(wrong).await, expected, "{body}");
    }
    // Each sees their own, admins see all.
    let own = json_of(access.visit(&session, "/api/v1/tokens").await).await;
    assert_eq!(own.as_array().unwrap().len(), 1);
    assert_eq!(
        access
            .visit(&session, "/api/v1/tokens/narrow")
            .await
            .status(),
        404
    );
    let revoke = access
        .ask(Method::DELETE, "/api/v1/tokens/narrow")
        .header("cookie", &session);
    assert_eq!(revoke.send().await.unwrap().status(), 404);
    let all = json_of(access.admin(Method::GET, "/api/v1/tokens", None).await).await;
    assert_eq!(all.as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_token_may_read_what_the_api_is() {
    let access = Access::start().await;
    for area in Area::ALL {
        let name = area.as_str();
        let token = access
            .token(json!({"name": name, "role": "viewer", "areas": [name]}))
            .await;
        for path in ["/api/v1/openapi.json", "/api/docs"] {
            let status = access.with_token(&token, Method::GET, path).await;
            assert_eq!(status, 200, "{path} with a token for {name}");
        }
        // It is for its own area all the same.
        let other = match area {
            Area::Policies => "/api/v1/overview",
            _ => "/api/v1/limits",
        };
        let status = access.with_token(&token, Method::GET, other).await;
        assert_eq!(status, 403, "{other} with a token for {name}");
    }
    let nobody = access.ask(Method::GET, "/api/v1/openapi.json");
    assert_eq!(nobody.send().await.unwrap().status(), 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_are_listed_and_ended() {
    let access = Access::start().await;
    access.user("alice", "viewer").await;
    access.user("bob", "viewer").await;
    let (alice, bob) = (
        access.session("alice", PASSWORD).await,
        access.session("bob", PASSWORD).await,
    );
    let own = json_of(access.visit(&alice, "/api/v1/sessions").await).await;
    assert_eq!(own.as_array().unwrap().len(), 1);
    assert_eq!(
        (&own[0]["user"], &own[0]["current"]),
        (&json!("alice"), &json!(true))
    );
    let id = own[0]["id"].as_str().unwrap();
    let secret = alice.split('=').nth(1).unwrap();
    assert!(!own.to_string().contains(secret));
    // What a session is called by opens nothing.
    let forged = alice.replace(secret, id);
    assert_eq!(access.visit(&forged, "/api/v1/me").await.status(), 401);
    let path = format!("/api/v1/sessions/{id}");
    let others = access.ask(Method::DELETE, &path).header("cookie", &bob);
    assert_eq!(others.send().await.unwrap().status(), 404);
    let all = json_of(access.admin(Method::GET, "/api/v1/sessions", None).await).await;
    assert_eq!(all.as_array().unwrap().len(), 2);
    assert_eq!(
        access.admin(Method::DELETE, &path, None).await.status(),
        204
    );
    assert_eq!(access.visit(&alice, "/api/v1/me").await.status(), 401);
    assert_eq!(access.visit(&bob, "/api/v1/me").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_admin_stays() {
    let access = Access::start().await;
    access.user("root", "admin").await;
    let session = access.session("root", PASSWORD).await;
    let path = "/api/v1/users/root";
    let put = |body: Value| {
        let put = access
            .ask(Method::PUT, path)
            .header("cookie", &session)
            .json(&body);
        async { put.send().await.unwrap().status() }
    };
    assert_eq!(put(json!({"role": "viewer"})).await, 409);
    assert_eq!(put(json!({"role": "admin", "disabled": true})).await, 409);
    let delete = access.ask(Method::DELETE, path).header("cookie", &session);
    assert_eq!(delete.send().await.unwrap().status(), 409);
    access.user("second", "admin").await;
    assert_eq!(put(json!({"role": "viewer"})).await, 200);
    // Whoever has the admin token is not locked out by anything.
    let gone = access
        .admin(Method::DELETE, "/api/v1/users/second", None)
        .await;
    assert_eq!(gone.status(), 204);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_are_restored_but_their_passwords_are_not() {
    const OTHER: &str = "another good password";
    let access = Access::start().await;
    let path = "/api/v1/users/alice";
    let put = |body: Value| async {
        let put = access.admin(Method::PUT, path, Some(body)).await;
        assert!(put.status().is_success(), "{}", put.status());
    };
    let ask = &access;
    let restore = |version: u64| async move {
        let path = format!("{path}/versions/{version}/restore");
        ask.admin(Method::POST, &path, None).await
    };
    let may_log_in = |password: &'static str| async {
        let location = access.login("alice", password).await.headers()["location"].clone();
        location == "/"
    };
    put(json!({"role": "viewer", "password": PASSWORD})).await;
    put(json!({"role": "editor", "password": OTHER})).await;
    put(json!({"role": "editor", "disabled": true})).await;
    put(json!({"role": "admin"})).await;

    // Disabled: the session ends. Enabled again: the password is the one of now.
    let session = access.session("alice", OTHER).await;
    let restored = restore(3).await;
    assert_eq!(restored.headers()["etag"], "\"5\"");
    let restored = json_of(restored).await;
    assert_eq!(
        (&restored["role"], &restored["disabled"]),
        (&json!("editor"), &json!(true))
    );
    assert_eq!(access.visit(&session, "/api/v1/me").await.status(), 401);
    assert!(!may_log_in(OTHER).await);
    let restored = json_of(restore(1).await).await;
    assert_eq!(
        (&restored["role"], &restored["disabled"]),
        (&json!("viewer"), &json!(false))
    );
    assert!(may_log_in(OTHER).await && !may_log_in(PASSWORD).await);
    // With less than before, the session ends; a version that is how it is makes no other.
    restore(4).await;
    let session = access.session("alice", OTHER).await;
    assert_eq!(json_of(restore(4).await).await["version"], 7);
    assert_eq!(access.visit(&session, "/api/v1/me").await.status(), 200);
    assert_eq!(json_of(restore(2).await).await["role"], "editor");
    assert_eq!(access.visit(&session, "/api/v1/me").await.status(), 401);

    // Whoever was deleted comes back without anything that opens a door.
    let token = json!({"name": "of-alice", "user": "alice", "role": "viewer"});
    let token = access.token(token).await;
    let session = access.session("alice", OTHER).await;
    assert_eq!(access.admin(Method::DELETE, path, None).await.status(), 204);
    let stale = access
        .ask(Method::POST, &format!("{path}/versions/1/restore"))
        .bearer_auth(TOKEN)
        .header("if-match", "\"8\"");
    assert_eq!(stale.send().await.unwrap().status(), 412);
    let restored = json_of(restore(1).await).await;
    assert_eq!(restored["has_password"], false);
    assert!(!may_log_in(OTHER).await && !may_log_in(PASSWORD).await);
    assert_eq!(access.visit(&session, "/api/v1/me").await.status(), 401);
    let with_token = access.with_token(&token, Method::GET, "/api/v1/limits");
    assert_eq!(with_token.await, 401);
    put(json!({"role": "viewer", "password": PASSWORD})).await;
    assert!(may_log_in(PASSWORD).await);
    // Being deleted is a version, too.
    assert_eq!(restore(9).await.status(), 204);
    assert_eq!(access.admin(Method::GET, path, None).await.status(), 404);
    assert_eq!(restore(77).await.status(), 404);

    let versions = "/api/v1/users/alice/versions";
    let versions = json_of(access.admin(Method::GET, versions, None).await).await;
    let told: Vec<_> = versions.as_array().unwrap().iter().rev().collect();
    let told: Vec<_> = told
        .iter()
        .map(|one| {
            let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
            let role = text(&one["user"]["role"]);
            format!("{role} {}", one["user"]["disabled"] == true)
        })
        .collect();
    assert_eq!(
        told,
        [
            "viewer false",
            "editor false",
            "editor true",
            "admin false",
            "editor true",
            "viewer false",
            "admin false",
            "editor false",
            "- false",
            "viewer false",
            "viewer false",
            "- false",
        ]
    );
    let changed = |version: usize| &versions[12 - version]["password_changed"];
    assert_eq!([changed(1), changed(2), changed(11)], [true; 3]);
    assert_eq!([changed(3), changed(10)], [false; 2]);
    assert_eq!(versions[7]["reason"], "version 3 restored");
    let all = versions.to_string();
    assert!(!all.contains("argon2") && !all.contains(PASSWORD) && !all.contains(OTHER));

    // Only admins may, and the last one stays.
    access.user("root", "admin").await;
    let root = access.session("root", PASSWORD).await;
    access.user("ed", "editor").await;
    let session = access.session("ed", PASSWORD).await;
    for (name, session, expected) in [("ed", &session, 403), ("root", &root, 200)] {
        let path = "/api/v1/users/root/versions";
        let versions = access.visit(session, path).await;
        assert_eq!(versions.status(), expected, "{name}");
    }
    let path = "/api/v1/users/root";
    let restore = |version: u64| {
        let path = format!("{path}/versions/{version}/restore");
        let restore = access.ask(Method::POST, &path).header("cookie", &root);
        async { restore.send().await.unwrap().status() }
    };
    let demote = access.admin(Method::PUT, path, Some(json!({"role": "viewer"})));
    assert_eq!(demote.await.status(), 200);
    let promote = access.admin(Method::PUT, path, Some(json!({"role": "admin"})));
    assert_eq!(promote.await.status(), 200);
    assert_eq!(restore(2).await, 401, "the session ended");
    let root = access.session("root", PASSWORD).await;
    let restore = |version: u64| {
        let path = format!("{path}/versions/{version}/restore");
        let restore = access.ask(Method::POST, &path).header("cookie", &root);
        async { restore.send().await.unwrap().status() }
    };
    assert_eq!(restore(2).await, 409);
    // An admin without a password is nobody who could log in.
    let other = "/api/v1/users/other";
    access.user("other", "admin").await;
    access.admin(Method::DELETE, other, None).await;
    let again = format!("{other}/versions/1/restore");
    assert_eq!(access.admin(Method::POST, &again, None).await.status(), 200);
    assert_eq!(restore(2).await, 409);
    let body = json!({"role": "admin", "password": PASSWORD});
    access.admin(Method::PUT, other, Some(body)).await;
    assert_eq!(restore(2).await, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_becomes_of_access_is_in_the_list_of_changes() {
    let access = Access::start().await;
    access.user("alice", "viewer").await;
    let session = access.session("alice", PASSWORD).await;
    access.login("alice", "a wrong password").await;
    let logout = access
        .ask(Method::POST, "/logout")
        .header("cookie", &session);
    assert_eq!(logout.send().await.unwrap().status(), 303);
    access.token(json!({"name": "ci", "role": "editor"})).await;
    access
        .admin(Method::DELETE, "/api/v1/tokens/ci", None)
        .await;
    access
        .admin(Method::DELETE, "/api/v1/users/alice", None)
        .await;
    let expected = [
        ("user", "alice", "put", "token"),
        ("session", "alice", "put", "alice"),
        ("login_failure", "alice", "put", "nobody"),
        ("session", "alice", "delete", "alice"),
        ("api_token", "ci", "put", "token"),
        ("api_token", "ci", "delete", "token"),
        ("user", "alice", "delete", "token"),
    ];
    let until = tokio::time::Instant::now() + crate::test_app::SOON;
    loop {
        let rows = access
            .app
            .rows("SELECT kind, name, what, changed_by FROM changes")
            .await;
        let found: Vec<[String; 4]> = rows
            .iter()
            .map(|row| [0, 1, 2, 3].map(|column| row.get(column)))
            .collect();
        // Failures are written by themselves, whenever there is time.
        let all = expected.iter().all(|(kind, name, what, by)| {
            found
                .iter()
                .any(|row| row[..] == [*kind, *name, *what, *by])
        });
        if all && found.len() == expected.len() {
            break;
        }
        assert!(tokio::time::Instant::now() < until, "{found:?}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_is_still_there_after_a_restart() {
    let mut access = Access::start().await;
    access.user("alice", "editor").await;
    let session = access.session("alice", PASSWORD).await;
    let token = access
        .token(json!({"name": "ci", "role": "viewer", "areas": ["policies"]}))
        .await;
    let port = access.app.app().admin_address.port().to_string();
    access.app.stop().await;
    let mut config = config();
    (config.server.port, config.admin.port) = (0, 0);
    config.database.url = format!("sqlite:{}", access.app.database.display());
    let again = App::start(&config).await.unwrap();
    let session = session.replacen(&port, &again.admin_address.port().to_string(), 1);
    let url = |path: &str| format!("http://{}{path}", again.admin_address);
    let me = access
        .client
        .get(url("/api/v1/me"))
        .header("cookie", session);
    assert_eq!(json_of(me.send().await.unwrap()).await["role"], "editor");
    for (path, expected) in [("/api/v1/limits", 200), ("/api/v1/overview", 403)] {
        let one = access.client.get(url(path)).bearer_auth(&token);
        assert_eq!(one.send().await.unwrap().status(), expected, "{path}");
    }
    let form = access.client.post(url("/login"));
    let form = form.form(&[("username", "alice"), ("password", PASSWORD)]);
    assert_eq!(form.send().await.unwrap().headers()["location"], "/");
    again.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_for_everybody_needs_a_token_that_nobody_guesses() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    (config.server.port, config.admin.port) = (0, 0);
    config.database.url = format!("sqlite:{}", folder.path().join("gateway.db").display());
    config.admin.host = "0.0.0.0".parse().unwrap();
    config.admin.token = Some(Secret::new("letmein"));
    let error = App::start(&config).await.unwrap_err();
    assert!(
        error.to_string().contains("admin.token is shorter than"),
        "{error}"
    );
    // None configured: one is made.
    config.admin.token = None;
    let app = App::start(&config).await.unwrap();
    assert!(app.token_to_show.is_some());
    app.stop().await;
    config.admin.host = "127.0.0.1".parse().unwrap();
    config.admin.token = Some(Secret::new("letmein"));
    App::start(&config).await.unwrap().stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_whose_client_hangs_up_holds_or_is_not_made() {
    let access = Access::start().await;
    access.user("u", "viewer").await;
    for i in 0..150 {
        let role = ["editor", "viewer"][i % 2];
        let role = json!({ "role": role });
        let after = Duration::from_micros(20 * i as u64);
        put_and_hang_up(&access.app, TOKEN, "/api/v1/users/u", &role, after).await;
        // What is kept holds at once, or in a moment.
        let give_up = Instant::now() + SOON;
        loop {
            let kept = access.admin(Method::GET, "/api/v1/users/u/versions", None);
            let kept = json_of(kept.await).await[0]["user"]["role"].clone();
            let held = access.admin(Method::GET, "/api/v1/users/u", None).await;
            let held = json_of(held).await["role"].clone();
            if kept == held {
                break;
            }
            assert!(Instant::now() < give_up, "{kept} is kept, {held} holds");
        }
    }
    let versions = access.admin(Method::GET, "/api/v1/users/u/versions", None);
    let versions = json_of(versions.await).await;
    assert!(versions.as_array().unwrap().len() > 1, "some were made");
}

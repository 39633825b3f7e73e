//! What people try who do not belong on the admin listener.

use std::time::{Duration, Instant};

use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};
use serde_json::json;
use server::admin::{Needs, needed};
use shared::access::Role;
use sqlx::Executor;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::access::{Access, PASSWORD, TOKEN, cookie};
use crate::test_app::SOON;

/// A path of a route with something in place of its parameters.
fn filled(path: &str) -> String {
    let parts = path.split('/').map(|part| match part {
        "{version}" => "1",
        part if part.starts_with('{') => "x",
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

/// What comes back for these bytes, until the gateway closes or has said all.
async fn raw(access: &Access, request: &str) -> String {
    let address = access.app.app().admin_address;
    let mut stream = TcpStream::connect(address).await.unwrap();
    // A server that has had enough may close before it has read everything.
    let _ = stream.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(SOON, stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_does_what_needs_another_role() {
    let access = Access::start().await;
    access.user("vera", "viewer").await;
    access.user("ed", "editor").await;
    let sessions = [
        (Role::Viewer, access.session("vera", PASSWORD).await),
        (Role::Editor, access.session("ed", PASSWORD).await),
    ];
    // Not what the table says, but what must hold of it.
    let own = [
        "/api/v1/me/password",
        "/api/v1/tokens",
        "/api/v1/tokens/{name}",
        "/api/v1/sessions/{id}",
    ];
    let mut refused = [0, 0];
    for (method, path, needs) in needed() {
        let is_open = ["/login", "/logout", "/health"].contains(&path.as_str());
        assert_eq!(is_open, needs == Needs::Nothing, "{method} {path}");
        if is_open {
            continue;
        }
        let without = access
            .ask(method.clone(), &filled(&path))
            .send()
            .await
            .unwrap();
        assert_eq!(without.status(), 401, "{method} {path}");
        let is_safe = method == Method::GET;
        let for_viewers = is_safe || own.contains(&path.as_str());
        let of_admins = path.starts_with("/api/v1/users");
        for ((role, session), refused) in sessions.iter().zip(&mut refused) {
            let may = !of_admins && (for_viewers || *role >= Role::Editor);
            let says = match needs {
                Needs::Role(needed, _) | Needs::Everywhere(needed) => *role >= needed,
                Needs::Operator | Needs::Nothing => true,
            };
            // An area may ask for more, never for less.
            assert!(may || !says, "{method} {path} is open to a {role}");
            if !says {
                let ask = access
                    .ask(method.clone(), &filled(&path))
                    .header("cookie", session);
                let answer = ask.json(&json!({})).send().await.unwrap();
                assert_eq!(answer.status(), 403, "{method} {path} as {role}");
                *refused += 1;
            }
        }
    }
    assert!(refused[0] > 30 && refused[1] >= 4, "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_form_and_no_trick_with_methods_makes_a_viewer_an_editor() {
    let access = Access::start().await;
    access.user("vera", "viewer").await;
    let session = access.session("vera", PASSWORD).await;
    for path in ["/limits", "/keys", "/guardrails", "/prompts", "/cache"] {
        let form = access.ask(Method::POST, path).header("cookie", &session);
        let form = form.form(&[("do", "save"), ("name", "a")]);
        assert_eq!(form.send().await.unwrap().status(), 403, "{path}");
    }
    let put = access
        .ask(Method::GET, "/api/v1/users/vera")
        .header("cookie", &session);
    for name in [
        "x-http-method-override",
        "x-method-override",
        "x-original-method",
    ] {
        let put = put.try_clone().unwrap().header(name, "PUT");
        let put = put.json(&json!({"role": "admin"}));
        assert_eq!(put.send().await.unwrap().status(), 403, "{name}");
    }
    let own = access
        .ask(Method::PUT, "/api/v1/users/vera")
        .header("cookie", &session);
    let own = own.json(&json!({"role": "admin"}));
    assert_eq!(own.send().await.unwrap().status(), 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_not_fixed_before_the_login() {
    let access = Access::start().await;
    access.user("alice", "viewer").await;
    let theirs = access.session("alice", PASSWORD).await;
    // Somebody plants a cookie, made up or of a session of his own, and waits for the login.
    let name = theirs.split('=').next().unwrap();
    for planted in [format!("{name}={}", "a".repeat(64)), theirs.clone()] {
        let form = access
            .ask(Method::POST, "/login")
            .header("cookie", &planted);
        let form = form.form(&[("username", "alice"), ("password", PASSWORD)]);
        let fresh = cookie(&form.send().await.unwrap());
        assert_ne!(fresh, planted);
        assert_eq!(access.visit(&planted, "/api/v1/me").await.status(), 401);
        assert_eq!(access.visit(&fresh, "/api/v1/me").await.status(), 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forged_cookies_open_nothing() {
    let access = Access::start().await;
    access.user("alice", "viewer").await;
    let good = access.session("alice", PASSWORD).await;
    let (name, secret) = good.split_once('=').unwrap();
    let flipped = if secret.starts_with('0') { "1" } else { "0" };
    for forged in [
        format!("{name}={flipped}{}", &secret[1..]),
        format!("{name}={}", &secret[..63]),
        format!("{name}={secret}0"),
        format!("{name}={}", secret.to_uppercase()) + "x",
        format!("{name}="),
        format!("{name}=1999999999.0123456789abcdef.0123456789abcdef"),
        format!("{name}={}", "'".repeat(64)),
        format!("other={secret}"),
        format!("{name}={TOKEN}"),
    ] {
        assert_eq!(
            access.visit(&forged, "/api/v1/me").await.status(),
            401,
            "{forged}"
        );
    }
    let logout = access.ask(Method::POST, "/logout").header("cookie", &good);
    logout.send().await.unwrap();
    assert_eq!(
        access.visit(&good, "/api/v1/me").await.status(),
        401,
        "revoked"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_sites_do_nothing_in_somebodys_name() {
    let access = Access::start().await;
    access.user("ed", "editor").await;
    let session = access.session("ed", PASSWORD).await;
    let host = access.app.app().admin_address;
    for (name, value) in [
        ("origin", "https://evil.example.com".to_owned()),
        ("origin", "null".to_owned()),
        ("origin", format!("http://{host}.evil.example.com")),
        ("origin", format!("http://evil.example.com/http://{host}")),
        ("origin", host.to_string()),
        ("sec-fetch-site", "cross-site".to_owned()),
        ("sec-fetch-site", "same-site".to_owned()),
        ("sec-fetch-site", String::new()),
    ] {
        for (method, path) in [
            (Method::PUT, "/api/v1/limits/a"),
            (Method::POST, "/limits"),
            (Method::DELETE, "/api/v1/cache/entries"),
            (Method::POST, "/api/v1/tokens"),
            (Method::PUT, "/api/v1/me/password"),
            (Method::POST, "/logout"),
            (Method::POST, "/login"),
        ] {
            let forged = access.ask(method, path).header("cookie", &session);
            let answer = forged.header(name, &value).send().await.unwrap();
            assert_eq!(answer.status(), 403, "{name}: {value} on {path}");
        }
    }
    assert_eq!(access.visit(&session, "/api/v1/me").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_names_are_not_this_machine() {
    let access = Access::start().await;
    let token = format!("Authorization: Bearer {TOKEN}\r\nConnection: close\r\n\r\n");
    let port = access.app.app().admin_address.port();
    for (head, expected) in [
        (
            format!("GET /api/v1/me HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"),
            200,
        ),
        (
            format!("GET /api/v1/me HTTP/1.1\r\nHost: evil.example.com:{port}\r\n"),
            421,
        ),
        (
            "GET /api/v1/me HTTP/1.1\r\nHost: localhost.evil.example.com\r\n".to_owned(),
            421,
        ),
        (
            "GET /api/v1/me HTTP/1.1\r\nHost: 127.0.0.1.evil.example.com\r\n".to_owned(),
            421,
        ),
        (
            "GET /api/v1/me HTTP/1.1\r\nHost: 127.0.0.1@evil.example.com\r\n".to_owned(),
            421,
        ),
        ("GET /api/v1/me HTTP/1.1\r\n".to_owned(), 421),
        ("GET /api/v1/me HTTP/1.1\r\nHost:\r\n".to_owned(), 421),
        // Two names, in whatever way they are said.
        (
            "GET /api/v1/me HTTP/1.1\r\nHost: localhost\r\nHost: evil.example.com\r\n".to_owned(),
            400,
        ),
        (
            "GET http://evil.example.com/api/v1/me HTTP/1.1\r\nHost: localhost\r\n".to_owned(),
            400,
        ),
    ] {
        let answer = raw(&access, &format!("{head}{token}")).await;
        let status = answer.get(9..12).unwrap_or_default();
        assert_eq!(status, expected.to_string(), "{head}: {answer}");
    }
    let forwarded = access.ask(Method::GET, "/api/v1/me").bearer_auth(TOKEN);
    let forwarded = forwarded
        .header("host", "evil.example.com")
        .header("x-forwarded-host", "localhost");
    assert_eq!(forwarded.send().await.unwrap().status(), 421);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paths_have_no_second_spelling() {
    let access = Access::start().await;
    access.user("vera", "viewer").await;
    let session = access.session("vera", PASSWORD).await;
    for path in [
        "//api/v1/users",
        "/api//v1/users",
        "/api/v1/users/",
        "/api/v1/./users",
        "/api/v1/../v1/users",
        "/api/v1/limits/../users",
        "/api/v1/%2e%2e/v1/users",
        "/api/v1/limits/%2e%2e/users",
        "/api/v1%2fusers",
        "/api%2fv1%2fusers",
        "/api/v1/%75sers",
        "/API/V1/users",
        "/api/v1/users%00",
        "/api/v1/users;x=1",
        "/login/../api/v1/users",
        "/pkg/../api/v1/users",
        "/pkg/%2e%2e/api/v1/users",
        "/pkg/..%2fapi%2fv1%2fusers",
        "/health/../api/v1/users",
        "/login%2f..%2fapi%2fv1%2fusers",
    ] {
        for cookie in ["", &session] {
            let request = format!(
                "GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\nAccept: application/json\r\n\
                 Connection: close\r\n\r\n"
            );
            let answer = raw(&access, &request).await;
            assert!(!answer.contains("has_password"), "{path}: {answer}");
            let status = answer.get(9..12).unwrap_or_default();
            assert!(
                ["400", "401", "403", "404"].contains(&status),
                "{path}: {status}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forged_address_does_not_get_round_the_throttle() {
    let access = Access::start().await;
    access.user("alice", "viewer").await;
    let mut last = StatusCode::OK;
    for number in 0..14 {
        let form = access.ask(Method::POST, "/login");
        let form = form.form(&[("username", "alice"), ("password", "a wrong password")]);
        let address = format!("192.0.2.{number}");
        let form = form
            .header("x-forwarded-for", &address)
            .header("forwarded", format!("for={address}"))
            .header("x-real-ip", &address)
            .header("cf-connecting-ip", &address);
        last = form.send().await.unwrap().status();
        if last == 429 {
            break;
        }
        assert_eq!(last, 303);
    }
    assert_eq!(last, 429);
    let right = access.login("alice", PASSWORD).await;
    assert_eq!(right.status(), 429, "nobody looks any more");
    assert!(right.headers().contains_key("retry-after"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_unknown_waits_as_long_as_who_is_wrong() {
    let access = Access::start().await;
    access.user("alice", "viewer").await;
    access.user("off", "viewer").await;
    let off = json!({"role": "viewer", "disabled": true});
    access
        .admin(Method::PUT, "/api/v1/users/off", Some(off))
        .await;
    // Both take a hash and a pause; without the hash an answer would come after the pause alone. That the hash is
    // computed is a test of its own; here, that none is quicker than the pause, and that the answers are the same.
    let mut answers = Vec::new();
    for (name, password) in [
        ("alice", "a wrong password"),
        ("nobody-of-this-name", "a wrong password"),
        ("off", PASSWORD),
    ] {
        let before = Instant::now();
        let answer = access.login(name, password).await;
        assert!(before.elapsed() >= Duration::from_millis(250), "{name}");
        let location = answer.headers()["location"].clone();
        answers.push((answer.status(), location, answer.headers().len()));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sql_is_text_wherever_it_stands() {
    let access = Access::start().await;
    access.user("alice", "viewer").await;
    let injections = [
        "'; DROP TABLE users; --",
        "' OR '1'='1",
        "alice' UNION SELECT password_hash FROM users --",
        "\"; DELETE FROM sessions; --",
        "%' --",
    ];
    for sql in injections {
        let encoded: String = sql.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let answer = access.login(sql, sql).await;
        assert_ne!(answer.headers()["location"], "/", "{sql}");
        let body = json!({"role": "viewer", "password": PASSWORD});
        let put = access
            .admin(Method::PUT, &format!("/api/v1/users/{encoded}"), Some(body))
            .await;
        assert_eq!(put.status(), 422, "{sql}");
        for path in ["users", "tokens"] {
            let one = access
                .admin(Method::GET, &format!("/api/v1/{path}/{encoded}"), None)
                .await;
            assert_eq!(one.status(), 404, "{sql}");
            let page = access
                .admin(
                    Method::GET,
                    &format!("/api/v1/{path}?after={encoded}"),
                    None,
                )
                .await;
            assert_eq!(page.status(), 200, "{sql}");
        }
        let ended = access
            .admin(Method::DELETE, &format!("/api/v1/sessions/{encoded}"), None)
            .await;
        assert_eq!(ended.status(), 404);
        for body in [
            json!({"name": sql, "role": "viewer"}),
            json!({"name": "a", "role": "viewer", "user": sql}),
            json!({"name": "a", "role": sql}),
        ] {
            let made = access
                .admin(Method::POST, "/api/v1/tokens", Some(body.clone()))
                .await;
            assert_eq!(made.status(), 422, "{body}");
        }
        // A password and a reason may be anything, and are kept as they are.
        let body = json!({"role": "viewer", "password": format!("{sql} and so on and on")});
        let put = access
            .ask(Method::PUT, "/api/v1/users/bob")
            .bearer_auth(TOKEN);
        let put = put
            .header("x-change-reason", sql)
            .json(&body)
            .send()
            .await
            .unwrap();
        assert!(put.status().is_success(), "{sql}");
        let answer = access
            .login("bob", &format!("{sql} and so on and on"))
            .await;
        assert_eq!(answer.headers()["location"], "/", "{sql}");
    }
    let users = access.admin(Method::GET, "/api/v1/users", None).await;
    assert_eq!(
        users.json::<Vec<serde_json::Value>>().await.unwrap().len(),
        2
    );
    let mut database = access.app.connect().await;
    database
        .execute("SELECT count(*) FROM users")
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_are_not_smuggled_in_others() {
    let access = Access::start().await;
    let inner = format!(
        "GET /api/v1/users HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    );
    let length = inner.len();
    for head in [
        // Two lengths, or a length and chunks: whoever is in front may count otherwise.
        format!("Content-Length: {length}\r\nContent-Length: 0\r\n"),
        format!("Content-Length: {length}, 0\r\n"),
        format!("Content-Length: +{length}\r\n"),
        "Transfer-Encoding: chunked, identity\r\n".to_owned(),
        "Transfer-Encoding: xchunked\r\n".to_owned(),
        "Transfer-Encoding : chunked\r\n".to_owned(),
        " Content-Length: 0\r\n".to_owned(),
    ] {
        let request = format!("POST /login HTTP/1.1\r\nHost: localhost\r\n{head}\r\n{inner}");
        let answer = raw(&access, &request).await;
        assert!(
            !answer.contains("has_password") && !answer.contains("HTTP/1.1 200"),
            "{head}: {answer}"
        );
        let answers = answer.lines().filter(|line| line.starts_with("HTTP/1.1 "));
        assert_eq!(answers.count(), 1, "{head}: {answer}");
    }
    // Nor does a line break get into a header.
    assert!(HeaderValue::from_str("a\r\nx-role: admin").is_err());
    let answer = raw(&access, "GET /login?error=%0d%0aset-cookie:%20a=b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
    assert!(
        !answer.to_lowercase().contains("\r\nset-cookie"),
        "{answer}"
    );
    // Headers that name somebody are nobody's.
    for name in [
        "x-forwarded-user",
        "x-remote-user",
        "x-user",
        "x-role",
        "x-operator",
    ] {
        let name = HeaderName::from_static(name);
        let forged = access
            .ask(Method::GET, "/api/v1/users")
            .header(name.clone(), "admin");
        assert_eq!(forged.send().await.unwrap().status(), 401, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_are_nobody_elses_and_no_pages() {
    let access = Access::start().await;
    for path in ["/api/v1/me", "/login", "/api/v1/nothing"] {
        let answer = access.admin(Method::GET, path, None).await;
        let said = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(said("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(said("x-frame-options"), "DENY", "{path}");
        assert_eq!(
            said("cross-origin-resource-policy"),
            "same-origin",
            "{path}"
        );
        assert_eq!(said("cache-control"), "no-store", "{path}");
        let policy = said("content-security-policy");
        assert!(
            policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert!(
            !answer.headers().contains_key("access-control-allow-origin"),
            "{path}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_large_is_refused() {
    let access = Access::start().await;
    let huge = "a".repeat(600_000);
    for head in [
        format!("GET /api/v1/me HTTP/1.1\r\nHost: localhost\r\nX-Large: {huge}\r\n\r\n"),
        format!("GET /api/v1/me HTTP/1.1\r\nHost: localhost\r\nCookie: {huge}\r\n\r\n"),
        format!("GET /{huge} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        format!(
            "GET /api/v1/me HTTP/1.1\r\nHost: localhost\r\n{}\r\n",
            (0..500)
                .map(|number| format!("X-{number}: 1\r\n"))
                .collect::<String>()
        ),
    ] {
        let answer = raw(&access, &head).await;
        let status = answer.get(9..12).unwrap_or_default();
        assert!(["431", "414", "400", ""].contains(&status), "{status}");
    }
    let form = access.ask(Method::POST, "/login");
    let form = form.form(&[("username", "alice"), ("password", &huge[..20_000])]);
    assert_eq!(form.send().await.unwrap().status(), 413);
    let body = json!({"role": "viewer", "password": &huge[..257]});
    let put = access
        .admin(Method::PUT, "/api/v1/users/a", Some(body))
        .await;
    assert_eq!(put.status(), 422);
    assert_eq!(
        access.admin(Method::GET, "/api/v1/me", None).await.status(),
        200,
        "it goes on"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_are_nowhere() {
    let mut access = Access::start().await;
    access.user("alice", "admin").await;
    let session = access.session("alice", PASSWORD).await;
    let by_token = cookie(
        &access
            .ask(Method::POST, "/login")
            .form(&[("token", TOKEN)])
            .send()
            .await
            .unwrap(),
    );
    let token = access.token(json!({"name": "ci", "role": "viewer"})).await;
    // Somebody types the password where the name belongs.
    access.login("my secret typed as a name", "x").await;
    assert_eq!(
        access.with_token(&token, Method::GET, "/api/v1/me").await,
        200
    );
    let secret_of = |cookie: &str| cookie.split('=').nth(1).unwrap().to_owned();
    let secrets = [
        TOKEN.to_owned(),
        PASSWORD.to_owned(),
        "my secret typed as a name".to_owned(),
        secret_of(&session),
        secret_of(&by_token),
        token,
    ];
    let hashed = "$argon2id$".to_owned();
    for path in [
        "users",
        "users/alice",
        "tokens",
        "tokens/ci",
        "sessions",
        "me",
        "audit",
    ] {
        let answer = access
            .admin(Method::GET, &format!("/api/v1/{path}"), None)
            .await;
        let text = answer.text().await.unwrap();
        for secret in secrets.iter().chain([&hashed]) {
            assert!(!text.contains(secret.as_str()), "{secret} in {path}");
        }
    }
    access.app.stop().await;
    let folder = access.app.database.parent().unwrap();
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap().path();
        if !file.is_file() {
            continue;
        }
        let bytes = std::fs::read(&file).unwrap();
        for secret in &secrets {
            let found = bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} in {}", file.display());
        }
    }
}

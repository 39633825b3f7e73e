//! Everything that can go wrong: JSON in OpenAI's shape, the right status, nothing lost.

use serde_json::{Value, json};
use sqlx::Row;

use crate::test_app::{TestApp, config_for, error, hello, streamed};
use crate::upstream::{
    ANSWER, Act, STOP, Upstream, chunk, delta, json as reply, response, stream_end, stream_head,
};

/// What a client is told when the upstream does `script`: status, code and message.
async fn told(script: Vec<Act>, stream: bool) -> (u16, Value, String) {
    let upstream = Upstream::start(script).await;
    let app = TestApp::before(&upstream).await;
    let request = if stream {
        streamed(hello("m"))
    } else {
        hello("m")
    };
    let response = app.chat(&request).send().await.unwrap();
    let status = response.status().as_u16();
    let error = error(response).await;
    let record = app.record().await;
    assert_eq!(record.get::<i64, _>("status"), i64::from(status));
    assert_eq!(record.get::<String, _>("outcome"), "failed");
    // What the upstream says is wrong with the request is the caller's to mend.
    let source = if status == 400 { "caller" } else { "provider" };
    assert_eq!(record.get::<String, _>("error_source"), source);
    let message = error["message"].as_str().unwrap().to_owned();
    assert!(!message.contains("key-of-up"), "{message}");
    (status, error["code"].clone(), message)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upstream_that_refuses() {
    let openai = |message: &str, code: &str| {
        json!({"error": {"message": message, "type": "t", "param": null, "code": code}}).to_string()
    };
    for (upstream, body, status) in [
        (
            "400 Bad Request",
            openai("bad temperature", "invalid_value"),
            400,
        ),
        (
            "401 Unauthorized",
            openai("Incorrect API key", "invalid_api_key"),
            502,
        ),
        (
            "404 Not Found",
            openai("no such model", "model_not_found"),
            404,
        ),
        (
            "429 Too Many Requests",
            openai("slow down", "rate_limit_exceeded"),
            429,
        ),
        (
            "429 Too Many Requests",
            openai("pay first", "insufficient_quota"),
            429,
        ),
        (
            "500 Internal Server Error",
            openai("oops", "server_error"),
            502,
        ),
        (
            "503 Service Unavailable",
            "<html>busy</html>".to_owned(),
            503,
        ),
        ("418 I'm a teapot", "short and stout".to_owned(), 400),
    ] {
        for stream in [false, true] {
            let (told, ..) = told(vec![reply(upstream, &body)], stream).await;
            assert_eq!(told, status, "{upstream} {body} stream: {stream}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upstreams_words_and_its_retry_after_are_passed_on() {
    let body = json!({"error": {"message": "slow down, please", "type": "requests", "param": null, "code": "rate_limit_exceeded"}});
    let reply = response(
        "429 Too Many Requests",
        "retry-after: 7\r\n",
        &body.to_string(),
    );
    let upstream = Upstream::start(vec![Act::Send(reply)]).await;
    let app = TestApp::before(&upstream).await;
    let response = app.chat(&hello("m")).send().await.unwrap();
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["retry-after"], "7");
    let error = error(response).await;
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("slow down, please"),
        "{error}"
    );
    assert_eq!(error["code"], "rate_limit_exceeded");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_after_that_is_a_date_is_seconds_again() {
    let headers =
        "date: Wed, 21 Oct 2026 07:28:00 GMT\r\nretry-after: Wed, 21 Oct 2026 07:28:30 GMT\r\n";
    let reply = response("503 Service Unavailable", headers, "{}");
    let upstream = Upstream::start(vec![Act::Send(reply)]).await;
    let app = TestApp::before(&upstream).await;
    let response = app.chat(&hello("m")).send().await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["retry-after"], "30");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upstream_that_sends_garbage() {
    for body in ["", "not json", "{\"id\":", "[]", "{\"choices\": 5}"] {
        let (status, ..) = told(vec![reply("200 OK", body)], false).await;
        assert_eq!(status, 502, "{body}");
    }
    let (status, ..) = told(
        vec![Act::Send(b"SSH-2.0-OpenSSH\r\n".to_vec()), Act::Close],
        false,
    )
    .await;
    assert_eq!(status, 502);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_inside_a_200() {
    let body =
        json!({"error": {"message": "overloaded inside", "type": "server_error", "code": null}})
            .to_string();
    for stream in [false, true] {
        let (status, _, message) = told(vec![reply("200 OK", &body)], stream).await;
        assert_eq!(status, 502);
        assert!(message.contains("overloaded inside"), "{message}");
    }
    let event = format!("data: {body}\n\n");
    let (status, ..) = told(vec![stream_head(), chunk(&event), stream_end()], true).await;
    assert_eq!(status, 502);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upstream_that_cuts_before_it_answers() {
    let head =
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{\"id\"";
    for script in [
        vec![Act::Close],
        vec![Act::Send(b"HTTP/1.1 200".to_vec()), Act::Close],
        vec![Act::Send(head.into()), Act::Close],
    ] {
        assert_eq!(told(script, false).await.0, 502);
    }
    assert_eq!(told(vec![stream_head(), Act::Close], true).await.0, 502);
    assert_eq!(told(vec![stream_head(), stream_end()], true).await.0, 502);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upstream_that_cannot_be_reached() {
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let upstream = Upstream::start(Vec::new()).await;
    for url in [
        format!("http://127.0.0.1:{port}/v1"),
        "http://name.invalid/v1".to_owned(),
    ] {
        let mut config = config_for(&upstream);
        config.providers[0].base_url = Some(url);
        let app = TestApp::start(config).await;
        let response = app.chat(&hello("m")).send().await.unwrap();
        assert_eq!(response.status(), 502);
        error(response).await;
        assert_eq!(
            app.record().await.get::<String, _>("error_kind"),
            "unreachable"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_breaks_ends_in_an_error_never_silently() {
    let broken = "{\"error\":{\"message\":\"it broke\",\"type\":\"server_error\",\"code\":null}}";
    for (script, word) in [
        (vec![Act::Close], "broke"),
        (vec![stream_end()], "before"),
        (vec![chunk("data: {\"choices\":[{\"ind"), stream_end()], ""),
        (vec![chunk("data: nonsense\n\n"), stream_end()], ""),
        (
            vec![chunk(&format!("data: {broken}\n\n")), stream_end()],
            "it broke",
        ),
    ] {
        let mut acts = vec![stream_head(), chunk(&delta("one"))];
        acts.extend(script.clone());
        let upstream = Upstream::start(acts).await;
        let app = TestApp::before(&upstream).await;
        let response = app.chat(&streamed(hello("m"))).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let text = response.text().await.unwrap();
        let (good, last) = text
            .trim_end()
            .rsplit_once("\n\n")
            .expect("two events at least");
        assert_eq!(
            format!("{good}\n\n"),
            delta("one").replace("backend-model", "m")
        );
        let event: Value = serde_json::from_str(last.strip_prefix("data: ").unwrap()).unwrap();
        let message = event["error"]["message"].as_str().unwrap();
        assert!(message.contains(word), "{script:?}: {message}");
        let record = app.record().await;
        assert_eq!(record.get::<String, _>("outcome"), "failed");
        assert_eq!(record.get::<i64, _>("status"), 200);
        assert_eq!(record.get::<String, _>("error_source"), "provider");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_without_done_is_whole_if_it_said_why_it_ended() {
    let upstream = Upstream::start(vec![
        stream_head(),
        chunk(&delta("one")),
        chunk(STOP),
        stream_end(),
    ])
    .await;
    let app = TestApp::before(&upstream).await;
    let text = app
        .chat(&streamed(hello("m")))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(text.ends_with("data: [DONE]\n\n"), "{text}");
    assert_eq!(app.record().await.get::<String, _>("outcome"), "finished");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_make_no_sense() {
    let upstream = Upstream::start(vec![reply("200 OK", ANSWER)]).await;
    let mut config = config_for(&upstream);
    config.providers[0].default = false;
    let app = TestApp::start(config).await;
    for (body, status, param) in [
        ("", 400, Value::Null),
        ("{", 400, Value::Null),
        ("[]", 400, Value::Null),
        (
            "{\"model\":\"m\",\"messages\":[]} trailing",
            400,
            Value::Null,
        ),
        ("{\"messages\":[]}", 400, json!("model")),
        ("{\"model\":5,\"messages\":[]}", 400, json!("model")),
        (
            "{\"model\":\"m\",\"stream\":\"yes\",\"messages\":[]}",
            400,
            json!("stream"),
        ),
        ("{\"model\":\"m\"}", 400, json!("messages")),
        (
            "{\"model\":\"a\",\"model\":\"b\",\"messages\":[]}",
            400,
            json!("model"),
        ),
        (
            "{\"model\":\"unheard-of\",\"messages\":[]}",
            404,
            json!("model"),
        ),
    ] {
        let response = app.chat_bytes(body).send().await.unwrap();
        assert_eq!(response.status(), status, "{body}");
        let error = error(response).await;
        assert_eq!(error["param"], param, "{body}: {error}");
        assert_eq!(error["type"], "invalid_request_error", "{body}: {error}");
    }
    assert!(upstream.received().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn urls_and_methods_that_are_not_there() {
    let app = TestApp::simulated().await;
    for (method, path, status, code) in [
        ("GET", "/v1/nothing", 404, "unknown_url"),
        ("POST", "/v2/chat/completions", 404, "unknown_url"),
        ("GET", "/v1/chat/completions", 405, "method_not_allowed"),
        ("DELETE", "/v1/models", 405, "method_not_allowed"),
    ] {
        let request = app.client.request(method.parse().unwrap(), app.url(path));
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status, "{method} {path}");
        assert_eq!(error(response).await["code"], code);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upstream_that_quotes_the_gateways_key() {
    let body = json!({"error": {"message": "no access for key-of-up, sent as Bearer key-of-up", "type": "t", "code": null}});
    let upstream = Upstream::start(vec![reply("400 Bad Request", &body.to_string())]).await;
    let app = TestApp::before(&upstream).await;
    let response = app.chat(&hello("m")).send().await.unwrap();
    let text = response.text().await.unwrap();
    assert!(text.contains("no access for"), "{text}");
    assert!(!text.contains("key-of-up"), "{text}");
    let stored: String = app.record().await.get("error_message");
    assert!(!stored.contains("key-of-up"), "{stored}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upstream_that_quotes_the_gateways_key_in_mid_stream() {
    let quoted = json!({"error": {"message": "no more for key-of-up, sent as Bearer key-of-up", "type": "t", "code": null}});
    let quoted = chunk(&format!("data: {quoted}\n\n"));
    for (streams, batches) in [
        // The error follows what came before, or comes along with it.
        (
            true,
            vec![chunk(&delta("one")), Act::WaitForTest, quoted.clone()],
        ),
        (true, vec![chunk(&delta("one")), quoted.clone()]),
        // For a client that waits for all of it.
        (false, vec![chunk(&delta("one")), quoted.clone()]),
    ] {
        let mut acts = vec![stream_head()];
        acts.extend(batches);
        acts.push(stream_end());
        let upstream = Upstream::start(acts).await;
        let app = TestApp::before(&upstream).await;
        let mut request = hello("m");
        request["stream"] = json!(streams);
        let response = app.chat(&request).send().await.unwrap();
        assert_eq!(response.status(), if streams { 200 } else { 502 });
        upstream.go_on();
        let text = response.text().await.unwrap();
        assert!(text.contains("no more for"), "{text}");
        assert!(!text.contains("key-of-up"), "{text}");
        let stored: String = app.record().await.get("error_message");
        assert!(stored.contains("no more for"), "{stored}");
        assert!(!stored.contains("key-of-up"), "{stored}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_models_name_that_is_no_text() {
    let app = TestApp::simulated().await;
    let response = app
        .client
        .get(app.url("/v1/models/%ff"))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 400);
    error(response).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_http_request() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let app = TestApp::simulated().await;
    let long = |prefix: &str, length: usize, end: &str| {
        [prefix.as_bytes(), &vec![b'a'; length], end.as_bytes()].concat()
    };
    let many: String = (0..200).map(|i| format!("h{i}: v\r\n")).collect();
    for (request, status) in [
        (b"GET / HTTP/1.1\r\nhost x\r\n\r\n".to_vec(), 400),
        (b"hello there\r\n\r\n".to_vec(), 400),
        (long("GET /", 70_000, " HTTP/1.1\r\nhost: x\r\n\r\n"), 414),
        (long("GET / HTTP/1.1\r\nx: ", 1 << 20, "\r\n\r\n"), 431),
        (format!("GET / HTTP/1.1\r\n{many}\r\n").into_bytes(), 431),
    ] {
        let address = app.app().client_address;
        let mut client = tokio::net::TcpStream::connect(address).await.unwrap();
        // The answer may come before the request's end.
        let (mut read, mut write) = client.split();
        let send = async {
            let _ = write.write_all(&request).await;
        };
        let mut answer = Vec::new();
        let receive = async {
            let _ = read.read_to_end(&mut answer).await;
        };
        tokio::join!(send, receive);
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
        let length = format!("\r\ncontent-length: {}", body.len());
        assert!(head.contains(&length), "{head}");
        let body: Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["error"]["type"], "invalid_request_error");
        assert!(body["error"]["message"].is_string());
    }
}

//! Forms with files: passed on while they come.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::stream;
use reqwest::Body;
use server::config::{ByteSize, Config};
use sqlx::Row;
use tokio::sync::mpsc;

use crate::test_app::{SOON, TestApp, config_for, error, model, provider, provider_of_kind};
use crate::upstream::{Act, Upstream, chunk, json as reply, stream_end, stream_head};

const TEXT: &str = r#"{"text":"hello","usage":{"type":"tokens","input_tokens":14,"output_tokens":3,"total_tokens":17}}"#;
const PATH: &str = "/v1/audio/transcriptions";

/// The parts of a form before its file.
fn before_the_file(model: &str) -> String {
    format!(
        "--xx\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n{model}\r\n--xx\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\nContent-Type: audio/wav\r\n\r\n"
    )
}

const AFTER_THE_FILE: &str = "\r\n--xx--\r\n";

fn post(app: &TestApp, body: Body) -> reqwest::RequestBuilder {
    app.expect_record();
    app.client
        .post(app.url(PATH))
        .header("content-type", "multipart/form-data; boundary=xx")
        .body(body)
}

/// A body that is sent piece by piece.
fn pieces() -> (mpsc::UnboundedSender<Bytes>, Body) {
    let (sender, receiver) = mpsc::unbounded_channel::<Bytes>();
    let pieces = stream::unfold(receiver, |mut receiver| async {
        let piece = receiver.recv().await?;
        Some((Ok::<_, std::io::Error>(piece), receiver))
    });
    (sender, Body::wrap_stream(pieces))
}

async fn until(what: &str, done: impl Fn() -> bool) {
    let give_up = Instant::now() + SOON;
    while !done() {
        assert!(Instant::now() < give_up, "{what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn before(script: Vec<Act>, max_body: u64) -> (TestApp, Upstream) {
    let upstream = Upstream::start(script).await;
    let mut config = config_for(&upstream);
    config.models = vec![model("fast", &["up"])];
    config.server.max_body_size = ByteSize::mebibytes(max_body);
    (TestApp::start(config).await, upstream)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_keeps_its_bytes_but_for_the_model() {
    let (app, upstream) = before(vec![reply("200 OK", TEXT)], 1).await;
    let file = "\r\n--x\u{1}fast".repeat(1000);
    let form = format!("{}{file}{AFTER_THE_FILE}", before_the_file("fast"));
    let response = post(&app, form.clone().into()).send().await.unwrap();
    assert_eq!(response.text().await.unwrap(), TEXT);
    let received = upstream.received().remove(0);
    let expected = form.replacen("\r\nfast\r\n", "\r\nbackend-model\r\n", 1);
    assert_eq!(String::from_utf8(received.body).unwrap(), expected);
    let head = received.head.to_lowercase();
    assert!(head.contains(&format!("content-length: {}\r\n", expected.len())));
    assert!(head.contains("content-type: multipart/form-data; boundary=xx\r\n"));
    let record = app.record().await;
    assert_eq!(record.get::<String, _>("requested_model"), "fast");
    assert_eq!(record.get::<i64, _>("input_tokens"), 14);
    assert_eq!(record.get::<i64, _>("output_tokens"), 3);
    assert_eq!(record.get::<String, _>("endpoint"), PATH);
}

/// Whether a stream is wanted may stand behind the file, which nobody waits for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_streamed_answer_is_recorded_as_one() {
    let done = r#"{"type":"transcript.text.done","text":"hello","usage":{"type":"tokens","input_tokens":14,"output_tokens":3,"total_tokens":17}}"#;
    let script = vec![
        stream_head(),
        chunk(&format!("data: {done}\n\n")),
        stream_end(),
    ];
    let (app, _upstream) = before(script, 1).await;
    let (send, body) = pieces();
    let waiting = tokio::spawn(post(&app, body).send());
    send.send(before_the_file("fast").into()).unwrap();
    let stream = "\r\n--xx\r\nContent-Disposition: form-data; name=\"stream\"\r\n\r\ntrue";
    send.send(format!("{stream}{AFTER_THE_FILE}").into())
        .unwrap();
    drop(send);
    let response = waiting.await.unwrap().unwrap();
    assert!(response.text().await.unwrap().contains("hello"));
    let record = app.record().await;
    assert_eq!(record.get::<i64, _>("stream"), 1);
    assert_eq!(record.get::<i64, _>("output_tokens"), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_bytes_are_there_before_the_last_are_sent() {
    let (app, upstream) = before(vec![reply("200 OK", TEXT)], 32).await;
    let (send, body) = pieces();
    let waiting = tokio::spawn(post(&app, body).send());
    send.send(before_the_file("fast").into()).unwrap();
    let mut sent = 0;
    for _ in 0..5 {
        send.send(Bytes::from(vec![7; 1 << 20])).unwrap();
        sent += 1 << 20;
        until("each piece arrives before the next is sent", || {
            upstream.bytes() > sent
        })
        .await;
    }
    send.send(AFTER_THE_FILE.into()).unwrap();
    drop(send);
    let response = waiting.await.unwrap().unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.text().await.unwrap(), TEXT);
    let record = app.record().await;
    assert!(record.get::<i64, _>("bytes_in") > 5 << 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_the_limit_it_is_413_on_the_way() {
    let (app, _upstream) = before(vec![reply("200 OK", TEXT)], 1).await;
    let (send, body) = pieces();
    let waiting = tokio::spawn(post(&app, body).send());
    send.send(before_the_file("fast").into()).unwrap();
    for _ in 0..5 {
        send.send(Bytes::from(vec![7; 300 << 10])).unwrap();
    }
    drop(send);
    let response = waiting.await.unwrap().unwrap();
    assert_eq!(response.status(), 413);
    assert_eq!(error(response).await["code"], "request_too_large");

    let known = post(&app, vec![7; 2 << 20].into()).send().await.unwrap();
    assert_eq!(known.status(), 413);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_reaches_a_client_that_is_still_sending() {
    let upstream = Upstream::start(vec![]).await;
    let mut config = config_for(&upstream);
    config.providers[0].default = false;
    config.server.max_body_size = ByteSize::mebibytes(32);
    let app = TestApp::start(config).await;
    for _ in 0..5 {
        let (send, body) = pieces();
        let waiting = tokio::spawn(post(&app, body).send());
        send.send(before_the_file("no-such-model").into()).unwrap();
        for _ in 0..20 {
            send.send(Bytes::from(vec![7; 1 << 20])).unwrap();
        }
        send.send(AFTER_THE_FILE.into()).unwrap();
        drop(send);
        let response = waiting.await.unwrap().expect("no reset connection");
        assert_eq!(response.status(), 404);
        assert_eq!(error(response).await["code"], "model_not_found");
    }
    assert!(upstream.received().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_hangs_up_cancels_the_upload() {
    let (app, upstream) = before(vec![reply("200 OK", TEXT)], 32).await;
    let (send, body) = pieces();
    let waiting = tokio::spawn(post(&app, body).send());
    send.send(before_the_file("fast").into()).unwrap();
    send.send(Bytes::from(vec![7; 1 << 20])).unwrap();
    until("the upload is under way", || upstream.bytes() > 1 << 20).await;
    waiting.abort();
    let record = app.record().await;
    assert_eq!(record.get::<String, _>("outcome"), "cancelled");
    assert!(upstream.received().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_that_names_two_models_is_refused_wherever_that_shows() {
    let (app, _upstream) = before(vec![reply("200 OK", TEXT)], 1).await;
    let form = format!(
        "{}data\r\n--xx\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\ndear{AFTER_THE_FILE}",
        before_the_file("fast")
    );
    for pause in [false, true] {
        let (send, body) = pieces();
        let waiting = tokio::spawn(post(&app, body).send());
        let (first, second) = form.split_at(if pause { 150 } else { form.len() });
        send.send(Bytes::copy_from_slice(first.as_bytes())).unwrap();
        send.send(Bytes::copy_from_slice(second.as_bytes()))
            .unwrap();
        drop(send);
        let response = waiting.await.unwrap().unwrap();
        assert_eq!(response.status(), 400);
        assert_eq!(error(response).await["param"], "model");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_is_sent_to_one_target() {
    let broken = Upstream::start(vec![reply("500 Internal Server Error", "{}")]).await;
    let good = Upstream::start(vec![reply("200 OK", TEXT)]).await;
    let app = TestApp::start(Config {
        providers: vec![provider("a", &broken, true), provider("b", &good, false)],
        models: vec![model("fast", &["a", "b"])],
        ..Config::default()
    })
    .await;
    let form = format!("{}data{AFTER_THE_FILE}", before_the_file("fast"));
    let response = post(&app, form.into()).send().await.unwrap();
    assert_eq!(response.status(), 502);
    error(response).await;
    assert!(good.received().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upstream_that_refuses_at_once_is_heard() {
    let refusal = r#"{"error":{"message":"no such voice","type":"t","param":null,"code":null}}"#;
    let upstream = Upstream::start(vec![reply("400 Bad Request", refusal)]).await;
    let app = TestApp::before(&upstream).await;
    let form = format!("{}data{AFTER_THE_FILE}", before_the_file("m"));
    let response = post(&app, form.into()).send().await.unwrap();
    assert_eq!(response.status(), 400);
    let message = error(response).await["message"].clone();
    assert!(message.as_str().unwrap().contains("no such voice"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_charged_by_the_second_is_priced() {
    let heard = r#"{"task":"transcribe","language":"en","duration":90.5,"text":"hello"}"#;
    let upstream = Upstream::start(vec![reply("200 OK", heard)]).await;
    let app = TestApp::start(Config {
        providers: vec![provider_of_kind("openai", "up", &upstream, true)],
        ..Config::default()
    })
    .await;
    let form = format!("{}data{AFTER_THE_FILE}", before_the_file("whisper-1"));
    let response = post(&app, form.into()).send().await.unwrap();
    assert_eq!(response.text().await.unwrap(), heard);
    // 0.006 dollars a minute.
    let record = app.record().await;
    assert_eq!(record.get::<i64, _>("cost_nanos"), 9_050_000);
}

//! A changed configuration: what was known and counted goes on.

use server::config::{Breaker, Config, Model, Strategy};

use crate::test_app::{TestApp, hello, key, model, provider};
use crate::upstream::{ANSWER, Act, Upstream, json, stream_head};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_was_left_alone_stays_so() {
    let broken = Upstream::start(vec![json("500 Internal Server Error", "{}")]).await;
    let working = Upstream::start(vec![json("200 OK", ANSWER)]).await;
    let config = Config {
        providers: vec![
            provider("broken", &broken, false),
            provider("working", &working, false),
        ],
        models: vec![Model {
            breaker: Breaker {
                failures: 1,
                ..Breaker::default()
            },
            ..model("m", &["broken", "working"])
        }],
        ..Config::default()
    };
    let app = TestApp::start(config.clone()).await;
    assert_eq!(app.chat(&hello("m")).send().await.unwrap().status(), 200);
    assert_eq!(broken.received().len(), 1);

    let changed = Config {
        keys: vec![key("a", "the-key")],
        ..config
    };
    let gateway = &app.app().gateway;
    gateway.replace_policies(gateway.policies().rebuild(&changed).unwrap());
    assert_eq!(app.chat(&hello("m")).send().await.unwrap().status(), 401);
    let request = app.chat(&hello("m")).bearer_auth("the-key");
    assert_eq!(request.send().await.unwrap().status(), 200);
    assert_eq!(broken.received().len(), 1, "it is known to be broken");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_at_another_address_is_another_one() {
    let broken = Upstream::start(vec![json("500 Internal Server Error", "{}")]).await;
    let working = Upstream::start(vec![json("200 OK", ANSWER)]).await;
    let moved = Upstream::start(vec![json("200 OK", ANSWER)]).await;
    let before = |first: &Upstream| Config {
        providers: vec![
            provider("first", first, false),
            provider("second", &working, false),
        ],
        models: vec![Model {
            strategy: Strategy::Priority,
            breaker: Breaker {
                failures: 1,
                ..Breaker::default()
            },
            ..model("m", &["first", "second"])
        }],
        ..Config::default()
    };
    let app = TestApp::start(before(&broken)).await;
    assert_eq!(app.chat(&hello("m")).send().await.unwrap().status(), 200);

    let gateway = &app.app().gateway;
    let changed = before(&moved);
    gateway.replace_policies(gateway.policies().rebuild(&changed).unwrap());
    assert_eq!(app.chat(&hello("m")).send().await.unwrap().status(), 200);
    assert_eq!(moved.received().len(), 1);
    assert_eq!(working.received().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_under_way_count_against_the_new_limit() {
    let upstream = Upstream::start(vec![stream_head(), Act::WaitForTest, Act::Close]).await;
    let config = Config {
        providers: vec![provider("up", &upstream, true)],
        ..Config::default()
    };
    let app = TestApp::start(config.clone()).await;
    let request = app.chat(&hello("m"));
    let under_way = tokio::spawn(request.send());
    let gateway = &app.app().gateway;
    while gateway.policies().limits.in_flight() == 0 {
        tokio::task::yield_now().await;
    }
    let mut changed = config;
    changed.server.max_concurrent_requests = 1;
    gateway.replace_policies(gateway.policies().rebuild(&changed).unwrap());
    assert_eq!(app.chat(&hello("m")).send().await.unwrap().status(), 503);
    upstream.go_on();
    under_way.await.unwrap().unwrap();
}

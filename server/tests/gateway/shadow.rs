//! A copy of a request goes to another target. The client notices nothing of it.

use serde_json::Value;
use server::config::{Config, Price, PriceOverride, Shadow, Share};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::test_app::{TestApp, hello, model, provider, streamed};
use crate::upstream::{ANSWER, Act, Upstream, json, stream};

fn config(up: &Upstream, other: &Upstream) -> Config {
    let mut model = model("m", &["up"]);
    model.shadow = Some(Shadow {
        provider: "other".to_owned(),
        model: Some("candidate".to_owned()),
        share: Share::ALL,
    });
    let price = |nanos_per_million| Price { nanos_per_million };
    Config {
        providers: vec![provider("up", up, false), provider("other", other, false)],
        models: vec![model],
        prices: vec![PriceOverride {
            provider: None,
            model: "candidate".to_owned(),
            input: price(1_000_000_000),
            cached_input: None,
            cache_write: None,
            output: price(1_000_000_000),
        }],
        ..Config::default()
    }
}

/// The client's record and the shadow's, as soon as both are there.
async fn records(app: &TestApp) -> (SqliteRow, SqliteRow) {
    let mut rows = app.records(2).await;
    rows.sort_by_key(|row| row.get::<Option<Vec<u8>>, _>("shadow_of"));
    let shadow = rows.pop().unwrap();
    (rows.pop().unwrap(), shadow)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn is_recorded_apart() {
    for streams in [false, true] {
        let script = if streams {
            stream()
        } else {
            vec![json("200 OK", ANSWER)]
        };
        let up = Upstream::start(script.clone()).await;
        let other = Upstream::start(script).await;
        let app = TestApp::start(config(&up, &other)).await;
        app.expect_record();
        let request = if streams {
            streamed(hello("m"))
        } else {
            hello("m")
        };
        let response = app.chat(&request).send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["x-gateway-attempts"], "up=ok");
        response.bytes().await.unwrap();
        let (original, shadow) = records(&app).await;
        assert_eq!(original.get::<Option<Vec<u8>>, _>("shadow_of"), None);
        assert_eq!(
            shadow.get::<Vec<u8>, _>("shadow_of"),
            original.get::<Vec<u8>, _>("id")
        );
        assert_eq!(shadow.get::<String, _>("provider"), "other");
        assert_eq!(shadow.get::<String, _>("upstream_model"), "candidate");
        assert_eq!(shadow.get::<String, _>("requested_model"), "m");
        assert_eq!(shadow.get::<String, _>("outcome"), "finished");
        assert_eq!(shadow.get::<i64, _>("status"), 200);
        assert_eq!(shadow.get::<i64, _>("output_tokens"), 7);
        assert_eq!(shadow.get::<i64, _>("cost_nanos"), 18_000);
        let sent: Value = serde_json::from_slice(&other.received()[0].body).unwrap();
        assert_eq!(sent["model"], "candidate");

        // What clients asked for is what the figures tell; what the copy cost is beside it.
        let overview = app
            .app()
            .store
            .overview(&Default::default(), chrono::Utc::now())
            .await
            .unwrap();
        let totals = &overview.totals;
        assert_eq!((totals.requests, totals.output_tokens), (1, 7));
        assert_eq!((totals.shadows, totals.shadow_cost.0), (1, 18_000));
        assert_eq!(totals.cost.0, 0);
        let providers = overview.providers.iter().map(|share| share.name.as_str());
        assert_eq!(providers.collect::<Vec<_>>(), ["up"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn may_fail_or_hang() {
    for (script, kind) in [
        (
            vec![json("500 Internal Server Error", "{}")],
            "upstream_failed",
        ),
        (vec![Act::WaitForClose], "cancelled"),
    ] {
        let up = Upstream::start(vec![json("200 OK", ANSWER)]).await;
        let other = Upstream::start(script).await;
        let mut app = TestApp::start(config(&up, &other)).await;
        app.expect_record();
        let response = app.chat(&hello("m")).send().await.unwrap();
        assert_eq!(response.status(), 200);
        response.bytes().await.unwrap();
        other.until_received(1).await;
        if kind == "upstream_failed" {
            records(&app).await;
        }
        // Nobody waits for it at the end either, and it is recorded all the same.
        app.stop().await;
        let rows = app
            .rows("SELECT * FROM requests WHERE shadow_of IS NOT NULL")
            .await;
        assert_eq!(rows[0].get::<String, _>("error_kind"), kind);
        assert_eq!(rows[0].get::<String, _>("provider"), "other");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn is_of_a_share_of_the_requests() {
    let up = Upstream::start(vec![json("200 OK", ANSWER)]).await;
    let other = Upstream::start(vec![json("200 OK", ANSWER)]).await;
    let mut config = config(&up, &other);
    if let Some(shadow) = &mut config.models[0].shadow {
        shadow.share = Share::percent(0);
    }
    let app = TestApp::start(config).await;
    for _ in 0..10 {
        assert_eq!(app.chat(&hello("m")).send().await.unwrap().status(), 200);
    }
    assert!(other.received().is_empty());
}

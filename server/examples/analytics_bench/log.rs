//! First pages of the request log.

use std::time::Instant;

use chrono::{TimeDelta, Utc};
use server::store::Store;
use shared::analytics::{RequestFilter, RequestOutcome, StatusFilter};

use crate::filled::SPACING_US;

pub async fn run(store: &Store, rows: i64) {
    let half = Utc::now() - TimeDelta::microseconds(rows * SPACING_US / 2);
    let text = |text: &str| Some(text.to_owned());
    let all = RequestFilter::default;
    for (what, filter) in [
        ("all", all()),
        (
            "model, usual",
            RequestFilter {
                model: text("model-3"),
                ..all()
            },
        ),
        (
            "model, one in 10,000",
            RequestFilter {
                model: text("rare-model"),
                ..all()
            },
        ),
        (
            "model, nobody's",
            RequestFilter {
                model: text("nobody"),
                ..all()
            },
        ),
        (
            "provider, usual",
            RequestFilter {
                provider: text("provider-2"),
                ..all()
            },
        ),
        (
            "provider, one in 10,000",
            RequestFilter {
                provider: text("rare-provider"),
                ..all()
            },
        ),
        (
            "key, one in 1,000",
            RequestFilter {
                key: text("key-77"),
                ..all()
            },
        ),
        (
            "key, one in 20,000",
            RequestFilter {
                key: text("rare-key"),
                ..all()
            },
        ),
        (
            "project, one in 20",
            RequestFilter {
                project: text("project-7"),
                ..all()
            },
        ),
        (
            "status 503, one in 5,000",
            RequestFilter {
                status: Some(StatusFilter::Exactly(503)),
                ..all()
            },
        ),
        (
            "status 5xx",
            RequestFilter {
                status: Some(StatusFilter::Class(5)),
                ..all()
            },
        ),
        (
            "status 3xx, none",
            RequestFilter {
                status: Some(StatusFilter::Class(3)),
                ..all()
            },
        ),
        (
            "outcome cancelled",
            RequestFilter {
                outcome: Some(RequestOutcome::Cancelled),
                ..all()
            },
        ),
        (
            "error kind, one in 5,000",
            RequestFilter {
                error_kind: text("overloaded"),
                ..all()
            },
        ),
        (
            "dialect, one in 10,000",
            RequestFilter {
                dialect: text("gemini"),
                ..all()
            },
        ),
        (
            "cached, one in 3,000",
            RequestFilter {
                cached: Some(true),
                ..all()
            },
        ),
        (
            "an hour of long ago",
            RequestFilter {
                from: Some(half - TimeDelta::minutes(1)),
                to: Some(half),
                ..all()
            },
        ),
        (
            "an hour of long ago and a rare key",
            RequestFilter {
                from: Some(half - TimeDelta::minutes(1)),
                to: Some(half),
                key: text("rare-key"),
                ..all()
            },
        ),
        (
            "rare key and usual model",
            RequestFilter {
                key: text("rare-key"),
                model: text("model-3"),
                ..all()
            },
        ),
        (
            "search, nothing found (a page of 256,000)",
            RequestFilter {
                search: text("no such text"),
                ..all()
            },
        ),
    ] {
        let mut times = Vec::new();
        let mut found = 0;
        for _ in 0..5 {
            let begun = Instant::now();
            let page = store.request_log(&filter, None, 100).await.expect("a page");
            times.push(begun.elapsed());
            found = page.requests.len();
        }
        let first = times[0].as_secs_f64() * 1e3;
        times.sort();
        println!(
            "log, {what}: {found} found, first {first:.1} ms, median {:.1} ms",
            times[2].as_secs_f64() * 1e3
        );
    }
}

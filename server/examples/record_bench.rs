//! What recording costs: CPU time a record at a steady rate, and the time of an overview over a
//! month of rollups.
//!
//! ```sh
//! cargo run --release -p server --example record_bench
//! ```

use std::path::Path;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use llm::chat::Usage;
use server::recording::record::{Attempt, CacheOutcome, Outcome};
use server::recording::{Recorder, RecordingSettings, RequestRecord};
use server::store::{PendingRollups, Rollups, Store};
use shared::TimeRange;
use shared::analytics::OverviewQuery;
use uuid::{NoContext, Timestamp, Uuid};

const RATE: u64 = 1000;
const SECONDS: u64 = 15;
const COMBINATIONS: i64 = 50;
const HOURS: i64 = 720;
const RECORDS_EACH: i64 = 8;

#[tokio::main(worker_threads = 2)]
async fn main() {
    let folder = std::env::temp_dir().join(format!("record_bench-{}", std::process::id()));
    recording(&folder).await;
    overview(&folder).await;
    std::fs::remove_dir_all(&folder).expect("the folder was made above");
}

async fn recording(folder: &Path) {
    let url = format!("sqlite:{}", folder.join("steady.db").display());
    let store = Store::open(&url).await.expect("a temporary file");
    let settings = RecordingSettings {
        flush_interval: Duration::from_millis(100),
        queue_size: 65_536,
        spool_dir: folder.join("spool"),
        spool_max_bytes: 1 << 28,
        retention_days: 90,
        minute_retention_days: 14,
        hour_retention_days: 730,
    };
    let recorder = Recorder::start(settings, store);
    let idle = steady(|_| {}).await;
    let busy = steady(|record| recorder.record(record)).await;
    recorder.flush().await;
    let status = recorder.status();
    println!(
        "{} records at {RATE}/s: {:.1} µs CPU a record ({:.1} µs with the making of records), {status:?}",
        RATE * SECONDS,
        busy - idle,
        busy,
    );
    recorder.shutdown().await;
}

/// Microseconds of CPU a record while `take` is given records at a steady rate.
async fn steady(take: impl Fn(RequestRecord)) -> f64 {
    let before = cpu_ms();
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    for _ in 0..SECONDS * 100 {
        ticks.tick().await;
        for i in 0..RATE / 100 {
            take(record(Utc::now(), i as i64));
        }
    }
    (cpu_ms() - before) * 1000.0 / (RATE * SECONDS) as f64
}

async fn overview(folder: &Path) {
    let url = format!("sqlite:{}", folder.join("month.db").display());
    let store = Store::open(&url).await.expect("a temporary file");
    let now = Utc::now();
    let mut pending = PendingRollups::default();
    for hour in 0..HOURS {
        let time = now - Duration::from_secs(3600 * hour as u64);
        let records: Vec<_> = (0..COMBINATIONS * RECORDS_EACH)
            .map(|i| record(time, i))
            .collect();
        store
            .commit(&records, &mut pending, Rollups::Now)
            .await
            .expect("a temporary file");
    }
    let query = OverviewQuery {
        range: TimeRange::Month,
        ..OverviewQuery::default()
    };
    for _ in 0..5 {
        let started = Instant::now();
        let overview = store.overview(&query, now).await.expect("rollups");
        println!(
            "overview of 30 days, {COMBINATIONS} × {HOURS} rollups, {} requests: {:.1} ms",
            overview.totals.requests,
            started.elapsed().as_secs_f64() * 1000.0
        );
    }
    store.close().await;
}

fn record(time: DateTime<Utc>, i: i64) -> RequestRecord {
    let combination = i % COMBINATIONS;
    let model = format!("model-{}", combination % 10);
    let provider = format!("provider-{}", combination / 10);
    RequestRecord {
        id: Uuid::new_v7(Timestamp::from_unix(
            NoContext,
            time.timestamp() as u64,
            time.timestamp_subsec_nanos(),
        )),
        started_at_us: time.timestamp_micros(),
        first_token_us: Some(90_000 + i * 7_919 % 400_000),
        latency_us: 200_000 + i * i * 104_729 % 9_000_000,
        upstream_us: 190_000,
        key: Some("team-a".into()),
        project: None,
        client_address: Some([127, 0, 0, 1].into()),
        dialect: "openai_chat".into(),
        endpoint: "/v1/chat/completions".into(),
        requested_model: Some(model.as_str().into()),
        provider: Some(provider.as_str().into()),
        upstream_model: Some(model.as_str().into()),
        stream: i % 2 == 0,
        outcome: Outcome::Finished,
        status: 200,
        error_kind: None,
        error_source: None,
        error_message: None,
        attempts: vec![Attempt {
            provider: provider.as_str().into(),
            model: model.as_str().into(),
            started_us: 120,
            duration_us: 80_000,
            status: Some(200),
            error_kind: None,
            hedged: false,
        }],
        usage_estimated: false,
        shadow_of: None,
        guardrails: Vec::new(),
        saved_tokens: None,
        saved_nanos: None,
        losses: llm::chat::Losses::default(),
        usage: Some(Usage {
            input_tokens: 1200,
            cached_tokens: 400,
            cache_write_tokens: 0,
            output_tokens: 300,
            reasoning_tokens: 0,
        }),
        cost_nanos: Some(4_500_000),
        cache: CacheOutcome::Miss,
        finish_reason: Some("stop".into()),
        bytes_in: 5_000,
        bytes_out: 2_000,
    }
}

/// CPU time of this process so far, milliseconds; 10 ms steps.
fn cpu_ms() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields: Vec<&str> = stat[stat.rfind(')').expect("a name") + 2..]
        .split(' ')
        .collect();
    let ticks: f64 = fields[11..13]
        .iter()
        .map(|field| field.parse::<f64>().expect("a number"))
        .sum();
    ticks * 10.0
}

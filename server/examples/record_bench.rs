//! What recording costs: CPU time a record at a steady rate.
//!
//! ```sh
//! cargo run --release -p server --example record_bench
//! ```

#[path = "analytics_bench/process.rs"]
#[allow(dead_code, reason = "memory is the other bench's")]
mod process;
#[path = "analytics_bench/record.rs"]
mod record;
#[path = "analytics_bench/recorder.rs"]
mod recorder;

use std::path::Path;
use std::time::Duration;

use chrono::Utc;
use server::recording::RequestRecord;
use server::store::Store;

use self::process::cpu_ms;
use self::record::record;
use self::recorder::recorder;

const RATE: u64 = 1000;
const SECONDS: u64 = 15;

#[tokio::main(worker_threads = 2)]
async fn main() {
    let folder = std::env::temp_dir().join(format!("record_bench-{}", std::process::id()));
    recording(&folder).await;
    std::fs::remove_dir_all(&folder).expect("the folder was made above");
}

async fn recording(folder: &Path) {
    let url = format!("sqlite:{}", folder.join("steady.db").display());
    let store = Store::open(&url).await.expect("a temporary file");
    let recorder = recorder(folder, store);
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

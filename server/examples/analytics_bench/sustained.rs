//! Recording at a steady rate.

use std::path::Path;
use std::time::{Duration, Instant};

use chrono::Utc;

use crate::open;
use crate::process::cpu_ms;
use crate::record::record;
use crate::recorder::recorder;

/// Records a second.
const RATE: u64 = 5000;
const SECONDS: u64 = 20;

/// Whether the writer keeps up, beside those who make the records.
pub async fn run(folder: &Path) {
    let store = open(folder, "steady.db").await;
    let recorder = recorder(folder, store);
    let cpu = cpu_ms();
    let begun = Instant::now();
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    let mut most = 0;
    let mut made = 0;
    for _ in 0..SECONDS * 100 {
        ticks.tick().await;
        for _ in 0..RATE / 100 {
            recorder.record(record(Utc::now(), made));
            made += 1;
        }
        most = most.max(recorder.status().queued);
    }
    let took = begun.elapsed().as_secs_f64();
    recorder.flush().await;
    let status = recorder.status();
    println!(
        "sustained: {:.0} records/s for {took:.0} s, {:.1} µs CPU each with their making, at most {most} queued; {status:?}",
        made as f64 / took,
        (cpu_ms() - cpu) * 1000.0 / made as f64,
    );
    recorder.shutdown().await;
}

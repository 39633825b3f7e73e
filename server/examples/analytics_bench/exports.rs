//! Exports of all requests.

use std::time::Instant;

use server::store::{ExportFormat, Store};
use shared::analytics::{ExportView, RequestFilter};

use crate::process::{cpu_ms, peak_kb};

pub async fn run(store: &Store, rows: i64) {
    for format in [ExportFormat::Csv, ExportFormat::JsonLines] {
        let before = peak_kb();
        let cpu = cpu_ms();
        let begun = Instant::now();
        let pages = store.export(ExportView::Requests, format, RequestFilter::default());
        let mut pages = pages.await.expect("an export");
        let mut bytes = 0;
        while let Some(page) = pages.next().await.expect("a page") {
            bytes += page.len();
        }
        println!(
            "export {format:?}: {:.0} rows/s, {:.1} µs CPU a row, {} MB, peak memory {} → {} MB",
            rows as f64 / begun.elapsed().as_secs_f64(),
            (cpu_ms() - cpu) * 1000.0 / rows as f64,
            bytes / 1_000_000,
            before / 1000,
            peak_kb() / 1000
        );
    }
    let begun = Instant::now();
    let snapshot = store.snapshot().await.expect("room for an export");
    let size = std::fs::metadata(snapshot.path()).map_or(0, |file| file.len());
    println!(
        "export SQLite: {:.0} rows/s, {} MB, peak memory {} MB",
        rows as f64 / begun.elapsed().as_secs_f64(),
        size / 1_000_000,
        peak_kb() / 1000
    );
}

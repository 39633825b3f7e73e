//! Services that the log is shipped to. What each wants is a pure file of its own; all else is the same for all: entries
//! go into a bounded queue, and a task a service sends them in batches. Nothing that logs ever waits.

mod address;
mod counts;
mod datadog;
mod elasticsearch;
mod entry;
mod layer;
mod pace;
mod queue;
mod quiet;
mod service;
mod shipper;
mod shipping;
mod splunk;

pub use entry::Entry;
pub use layer::SinkLayer;
pub use shipping::Shipping;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Map, Value, json};
    use tracing::Level;
    use uuid::Uuid;

    use super::Entry;

    /// So many entries, `line 0`, `line 1` …
    pub fn entries(count: u64) -> Vec<Arc<Entry>> {
        let entry = |number: u64| Entry {
            id: Uuid::now_v7(),
            at: "2026-11-21T16:14:00.123Z".parse().unwrap(),
            level: Level::INFO,
            component: "server::test".to_owned(),
            message: format!("line {number}"),
            metadata: Map::from_iter([("number".to_owned(), json!(number))]),
        };
        (0..count).map(|number| Arc::new(entry(number))).collect()
    }

    /// JSON, a value a line.
    pub fn lines(body: &[u8]) -> Vec<Value> {
        let lines = std::str::from_utf8(body).unwrap().lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

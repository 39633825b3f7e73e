//! What is shipped: a line of the log, or a request that has ended.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value};
use tracing::Level;
use uuid::Uuid;

use crate::recording::record::{CacheOutcome, Outcome, RequestRecord};

/// Longer texts are cut, in bytes.
const MAX_TEXT: usize = 8 << 10;
/// What an entry is taken to weigh beside its texts.
const OVERHEAD: usize = 256;

/// One entry of the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Unique, so that what is sent twice can be told from two of the same.
    pub id: Uuid,
    pub at: DateTime<Utc>,
    pub level: Level,
    /// The module that logged it, or `request`.
    pub component: String,
    pub message: String,
    pub metadata: Map<String, Value>,
}

/// An entry as the Ballerina gateway wrote it.
#[derive(Debug, Serialize)]
pub(super) struct Told<'a> {
    pub timestamp: String,
    pub level: &'static str,
    pub component: &'a str,
    pub message: &'a str,
    pub metadata: &'a Map<String, Value>,
}

impl Entry {
    /// A request that has ended: what was recorded of it but for texts that others wrote.
    pub fn of_record(record: &RequestRecord) -> Self {
        let (level, message) = match record.outcome {
            Outcome::Finished => (Level::INFO, "Request finished"),
            Outcome::Cancelled => (Level::INFO, "Request cancelled by the client"),
            Outcome::Failed => (Level::WARN, "Request failed"),
        };
        let mut metadata = Map::new();
        let mut put = |name: &str, value: Value| {
            if !value.is_null() {
                metadata.insert(name.to_owned(), value);
            }
        };
        put("requestId", record.id.to_string().into());
        put("key", record.key.as_deref().into());
        put("project", record.project.as_deref().into());
        put("dialect", (*record.dialect).into());
        put("endpoint", (*record.endpoint).into());
        put("model", record.requested_model.as_deref().into());
        put("provider", record.provider.as_deref().into());
        put("upstream_model", record.upstream_model.as_deref().into());
        put("stream", record.stream.into());
        put("status", record.status.into());
        put("error_kind", record.error_kind.map(|it| it.as_str()).into());
        put(
            "error_source",
            record.error_source.map(|it| it.as_str()).into(),
        );
        put("attempts", record.attempts.len().into());
        put("latency_ms", ms(record.latency_us));
        put("upstream_ms", ms(record.upstream_us));
        put("first_token_ms", record.first_token_us.map(ms).into());
        let usage = record.usage;
        put("input_tokens", usage.map(|it| it.input_tokens).into());
        put("cached_tokens", usage.map(|it| it.cached_tokens).into());
        put("output_tokens", usage.map(|it| it.output_tokens).into());
        put(
            "reasoning_tokens",
            usage.map(|it| it.reasoning_tokens).into(),
        );
        put("cost_nanos", record.cost_nanos.into());
        let cache = match record.cache {
            CacheOutcome::Bypass => "bypass",
            CacheOutcome::Hit => "hit",
            CacheOutcome::Miss => "miss",
        };
        put("cache", cache.into());
        put("finish_reason", record.finish_reason.as_deref().into());
        put("bytes_in", record.bytes_in.into());
        put("bytes_out", record.bytes_out.into());
        put(
            "shadow_of",
            record.shadow_of.map(|it| it.to_string()).into(),
        );
        let ended = record.started_at_us.saturating_add(record.latency_us);
        Self {
            id: Uuid::now_v7(),
            at: DateTime::from_timestamp_micros(ended).unwrap_or_else(Utc::now),
            level,
            component: "request".to_owned(),
            message: message.to_owned(),
            metadata,
        }
    }

    /// About so many bytes are held by it, and sent for it.
    pub(super) fn size(&self) -> usize {
        let text = |value: &Value| value.as_str().map_or(8, str::len);
        let fields = self.metadata.iter();
        let fields: usize = fields.map(|(name, value)| name.len() + text(value)).sum();
        OVERHEAD + self.component.len() + self.message.len() + fields
    }

    /// RFC 3339 in UTC, with milliseconds.
    pub(super) fn timestamp(&self) -> String {
        let millis = chrono::SecondsFormat::Millis;
        self.at.to_rfc3339_opts(millis, true)
    }

    pub(super) fn told(&self) -> Told<'_> {
        Told {
            timestamp: self.timestamp(),
            level: self.level.as_str(),
            component: &self.component,
            message: &self.message,
            metadata: &self.metadata,
        }
    }
}

/// Milliseconds of microseconds.
fn ms(us: i64) -> Value {
    (us as f64 / 1000.0).into()
}

/// A text of bounded length.
pub(super) fn cut(mut text: String) -> String {
    if text.len() > MAX_TEXT {
        text.truncate(text.floor_char_boundary(MAX_TEXT));
        text.push('…');
    }
    text
}

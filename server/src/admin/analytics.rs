//! What an operator can ask about what was recorded, answered.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use llm::pricing::{Unit, UnitPrice};
use shared::AdminError;
use shared::analytics::{
    AnalyticsApi, AttemptEntry, CacheUse, DatabaseHealth, GatewayHealth, GuardrailEntry,
    HealthState, ListedPrice, PriceSource, PriceUnit, RecordingHealth, RequestDetail, RequestEntry,
    RequestLog, RequestOutcome, RequestQuery, Usage, UsageQuery,
};
use shared::policies::FieldError;
use uuid::Uuid;

use super::Admin;
use crate::availability::Availability;
use crate::recording::record::{Attempt, CacheOutcome, Outcome, RequestRecord};
use crate::store::{StoreError, UsageError};

/// Requests of a page where nobody says how many.
const PAGE: usize = 100;
const MAX_PAGE: usize = 1000;

#[async_trait]
impl AnalyticsApi for Admin {
    async fn requests(&self, query: RequestQuery) -> Result<RequestLog, AdminError> {
        let before = match &query.cursor {
            None => None,
            Some(cursor) => {
                Some(position(cursor).ok_or_else(|| about("cursor", "not the `next` of a page"))?)
            }
        };
        let limit = query.limit.map_or(PAGE, |limit| limit as usize);
        let limit = limit.clamp(1, MAX_PAGE);
        let page = self.store.request_log(&query.filter, before, limit).await;
        let page = page.map_err(unavailable)?;
        Ok(RequestLog {
            requests: page.requests.iter().map(entry).collect(),
            next: page.next.map(cursor),
        })
    }

    async fn request(&self, id: &str) -> Result<RequestDetail, AdminError> {
        let missing = || AdminError::NotFound {
            message: "There is no such request, or it was too old to be kept.".to_owned(),
        };
        let uuid = Uuid::parse_str(id).map_err(|_| missing())?;
        let record = self.store.request(uuid).await.map_err(unavailable)?;
        record.as_ref().map(detail).ok_or_else(missing)
    }

    async fn usage(&self, query: UsageQuery) -> Result<Usage, AdminError> {
        let usage = self.store.usage(&query, Utc::now()).await;
        usage.map_err(|error| match error {
            UsageError::TooManyRows => about(
                if query.interval.is_some() {
                    "interval"
                } else {
                    "group_by"
                },
                format!("{error}: take a longer interval, a shorter time, or less to group by"),
            ),
            UsageError::Store(error) => unavailable(error),
        })
    }

    async fn prices(&self) -> Result<Vec<ListedPrice>, AdminError> {
        let policies = self.gateway.policies();
        let configured = |own: bool| {
            if own {
                PriceSource::Configured
            } else {
                PriceSource::BuiltIn
            }
        };
        let tokens = policies
            .prices
            .iter()
            .map(|(provider, model, price, own)| ListedPrice {
                provider: provider.to_owned(),
                model: model.to_owned(),
                unit: PriceUnit::MillionTokens {
                    input_nanos: price.input,
                    cached_input_nanos: price.cached_input,
                    cache_write_nanos: price.cache_write,
                    output_nanos: price.output,
                },
                source: configured(own),
            });
        let units = policies
            .unit_prices
            .iter()
            .map(|(provider, model, price, own)| ListedPrice {
                provider: provider.to_owned(),
                model: model.to_owned(),
                unit: unit(price),
                source: configured(own),
            });
        let mut prices: Vec<_> = tokens.chain(units).collect();
        prices.sort_by(|a, b| {
            let key = |price: &ListedPrice| {
                let built_in = price.source == PriceSource::BuiltIn;
                (built_in, price.provider.clone(), price.model.clone())
            };
            key(a).cmp(&key(b))
        });
        Ok(prices)
    }

    async fn health(&self) -> GatewayHealth {
        let database = self.database_health().await;
        let recording = self.recording_health();
        let policies = self.gateway.policies();
        let availability = Availability::of(&policies);
        let enabled = policies.upstreams.iter().filter(|one| one.enabled);
        let providers: Vec<_> = enabled
            .map(|one| availability.provider(&one.name))
            .collect();
        let down = providers
            .iter()
            .any(|one| !one.up || (one.keys > 0 && one.keys_usable == 0));
        let routing = if down {
            HealthState::Degraded
        } else {
            HealthState::Healthy
        };
        // Clients are served whatever becomes of the database.
        let stored = database.state.min(HealthState::Degraded);
        GatewayHealth {
            state: routing.max(stored).max(recording.state),
            database,
            recording,
            providers,
        }
    }
}

impl Admin {
    async fn database_health(&self) -> DatabaseHealth {
        let (file_bytes, log_bytes) = self.store.file_sizes();
        let read = self.store.state().await;
        let (state, failure) = match &read {
            Ok(_) => (HealthState::Healthy, None),
            Err(error) => (HealthState::Failed, Some(error.to_string())),
        };
        let read = read.ok();
        DatabaseHealth {
            state,
            failure,
            schema_version: read.map(|read| read.schema_version),
            file_bytes,
            log_bytes,
            rollups_behind: read.map(|read| read.rollups_behind),
        }
    }

    fn recording_health(&self) -> RecordingHealth {
        let recorder = self.gateway.recorder();
        let status = recorder.status();
        let waits = status.trouble.is_some() || status.spooled > 0;
        RecordingHealth {
            state: if status.lost > 0 {
                HealthState::Failed
            } else if waits {
                HealthState::Degraded
            } else {
                HealthState::Healthy
            },
            queue_size: recorder.queue_size() as u64,
            status,
        }
    }
}

/// Nobody has to know what it is made of.
fn cursor(before: i64) -> String {
    format!("r{before:x}")
}

fn position(cursor: &str) -> Option<i64> {
    let digits = cursor.strip_prefix('r')?;
    let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let position = i64::from_str_radix(digits, 16).ok()?;
    (plain && position > 0).then_some(position)
}

fn about(field: &str, message: impl Into<String>) -> AdminError {
    let message = message.into();
    AdminError::Invalid {
        message: format!("{field}: {message}"),
        fields: vec![FieldError {
            field: field.to_owned(),
            message,
        }],
    }
}

fn unavailable(error: StoreError) -> AdminError {
    AdminError::Unavailable {
        message: error.to_string(),
    }
}

fn unit(price: UnitPrice) -> PriceUnit {
    let each_nanos = price.each;
    match price.unit {
        Unit::Image => PriceUnit::Image { each_nanos },
        Unit::AudioSecond => PriceUnit::AudioSecond { each_nanos },
        Unit::Character => PriceUnit::Character { each_nanos },
        Unit::Search => PriceUnit::Search { each_nanos },
    }
}

fn entry(record: &RequestRecord) -> RequestEntry {
    let owned = |name: &Option<std::sync::Arc<str>>| name.as_deref().map(str::to_owned);
    let usage = record.usage.as_ref();
    RequestEntry {
        id: record.id.to_string(),
        started_at: DateTime::from_timestamp_micros(record.started_at_us).unwrap_or_default(),
        first_token_ms: record.first_token_us.map(millis),
        latency_ms: millis(record.latency_us),
        upstream_ms: millis(record.upstream_us),
        key: owned(&record.key),
        project: owned(&record.project),
        client_address: record.client_address.map(|address| address.to_string()),
        dialect: record.dialect.to_string(),
        endpoint: record.endpoint.to_string(),
        model: owned(&record.requested_model),
        provider: owned(&record.provider),
        upstream_model: owned(&record.upstream_model),
        stream: record.stream,
        outcome: match record.outcome {
            Outcome::Finished => RequestOutcome::Finished,
            Outcome::Failed => RequestOutcome::Failed,
            Outcome::Cancelled => RequestOutcome::Cancelled,
        },
        status: record.status,
        error_kind: record.error_kind.map(|kind| kind.as_str().to_owned()),
        error_source: record.error_source.map(|source| source.as_str().to_owned()),
        error_message: record.error_message.clone(),
        attempt_count: u32::try_from(record.attempts.len()).unwrap_or(u32::MAX),
        input_tokens: usage.map(|usage| usage.input_tokens),
        cached_tokens: usage.map(|usage| usage.cached_tokens),
        cache_write_tokens: usage.map(|usage| usage.cache_write_tokens),
        output_tokens: usage.map(|usage| usage.output_tokens),
        reasoning_tokens: usage.map(|usage| usage.reasoning_tokens),
        usage_estimated: record.usage_estimated,
        cost_nanos: record.cost_nanos,
        cache: match record.cache {
            CacheOutcome::Bypass => CacheUse::Bypass,
            CacheOutcome::Hit => CacheUse::Hit,
            CacheOutcome::Miss => CacheUse::Miss,
        },
        saved_tokens: record.saved_tokens,
        saved_nanos: record.saved_nanos,
        finish_reason: owned(&record.finish_reason),
        bytes_in: record.bytes_in,
        bytes_out: record.bytes_out,
        shadow_of: record.shadow_of.map(|id| id.to_string()),
    }
}

fn detail(record: &RequestRecord) -> RequestDetail {
    let names = |names: &[std::borrow::Cow<'static, str>]| {
        names.iter().map(|name| name.to_string()).collect()
    };
    RequestDetail {
        request: entry(record),
        attempts: record.attempts.iter().map(attempt).collect(),
        guardrails: record
            .guardrails
            .iter()
            .map(|outcome| GuardrailEntry {
                rule: outcome.rule.to_string(),
                side: outcome.side,
                verdict: outcome.verdict,
                shadow: outcome.shadow,
            })
            .collect(),
        dropped: names(&record.losses.dropped),
        emulated: names(&record.losses.emulated),
    }
}

fn attempt(attempt: &Attempt) -> AttemptEntry {
    AttemptEntry {
        provider: attempt.provider.to_string(),
        model: attempt.model.to_string(),
        started_ms: millis(attempt.started_us),
        duration_ms: millis(attempt.duration_us),
        status: attempt.status,
        error_kind: attempt.error_kind.map(|kind| kind.as_str().to_owned()),
        hedged: attempt.hedged,
    }
}

fn millis(micros: i64) -> f64 {
    micros as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::{cursor, position};

    #[test]
    fn a_cursor_leads_to_where_it_was_made() {
        for before in [1, 256, i64::MAX] {
            assert_eq!(position(&cursor(before)), Some(before));
        }
        for wrong in [
            "",
            "r",
            "r0",
            "r-1",
            "1",
            "r' OR 1=1",
            "rffffffffffffffff",
            "r+1",
        ] {
            assert_eq!(position(wrong), None, "{wrong}");
        }
    }
}

//! A [`GatewayApi`] that makes its figures up, the same ones every time.

#[path = "policies.rs"]
mod policies;

use std::f64::consts::TAU;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use shared::analytics::{Bucket, ErrorCount, Overview, OverviewQuery, Percentiles, Share, Totals};
use shared::routing::{ModelChange, ModelRouting, TargetStatus};
use shared::status::{GatewayStatus, ProviderStatus, RecordingStatus};
use shared::{AdminError, CostNanos, GatewayApi};

#[allow(unused_imports, reason = "tests hold policies back")]
pub use policies::{Hold, Policies};

/// What the gateway has been through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scene {
    /// A busy gateway on a good day.
    Busy,
    /// Just installed: no requests, no keys, only the simulated provider.
    Fresh,
    /// The database does not answer.
    Failing,
    /// Recording is held up, records were lost, an unknown price.
    Troubled,
    /// As busy, with more requests each time one asks.
    Growing,
    /// The database keeps one waiting.
    Silent,
}

impl Scene {
    #[allow(dead_code, reason = "tests take single scenes")]
    pub const ALL: [Self; 6] = [
        Self::Busy,
        Self::Fresh,
        Self::Failing,
        Self::Troubled,
        Self::Growing,
        Self::Silent,
    ];
}

#[derive(Debug)]
pub struct Sample {
    scene: Scene,
    asked: AtomicU64,
    pub policies: Arc<Policies>,
}

impl Sample {
    pub fn new(scene: Scene) -> Self {
        Self {
            scene,
            asked: AtomicU64::new(0),
            policies: Arc::new(match scene {
                Scene::Fresh => Policies::none(),
                _ => Policies::some(),
            }),
        }
    }
}

#[async_trait]
impl GatewayApi for Sample {
    async fn overview(&self, query: OverviewQuery) -> Result<Overview, AdminError> {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        match self.scene {
            Scene::Failing => Err(AdminError::Unavailable {
                message: "disk I/O error (code 10)".to_owned(),
            }),
            Scene::Silent => std::future::pending().await,
            Scene::Fresh => Ok(quiet(query)),
            Scene::Busy => Ok(busy(query)),
            Scene::Troubled => {
                let mut overview = busy(query);
                overview.totals.unpriced = 1_204;
                overview.models[2].totals.cost = CostNanos(0);
                overview.models[2].totals.unpriced = 1_204;
                overview.previous = None;
                Ok(overview)
            }
            Scene::Growing => {
                let mut overview = busy(query);
                overview.totals.requests += asked;
                overview.until += TimeDelta::seconds(i64::try_from(asked).unwrap_or(0));
                if let Some(last) = overview.series.last_mut() {
                    last.totals.requests += asked;
                }
                Ok(overview)
            }
        }
    }

    async fn targets(&self) -> Result<Vec<TargetStatus>, AdminError> {
        Ok(Vec::new())
    }

    async fn models(&self) -> Result<Vec<ModelRouting>, AdminError> {
        Ok(Vec::new())
    }

    async fn change_model(
        &self,
        name: &str,
        _change: ModelChange,
        _edit: shared::policies::Edit,
    ) -> Result<ModelRouting, AdminError> {
        Err(AdminError::NotFound {
            message: format!("There is no model `{name}` in a sample."),
        })
    }

    async fn reset_model(
        &self,
        name: &str,
        _edit: shared::policies::Edit,
    ) -> Result<Option<ModelRouting>, AdminError> {
        Err(AdminError::NotFound {
            message: format!("There is no model `{name}` in a sample."),
        })
    }

    async fn status(&self) -> Result<GatewayStatus, AdminError> {
        let fresh = self.scene == Scene::Fresh;
        let provider = |name: &str, kind: &str, enabled| ProviderStatus {
            name: name.to_owned(),
            kind: kind.to_owned(),
            enabled,
            simulated: kind == "simulated",
        };
        let providers = if fresh {
            vec![provider("simulated", "simulated", true)]
        } else {
            vec![
                provider("openai", "openai", true),
                provider("anthropic", "anthropic", true),
                provider("gemini", "gemini", true),
                provider("mistral-eu", "mistral", false),
                provider("rehearsal", "simulated", true),
            ]
        };
        let recording = match self.scene {
            Scene::Troubled => RecordingStatus {
                written: 48_211,
                queued: 12,
                spooled: 1_830,
                lost: 3,
                trouble: Some("database is locked".to_owned()),
            },
            _ => RecordingStatus {
                written: 48_211,
                ..RecordingStatus::default()
            },
        };
        Ok(GatewayStatus {
            version: "0.1.0".to_owned(),
            started_at: Utc::now() - TimeDelta::minutes(if fresh { 1 } else { 4_567 }),
            client_url: "http://127.0.0.1:8080".to_owned(),
            open: fresh || self.scene == Scene::Troubled,
            providers,
            recording,
        })
    }
}

/// A Thursday afternoon.
fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_773_325_925, 0).expect("a valid time")
}

fn starts(query: &OverviewQuery) -> Vec<DateTime<Utc>> {
    let width = i64::from(query.range.bucket_seconds());
    let count = i64::from(query.range.seconds()) / width;
    let last = now().timestamp() / width * width;
    (0..count)
        .filter_map(|i| DateTime::from_timestamp(last - (count - 1 - i) * width, 0))
        .collect()
}

fn quiet(query: OverviewQuery) -> Overview {
    let series: Vec<_> = starts(&query)
        .into_iter()
        .map(|start| Bucket {
            start,
            totals: Totals::default(),
        })
        .collect();
    Overview {
        from: series[0].start,
        until: now(),
        bucket_seconds: query.range.bucket_seconds(),
        totals: Totals::default(),
        previous: None,
        series,
        models: Vec::new(),
        providers: Vec::new(),
        errors: Vec::new(),
        query,
    }
}

fn busy(query: OverviewQuery) -> Overview {
    let part = match (&query.provider, &query.model) {
        (None, None) => 1.0,
        (Some(_), Some(_)) => 0.12,
        _ => 0.37,
    };
    let mut overview = quiet(query);
    let width = f64::from(overview.bucket_seconds);
    let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
    for bucket in &mut overview.series {
        bucket.totals = traffic(bucket.start, width, part, &mut noise);
    }
    overview.totals = sum(overview.series.iter().map(|bucket| &bucket.totals));
    overview.previous = Some(earlier(&overview.totals));
    overview.models = shares(
        &overview.totals,
        &[
            ("gpt-4o-mini", 0.46, 0.22),
            ("claude-sonnet-4-5", 0.24, 0.52),
            ("gemini-2.5-flash", 0.15, 0.08),
            ("gpt-4o", 0.09, 0.16),
            ("meta-llama/llama-3.3-70b-instruct", 0.04, 0.02),
            ("text-embedding-3-small", 0.02, 0.001),
        ],
    );
    overview.providers = shares(
        &overview.totals,
        &[
            ("openai", 0.57, 0.381),
            ("anthropic", 0.24, 0.52),
            ("gemini", 0.15, 0.08),
            ("rehearsal", 0.04, 0.0),
        ],
    );
    let errors = overview.totals.errors;
    overview.errors = [
        ("rate_limited", errors * 6 / 10),
        ("upstream_timeout", errors / 4),
        ("invalid_request", errors / 10),
    ]
    .map(|(kind, count)| ErrorCount {
        kind: kind.to_owned(),
        count,
    })
    .to_vec();
    overview
}

/// Office hours, a little noise, and one bad quarter of an hour.
fn traffic(start: DateTime<Utc>, width: f64, part: f64, noise: &mut Noise) -> Totals {
    let hour = (start.timestamp() % 86_400) as f64 / 3_600.0;
    let office = (0.12 + (-((hour - 13.5) / 4.2).powi(2)).exp()) * (1.0 + 0.1 * (hour * TAU).sin());
    let requests = (width * 0.62 * office * part * (0.85 + 0.3 * noise.next())).round();
    let bad = (10.4..11.2).contains(&hour);
    let failing = if bad {
        0.11
    } else {
        0.004 + 0.006 * noise.next()
    };
    let errors = (requests * failing).round();
    let input = requests * (1_150.0 + 240.0 * noise.next());
    let output = requests * (310.0 + 90.0 * noise.next());
    let slow = if bad { 2.3 } else { 1.0 } * (0.9 + 0.25 * noise.next() + 0.25 * office);
    let measured = requests > 0.0;
    let percentiles = |p50: f64, p95: f64, p99: f64| Percentiles {
        p50_ms: measured.then_some(p50 * slow),
        p95_ms: measured.then_some(p95 * slow),
        p99_ms: measured.then_some(p99 * slow),
    };
    Totals {
        requests: requests as u64,
        errors: errors as u64,
        cancelled: (requests * 0.012 * noise.next()).round() as u64,
        streamed: (requests * 0.68).round() as u64,
        cache_hits: (requests * 0.07).round() as u64,
        input_tokens: input as u64,
        cached_tokens: (input * (0.28 + 0.1 * noise.next())) as u64,
        cache_write_tokens: (input * 0.03) as u64,
        output_tokens: output as u64,
        reasoning_tokens: (output * 0.2) as u64,
        cost: CostNanos((input * 420.0 + output * 2_300.0) as i64),
        unpriced: 0,
        latency: percentiles(640.0, 2_150.0, 4_300.0),
        time_to_first_token: percentiles(235.0, 520.0, 980.0),
        ..Totals::default()
    }
}

fn sum<'a>(all: impl Iterator<Item = &'a Totals>) -> Totals {
    let mut total = Totals {
        latency: Percentiles {
            p50_ms: Some(742.0),
            p95_ms: Some(2_460.0),
            p99_ms: Some(5_120.0),
        },
        time_to_first_token: Percentiles {
            p50_ms: Some(268.0),
            p95_ms: Some(611.0),
            p99_ms: Some(1_140.0),
        },
        ..Totals::default()
    };
    for one in all {
        total.requests += one.requests;
        total.errors += one.errors;
        total.cancelled += one.cancelled;
        total.streamed += one.streamed;
        total.cache_hits += one.cache_hits;
        total.input_tokens += one.input_tokens;
        total.cached_tokens += one.cached_tokens;
        total.cache_write_tokens += one.cache_write_tokens;
        total.output_tokens += one.output_tokens;
        total.reasoning_tokens += one.reasoning_tokens;
        total.cost += one.cost;
    }
    total
}

fn earlier(totals: &Totals) -> Totals {
    let mut before = scaled(totals, 0.88, 0.91);
    before.errors = totals.errors * 7 / 10;
    before.latency.p50_ms = Some(781.0);
    before.time_to_first_token.p50_ms = Some(267.0);
    before
}

fn shares(totals: &Totals, parts: &[(&str, f64, f64)]) -> Vec<Share> {
    parts
        .iter()
        .map(|(name, requests, cost)| Share {
            name: (*name).to_owned(),
            totals: scaled(totals, *requests, *cost),
        })
        .collect()
}

fn scaled(totals: &Totals, by: f64, cost: f64) -> Totals {
    let part = |count: u64| (count as f64 * by) as u64;
    Totals {
        requests: part(totals.requests),
        errors: part(totals.errors),
        cancelled: part(totals.cancelled),
        streamed: part(totals.streamed),
        cache_hits: part(totals.cache_hits),
        input_tokens: part(totals.input_tokens),
        cached_tokens: part(totals.cached_tokens),
        cache_write_tokens: part(totals.cache_write_tokens),
        output_tokens: part(totals.output_tokens),
        reasoning_tokens: part(totals.reasoning_tokens),
        cost: CostNanos((totals.cost.0 as f64 * cost) as i64),
        ..totals.clone()
    }
}

/// A small deterministic generator (xorshift): not random, only uneven.
struct Noise(u64);

impl Noise {
    /// From 0 to 1.
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

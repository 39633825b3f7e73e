//! Which charts there are, and what each shows.

use shared::CostNanos;
use shared::analytics::Totals;

use crate::format;

/// One of the charts of the overview.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChartKind {
    Requests,
    Tokens,
    Latency,
    Cost,
}

/// One series of a chart.
#[derive(Clone, Copy, Debug)]
pub struct SeriesKind {
    pub name: &'static str,
    /// The custom property with the series' colour.
    pub color: &'static str,
    /// Lines only: dashed, so that colour is not the only difference.
    pub dashed: bool,
    /// The value in one bucket; `None` where nothing was measured.
    pub value: fn(&Totals) -> Option<f64>,
}

const REQUESTS: [SeriesKind; 3] = [
    series("Succeeded", "--series-1", |t| {
        Some(t.requests.saturating_sub(t.errors + t.cancelled) as f64)
    }),
    series("Cancelled", "--series-muted", |t| Some(t.cancelled as f64)),
    series("Failed", "--series-bad", |t| Some(t.errors as f64)),
];

const TOKENS: [SeriesKind; 3] = [
    series("Input", "--series-1", |t| {
        Some(t.input_tokens.saturating_sub(t.cached_tokens) as f64)
    }),
    series("Cached input", "--series-2", |t| {
        Some(t.cached_tokens as f64)
    }),
    series("Output", "--series-3", |t| Some(t.output_tokens as f64)),
];

const LATENCY: [SeriesKind; 4] = [
    series("p50", "--series-1", |t| t.latency.p50_ms),
    series("p95", "--series-4", |t| t.latency.p95_ms),
    series("p99", "--series-5", |t| t.latency.p99_ms),
    SeriesKind {
        dashed: true,
        ..series("First token p50", "--series-2", |t| {
            t.time_to_first_token.p50_ms
        })
    },
];

const COST: [SeriesKind; 1] = [series("Cost", "--series-3", |t| {
    // Nothing had a price: that is not the same as costing nothing.
    (t.cost.0 != 0 || t.unpriced == 0).then(|| t.cost.dollars())
})];

const fn series(
    name: &'static str,
    color: &'static str,
    value: fn(&Totals) -> Option<f64>,
) -> SeriesKind {
    SeriesKind {
        name,
        color,
        dashed: false,
        value,
    }
}

impl ChartKind {
    pub const ALL: [Self; 4] = [Self::Requests, Self::Tokens, Self::Latency, Self::Cost];

    /// The name in element ids.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Tokens => "tokens",
            Self::Latency => "latency",
            Self::Cost => "cost",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Requests => "Requests",
            Self::Tokens => "Tokens",
            Self::Latency => "Latency",
            Self::Cost => "Cost",
        }
    }

    /// The series, bottom to top where they are stacked.
    pub fn series(self) -> &'static [SeriesKind] {
        match self {
            Self::Requests => &REQUESTS,
            Self::Tokens => &TOKENS,
            Self::Latency => &LATENCY,
            Self::Cost => &COST,
        }
    }

    /// Counts and sums are stacked bars; percentiles are lines, for they do not add up.
    pub fn is_stacked(self) -> bool {
        self != Self::Latency
    }

    /// Counts have no ticks between whole numbers.
    pub fn is_whole(self) -> bool {
        matches!(self, Self::Requests | Self::Tokens)
    }

    /// A value of one bucket, exactly.
    pub fn exact(self, value: f64) -> String {
        match self {
            Self::Requests | Self::Tokens => format::exact(value as u64),
            Self::Latency => format::duration_ms(value),
            Self::Cost => CostNanos((value * 1e9).round() as i64).to_string(),
        }
    }

    /// A value at a tick of the axis, short.
    pub fn tick(self, value: f64) -> String {
        match self {
            _ if value == 0.0 => "0".to_owned(),
            Self::Requests | Self::Tokens => format::compact(value as u64),
            Self::Latency => format::duration_ms(value),
            Self::Cost => CostNanos((value * 1e9).round() as i64).to_string(),
        }
    }
}

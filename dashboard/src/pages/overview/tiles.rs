//! The figures of the whole range, compared with the period before it.

use std::sync::Arc;

use leptos::prelude::*;
use shared::analytics::Totals;

use super::tile::{Change, Rise, Tile};
use crate::api::Snapshot;
use crate::format::{self, NONE};

#[component]
pub fn Tiles(figures: Memo<Arc<Snapshot>>) -> impl IntoView {
    let value = move |show: fn(&Totals) -> String| {
        Signal::derive(move || figures.with(|figures| show(&figures.overview.totals)))
    };
    let details = move |show: fn(&Totals) -> Vec<(&'static str, String)>| {
        Signal::derive(move || figures.with(|figures| show(&figures.overview.totals)))
    };
    let change = move |rise: Rise, of: fn(&Totals) -> Option<f64>| {
        Signal::derive(move || {
            figures.with(|figures| {
                let before = figures.overview.previous.as_ref().and_then(of);
                Change::between(before, of(&figures.overview.totals), rise)
            })
        })
    };
    let compared = move || {
        figures.with(|figures| {
            let overview = &figures.overview;
            let (taken, range) = (format::clock(overview.until), overview.query.range);
            match overview.previous {
                Some(_) => format!("As of {taken} UTC, compared with the {range} before."),
                None => format!("As of {taken} UTC. Nothing was recorded in the {range} before."),
            }
        })
    };
    let spoken = move || figures.with(|figures| sentence(figures));

    view! {
        <p class="visually-hidden" role="status" aria-live="polite">
            {spoken}
        </p>
        <div class="tiles">
            <Tile
                label="Requests"
                value=value(|t| format::exact(t.requests))
                change=change(Rise::Plain, |t| Some(t.requests as f64))
                details=details(|t| {
                    vec![
                        ("Streamed", format::percent(t.streamed, t.requests)),
                        ("From cache", format::percent(t.cache_hits, t.requests)),
                        ("Cancelled", format::exact(t.cancelled)),
                    ]
                })
            />
            <Tile
                label="Error rate"
                value=value(|t| format::percent(t.errors, t.requests))
                change=change(Rise::Bad, |t| share(t.errors, t.requests))
                details=details(|t| {
                    vec![
                        ("Failed", format::exact(t.errors)),
                        (
                            "Succeeded",
                            format::exact(t.requests.saturating_sub(t.errors + t.cancelled)),
                        ),
                    ]
                })
            />
            <Tile
                label="Tokens"
                value=value(|t| format::compact(t.input_tokens + t.output_tokens))
                change=change(Rise::Plain, |t| Some((t.input_tokens + t.output_tokens) as f64))
                details=details(|t| {
                    vec![
                        ("Input", format::compact(t.input_tokens)),
                        ("of it cached", format::percent(t.cached_tokens, t.input_tokens)),
                        ("Output", format::compact(t.output_tokens)),
                    ]
                })
            />
            <Tile
                label="Latency, p50"
                value=value(|t| format::measured_ms(t.latency.p50_ms))
                change=change(Rise::Bad, |t| t.latency.p50_ms)
                details=details(|t| {
                    vec![
                        ("p95", format::measured_ms(t.latency.p95_ms)),
                        ("p99", format::measured_ms(t.latency.p99_ms)),
                    ]
                })
            />
            <Tile
                label="First token, p50"
                value=value(|t| format::measured_ms(t.time_to_first_token.p50_ms))
                change=change(Rise::Bad, |t| t.time_to_first_token.p50_ms)
                details=details(|t| {
                    vec![
                        ("p95", format::measured_ms(t.time_to_first_token.p95_ms)),
                        ("p99", format::measured_ms(t.time_to_first_token.p99_ms)),
                    ]
                })
            />
            <Tile
                label="Cost"
                value=value(|t| {
                    // Nothing had a price: that is not the same as costing nothing.
                    if t.cost.0 == 0 && t.unpriced > 0 {
                        NONE.to_owned()
                    } else {
                        format::cost(t.cost)
                    }
                })
                change=change(Rise::Plain, |t| Some(t.cost.dollars()))
                details=details(|t| {
                    let mut details = vec![("Per 1k requests", per_thousand(t))];
                    if t.unpriced > 0 {
                        details.push(("Without a price", format::exact(t.unpriced)));
                    }
                    if t.shadows > 0 {
                        details.push(("Shadow traffic", format::cost(t.shadow_cost)));
                    }
                    details
                })
            />
        </div>
        <p class="compared">{compared}</p>
    }
    .into_any()
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// What a thousand of the priced requests cost.
fn per_thousand(totals: &Totals) -> String {
    let priced = totals.requests.saturating_sub(totals.unpriced);
    if priced == 0 || totals.cost.0 == 0 && totals.unpriced > 0 {
        return NONE.to_owned();
    }
    let nanos = i128::from(totals.cost.0) * 1_000 / i128::from(priced);
    format::cost(shared::CostNanos(i64::try_from(nanos).unwrap_or(i64::MAX)))
}

fn sentence(figures: &Snapshot) -> String {
    let totals = &figures.overview.totals;
    format!(
        "{}: {} requests, {} failed, p95 {}, cost {}.",
        figures.overview.query.range.label(),
        format::exact(totals.requests),
        format::exact(totals.errors),
        format::measured_ms(totals.latency.p95_ms),
        format::cost(totals.cost),
    )
}

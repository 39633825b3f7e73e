//! The values under the pointer, or under the keyboard's cursor.

use std::sync::Arc;

use leptos::ev::{KeyboardEvent, PointerEvent};
use leptos::prelude::*;
use shared::analytics::Overview;

use super::ChartKind;
use super::geometry::{Scale, Size, index_at, position};
use super::table::spans_days;
use crate::api::Snapshot;
use crate::format::{self, NONE};

/// Lies over the plot: a slider over the buckets, moved by pointer or arrow keys.
#[component]
pub fn Crosshair(kind: ChartKind, figures: Memo<Arc<Snapshot>>) -> impl IntoView {
    let at = RwSignal::new(None::<usize>);
    let count = Memo::new(move |_| figures.with(|figures| figures.overview.series.len()));
    // A shorter series may come while a bucket is looked at.
    let shown = Memo::new(move |_| {
        at.get()
            .map(|index| index.min(count.get().saturating_sub(1)))
    });

    let plot = NodeRef::<leptos::html::Div>::new();
    let point = move |event: PointerEvent| {
        let Some(plot) = plot.get_untracked() else {
            return;
        };
        let across = f64::from(event.offset_x()) / f64::from(plot.client_width().max(1));
        at.set(Some(index_at(across, count.get_untracked())));
    };
    let step = move |event: KeyboardEvent| {
        let last = count.get_untracked().saturating_sub(1);
        let now = shown.get_untracked().unwrap_or(last);
        let next = match event.key().as_str() {
            "ArrowLeft" | "ArrowDown" => Some(now.saturating_sub(1)),
            "ArrowRight" | "ArrowUp" => Some((now + 1).min(last)),
            "PageDown" => Some(now.saturating_sub(10)),
            "PageUp" => Some((now + 10).min(last)),
            "Home" => Some(0),
            "End" => Some(last),
            "Escape" => None,
            _ => return,
        };
        event.prevent_default();
        at.set(next);
    };
    let now = move || shown.get().unwrap_or_else(|| count.get().saturating_sub(1));
    let text = move || figures.with(|figures| sentence(kind, &figures.overview, now()));

    view! {
        <div
            class="plot"
            node_ref=plot
            style=format!(
                "--inset-wide: {}; --inset-narrow: {}",
                Size::WIDE.inset(),
                Size::NARROW.inset(),
            )
            role="slider"
            tabindex="0"
            aria-label=format!("{} over time", kind.title())
            aria-valuemin="0"
            aria-valuemax=move || count.get().saturating_sub(1)
            aria-valuenow=now
            aria-valuetext=text
            on:pointermove=point
            on:pointerdown=point
            on:pointerleave=move |_| at.set(None)
            on:focus=move |_| {
                if at.get_untracked().is_none() {
                    at.set(Some(count.get_untracked().saturating_sub(1)));
                }
            }
            on:blur=move |_| at.set(None)
            on:keydown=step
        >
            {move || {
                shown
                    .get()
                    .map(|index| {
                        figures.with(|figures| marks(kind, &figures.overview, index)).into_any()
                    })
            }}
        </div>
    }
    .into_any()
}

/// The line, the dots and the tooltip at one bucket.
fn marks(kind: ChartKind, overview: &Overview, index: usize) -> impl IntoView + use<> {
    let count = overview.series.len();
    let across = position(index, count);
    let bucket = overview.series.get(index);
    let scale = Scale::of(kind, &overview.series);
    let dots = (!kind.is_stacked()).then(|| {
        kind.series()
            .iter()
            .filter_map(|series| {
                let value = (series.value)(&bucket?.totals)?;
                let style = format!(
                    "left: {:.3}%; bottom: {:.3}%; --swatch: var({})",
                    across * 100.0,
                    scale.height(value) * 100.0,
                    series.color,
                );
                Some(view! { <span class="dot" style=style></span> })
            })
            .collect_view()
    });
    let rows = kind
        .series()
        .iter()
        .rev()
        .map(|series| {
            view! {
                <tr>
                    <th scope="row">
                        <span class="swatch" style=format!("--swatch: var({})", series.color)></span>
                        {series.name}
                    </th>
                    <td>{value_text(kind, overview, index, series.value)}</td>
                </tr>
            }
        })
        .collect_view();
    let line = format!(
        "left: {:.3}%; width: {:.3}%",
        if kind.is_stacked() {
            index as f64 / count.max(1) as f64
        } else {
            across
        } * 100.0,
        if kind.is_stacked() {
            100.0 / count.max(1) as f64
        } else {
            0.0
        },
    );
    view! {
        <span class="crosshair" class:band=kind.is_stacked() style=line aria-hidden="true"></span>
        {dots}
        <div
            class="tip"
            class:flip={across > 0.5}
            style=format!("--at: {:.3}%", across * 100.0)
            aria-hidden="true"
        >
            <p>{when(overview, index)}</p>
            <table>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}

/// What a screen reader says of one bucket.
fn sentence(kind: ChartKind, overview: &Overview, index: usize) -> String {
    let values = kind
        .series()
        .iter()
        .map(|series| {
            let value = value_text(kind, overview, index, series.value);
            format!("{} {value}", series.name)
        })
        .collect::<Vec<_>>()
        .join(", ");
    format!("{}: {values}", when(overview, index))
}

fn when(overview: &Overview, index: usize) -> String {
    let Some(bucket) = overview.series.get(index) else {
        return NONE.to_owned();
    };
    let start = format::bucket_start(bucket.start, spans_days(overview));
    // The last bucket still fills.
    if index + 1 == overview.series.len() {
        format!("{start} UTC, so far")
    } else {
        format!("{start} UTC")
    }
}

fn value_text(
    kind: ChartKind,
    overview: &Overview,
    index: usize,
    value: fn(&shared::analytics::Totals) -> Option<f64>,
) -> String {
    overview
        .series
        .get(index)
        .and_then(|bucket| value(&bucket.totals))
        .map_or_else(|| NONE.to_owned(), |value| kind.exact(value))
}

//! A chart with all that belongs to it: title, legend, drawing, crosshair, data table.

use std::sync::Arc;

use leptos::prelude::*;

use super::ChartKind;
use super::geometry::Size;
use super::hover::Crosshair;
use super::legend::Legend;
use super::table::DataTable;
use crate::api::Snapshot;

#[component]
pub fn ChartFigure(kind: ChartKind, figures: Memo<Arc<Snapshot>>) -> impl IntoView {
    let heading = format!("chart-{}", kind.as_str());
    let labelled_by = heading.clone();
    let drawing = move |size: Size| move || figures.with(|figures| svg(kind, figures, size));
    view! {
        <figure class="card chart" aria-labelledby=labelled_by>
            <figcaption>
                <h2 id=heading>{kind.title()}</h2>
                <ul class="legend">
                    <Legend kind figures />
                </ul>
            </figcaption>
            <div class="chart-canvas">
                <div class="chart-svg wide" inner_html=drawing(Size::WIDE)></div>
                <div class="chart-svg narrow" inner_html=drawing(Size::NARROW)></div>
                <Crosshair kind figures />
            </div>
            <DataTable kind figures />
        </figure>
    }
    .into_any()
}

/// The chart's SVG: the one that came with the figures; on the server drawn in place. It is empty
/// while the page hydrates, when the drawing is in the document already and stays.
fn svg(kind: ChartKind, figures: &Snapshot, size: Size) -> String {
    let index = ChartKind::ALL.iter().position(|other| *other == kind);
    let drawing = index.and_then(|index| figures.charts.get(index));
    match drawing {
        Some(drawing) if size == Size::WIDE => drawing.wide.clone(),
        Some(drawing) => drawing.narrow.clone(),
        #[cfg(feature = "ssr")]
        None => super::draw(kind, &figures.overview, size),
        #[cfg(not(feature = "ssr"))]
        None => String::new(),
    }
}

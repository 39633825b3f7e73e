//! The page's figures: tiles, charts, tables.

use std::sync::Arc;

use leptos::prelude::*;

use super::errors::Errors;
use super::shares::{ShareKind, Shares};
use super::tiles::Tiles;
use crate::api::Snapshot;
use crate::charts::{ChartFigure, ChartKind};

#[component]
pub fn Figures(figures: Memo<Arc<Snapshot>>) -> impl IntoView {
    let charts = ChartKind::ALL
        .into_iter()
        .map(|kind| view! { <ChartFigure kind figures /> })
        .collect_view();
    view! {
        <Tiles figures />
        <div class="charts">{charts}</div>
        <div class="tables">
            <Shares kind=ShareKind::Models figures />
            <Shares kind=ShareKind::Providers figures />
            <Errors figures />
        </div>
    }
    .into_any()
}

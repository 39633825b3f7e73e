//! Failed requests by their kind.

use std::sync::Arc;

use leptos::either::Either;
use leptos::prelude::*;
use shared::analytics::ErrorCount;

use crate::api::Snapshot;
use crate::format;

#[component]
pub fn Errors(figures: Memo<Arc<Snapshot>>) -> impl IntoView {
    let content = move || {
        figures.with(|figures| {
            let overview = &figures.overview;
            if overview.errors.is_empty() {
                return Either::Left(view! {
                    <p class="muted quiet-note">"No request failed."</p>
                });
            }
            let rows = overview
                .errors
                .iter()
                .map(|error| row(error, overview.totals.errors))
                .collect_view();
            Either::Right(view! {
                <table>
                    <thead>
                        <tr>
                            <th scope="col">"Kind"</th>
                            <th scope="col">"Requests"</th>
                            <th scope="col">"Share"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            })
        })
    };
    view! {
        <section class="card shares errors">
            <h2>"Errors"</h2>
            {content}
        </section>
    }
    .into_any()
}

fn row(error: &ErrorCount, all: u64) -> impl IntoView + use<> {
    let part = error.count as f64 / all.max(1) as f64;
    view! {
        <tr>
            <th scope="row" class="bar bad" style=format!("--part: {:.4}", part.min(1.0))>
                <code>{error.kind.clone()}</code>
            </th>
            <td>{format::exact(error.count)}</td>
            <td>{format::percent(error.count, all)}</td>
        </tr>
    }
}

//! The models or providers with most requests; each row leads to its own figures.

use std::sync::Arc;

use leptos::prelude::*;
use shared::analytics::{Overview, OverviewQuery, Share};

use super::query::overview_href;
use crate::api::Snapshot;
use crate::format;
use crate::frame::use_gateway;

/// Models or providers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShareKind {
    Models,
    Providers,
}

impl ShareKind {
    fn title(self) -> &'static str {
        match self {
            Self::Models => "Top models",
            Self::Providers => "Top providers",
        }
    }

    fn column(self) -> &'static str {
        match self {
            Self::Models => "Model",
            Self::Providers => "Provider",
        }
    }

    fn rows(self, overview: &Overview) -> &[Share] {
        match self {
            Self::Models => &overview.models,
            Self::Providers => &overview.providers,
        }
    }

    /// The page with only this model or provider.
    fn narrowed(self, query: &OverviewQuery, name: &str) -> OverviewQuery {
        let mut query = query.clone();
        match self {
            Self::Models => query.model = Some(name.to_owned()),
            Self::Providers => query.provider = Some(name.to_owned()),
        }
        query
    }
}

#[component]
pub fn Shares(kind: ShareKind, figures: Memo<Arc<Snapshot>>) -> impl IntoView {
    let gateway = use_gateway();
    let simulated = move |name: &str| {
        kind == ShareKind::Providers
            && gateway
                .map(|status| {
                    status
                        .providers
                        .iter()
                        .any(|provider| provider.simulated && provider.name == name)
                })
                .unwrap_or(false)
    };
    let rows = move || {
        figures.with(|figures| {
            let overview = &figures.overview;
            kind.rows(overview)
                .iter()
                .map(|share| row(kind, overview, share, simulated(&share.name)))
                .collect_view()
        })
    };
    view! {
        <section class="card shares">
            <h2>{kind.title()}</h2>
            <table>
                <thead>
                    <tr>
                        <th scope="col">{kind.column()}</th>
                        <th scope="col">"Requests"</th>
                        <th scope="col">"Errors"</th>
                        <th scope="col" class="roomy">
                            "Tokens"
                        </th>
                        <th scope="col" class="roomy">
                            "p95"
                        </th>
                        <th scope="col">"Cost"</th>
                    </tr>
                </thead>
                <tbody>
                    <Transition>{rows}</Transition>
                </tbody>
            </table>
        </section>
    }
    .into_any()
}

fn row(
    kind: ShareKind,
    overview: &Overview,
    share: &Share,
    simulated: bool,
) -> impl IntoView + use<> {
    let totals = &share.totals;
    let part = totals.requests as f64 / overview.totals.requests.max(1) as f64;
    let href = overview_href(&kind.narrowed(&overview.query, &share.name));
    let cost = if totals.cost.0 == 0 && totals.unpriced > 0 {
        format::NONE.to_owned()
    } else {
        format::cost(totals.cost)
    };
    view! {
        <tr>
            <th scope="row" class="bar" style=format!("--part: {:.4}", part.min(1.0))>
                <a href=href title=share.name.clone()>
                    {share.name.clone()}
                </a>
                {simulated.then(|| view! { <span class="tag">"simulated"</span> })}
            </th>
            <td>{format::exact(totals.requests)}</td>
            <td>
                {format::percent(totals.errors, totals.requests)}
            </td>
            <td class="roomy">{format::compact(totals.input_tokens + totals.output_tokens)}</td>
            <td class="roomy">{format::measured_ms(totals.latency.p95_ms)}</td>
            <td>{cost}</td>
        </tr>
    }
}

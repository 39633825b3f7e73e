//! The limits there are, with the fullest count of each.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use shared::policies::PolicyKind;

use super::uses::{LimitUse, uses};
use crate::api::load_limits;
use crate::format;
use crate::forms::{SourceBadge, Used, enabled_pill, loaded, new_link};
use crate::href::Href;
use crate::live::use_live;
use crate::pages::list_path;

/// Limits, or budgets.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
pub struct Limits {
    pub rows: Vec<LimitRow>,
    /// Of these and of keys and projects, the fullest first.
    pub uses: Vec<LimitUse>,
}

/// One limit, in words.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
pub struct LimitRow {
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// `120 requests in 1m`.
    pub what: String,
    pub per: Option<String>,
    pub scope: Option<String>,
    /// Its fullest count.
    pub used: Option<Used>,
    /// Requests since the start, over all counts.
    pub refused: u64,
    pub enabled: bool,
    pub source: SourceBadge,
}

#[component]
pub fn LimitList(kind: PolicyKind) -> impl IntoView {
    let budgets = kind == PolicyKind::Budget;
    let live = use_live();
    let resource = Resource::new(move || live.ticks(), move |_| load_limits(budgets));
    let (title, new) = if budgets {
        ("Quotas and budgets", "New quota or budget")
    } else {
        ("Rate limits", "New rate limit")
    };
    let href = Href::of(list_path(kind)).with("new", "1").into_text();
    view! {
        <section class="card list">
            <header class="card-head">
                <h2>{title}</h2>
                {new_link(href, new)}
            </header>
            {loaded(resource, move |limits: Limits| tables(kind, limits))}
        </section>
    }
    .into_any()
}

fn tables(kind: PolicyKind, limits: Limits) -> AnyView {
    let list = if limits.rows.is_empty() {
        let text = match kind {
            PolicyKind::Budget => {
                "None yet: nobody is kept from spending, but by the limits of keys and projects."
            }
            _ => "None yet: nobody is slowed down, but by the limits of keys and projects.",
        };
        view! { <p class="muted quiet-note">{text}</p> }.into_any()
    } else {
        let rows = limits
            .rows
            .into_iter()
            .map(|limit| row(kind, limit))
            .collect_view();
        view! {
            <div class="table-scroll" tabindex="0" role="region" aria-label="Limits">
                <table>
                    <thead>
                        <tr>
                            <th scope="col">"Name"</th>
                            <th scope="col">"Allowed"</th>
                            <th scope="col">"Applies to"</th>
                            <th scope="col">"Used"</th>
                            <th scope="col" class="number">
                                "Refused"
                            </th>
                            <th scope="col">"State"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        }
        .into_any()
    };
    view! { {list} {uses(limits.uses)} }.into_any()
}

fn row(kind: PolicyKind, limit: LimitRow) -> AnyView {
    let href = Href::of(list_path(kind))
        .with("edit", &limit.name)
        .into_text();
    let used = match limit.used {
        Some(used) => used.show(),
        None => format::NONE.into_any(),
    };
    let description = limit
        .description
        .map(|text| view! { <span class="sub">{text}</span> });
    let per = limit
        .per
        .map(|per| view! { <span class="sub">{per}</span> });
    let class = if limit.enabled { "" } else { "off" };
    view! {
        <tr class=class>
            <th scope="row">
                <div>
                    <a href=href>{limit.name}</a>
                    {description}
                </div>
            </th>
            <td data-label="Allowed">
                <span>{limit.what} {per}</span>
            </td>
            <td data-label="Applies to">
                {limit.scope.unwrap_or_else(|| "every request".to_owned())}
            </td>
            <td data-label="Used">{used}</td>
            <td data-label="Refused" class="number">
                {format::exact(limit.refused)}
            </td>
            <td data-label="State" class="states">
                <span>{enabled_pill(limit.enabled)} " " {limit.source.show()}</span>
            </td>
        </tr>
    }
    .into_any()
}

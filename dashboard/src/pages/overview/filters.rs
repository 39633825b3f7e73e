//! The filters in force, each with a link that lifts it.

use leptos::prelude::*;
use shared::analytics::OverviewQuery;

use super::query::overview_href;

#[component]
pub fn Filters(query: Memo<OverviewQuery>) -> impl IntoView {
    let chips = move || {
        let query = query.get();
        let without_provider = OverviewQuery {
            provider: None,
            ..query.clone()
        };
        let without_model = OverviewQuery {
            model: None,
            ..query.clone()
        };
        [
            ("Provider", query.provider, without_provider),
            ("Model", query.model, without_model),
        ]
        .into_iter()
        .filter_map(|(name, value, without)| Some((name, value?, without)))
        .map(|(name, value, without)| {
            let label = format!("Remove the filter {name} {value}");
            view! {
                <span class="chip">
                    <span class="muted">{name}</span>
                    <strong>{value}</strong>
                    <a href=overview_href(&without) aria-label=label>
                        "×"
                    </a>
                </span>
            }
        })
        .collect_view()
    };
    view! { <div class="chips">{chips}</div> }.into_any()
}

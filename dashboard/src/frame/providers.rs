//! The configured providers; each leads to its own figures.

use leptos::prelude::*;
use shared::analytics::OverviewQuery;
use shared::status::ProviderStatus;

use super::status::use_gateway;
use crate::pages::overview_href;

#[component]
pub fn Providers() -> impl IntoView {
    let gateway = use_gateway();
    view! {
        <section class="side-section" aria-labelledby="side-providers">
            <h2 id="side-providers">"Providers"</h2>
            <Transition>
                <ul class="provider-list">
                    {move || {
                        gateway
                            .map(|status| {
                                status.providers.iter().map(provider).collect_view()
                            })
                    }}
                </ul>
            </Transition>
        </section>
    }
    .into_any()
}

fn provider(provider: &ProviderStatus) -> impl IntoView + use<> {
    let href = overview_href(&OverviewQuery {
        provider: Some(provider.name.clone()),
        ..OverviewQuery::default()
    });
    let tag = match (provider.enabled, provider.simulated) {
        (false, _) => Some("disabled"),
        (true, true) => Some("simulated"),
        (true, false) => None,
    };
    view! {
        <li class:off=!provider.enabled>
            <a href=href title=format!("Kind: {}", provider.kind)>
                <span class="name">{provider.name.clone()}</span>
                {tag.map(|tag| view! { <span class="tag">{tag}</span> })}
            </a>
        </li>
    }
}

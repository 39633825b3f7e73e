//! No requests yet: how to make one.

use leptos::prelude::*;
use shared::analytics::OverviewQuery;
use shared::status::GatewayStatus;

use super::query::overview_href;
use crate::frame::use_gateway;

#[component]
pub fn Empty(query: Memo<OverviewQuery>) -> impl IntoView {
    let filtered = move || query.with(|query| query.provider.is_some() || query.model.is_some());
    let range = move || query.with(|query| query.range.label().to_lowercase());
    view! {
        <section class="card state empty">
            <Show
                when=filtered
                fallback=move || {
                    view! {
                        <h2>"No requests yet"</h2>
                        <p class="muted">
                            "Nothing came in the " {range} ". This line makes a request:"
                        </p>
                        <FirstRequest />
                        <p class="muted">"It shows here within seconds, without a reload."</p>
                    }
                }
            >
                <h2>"Nothing matches"</h2>
                <p class="muted">"No request in the " {range} " passes the filter."</p>
                <p>
                    <a
                        class="button"
                        href=move || {
                            overview_href(
                                &OverviewQuery {
                                    range: query.with(|query| query.range),
                                    ..OverviewQuery::default()
                                },
                            )
                        }
                    >
                        "Show all requests"
                    </a>
                </p>
            </Show>
        </section>
    }
    .into_any()
}

#[component]
fn FirstRequest() -> impl IntoView {
    let gateway = use_gateway();
    view! {
        <Transition>
            <pre class="command" tabindex="0" aria-label="Command">
                <code>{move || gateway.map(curl)}</code>
            </pre>
        </Transition>
    }
    .into_any()
}

/// A command that works as it stands; with client keys it needs one of them.
fn curl(status: &GatewayStatus) -> String {
    let provider = status
        .providers
        .iter()
        .find(|provider| provider.enabled)
        .map(|provider| format!("  -H 'x-llm-provider: {}' \\\n", provider.name))
        .unwrap_or_default();
    let key = if status.open {
        ""
    } else {
        "  -H \"authorization: Bearer $GATEWAY_KEY\" \\\n"
    };
    format!(
        "curl {}/v1/chat/completions \\\n{provider}{key}  -H 'content-type: application/json' \\\n  \
         -d '{{\"model\": \"default\", \"messages\": [{{\"role\": \"user\", \"content\": \"Hello\"}}]}}'",
        status.client_url,
    )
}

//! Where clients reach the gateway, and how long it has been there.

use chrono::Utc;
use leptos::prelude::*;

use super::status::use_gateway;
use crate::format;

#[component]
pub fn Endpoint() -> impl IntoView {
    let gateway = use_gateway();
    view! {
        <Transition>
            <dl class="endpoint">
                {move || {
                    gateway
                        .map(|status| {
                            let started = status.started_at.format("%Y-%m-%d %H:%M:%S UTC").to_string();
                            view! {
                                <div class="address">
                                    <dt>"Endpoint"</dt>
                                    <dd>
                                        <code>{format!("{}/v1", status.client_url)}</code>
                                    </dd>
                                </div>
                                <div>
                                    <dt>"Version"</dt>
                                    <dd>{status.version.clone()}</dd>
                                </div>
                                <div>
                                    <dt>"Up"</dt>
                                    <dd title=format!("Since {started}")>
                                        {format::elapsed((Utc::now() - status.started_at).num_seconds())}
                                    </dd>
                                </div>
                            }
                        })
                }}
            </dl>
        </Transition>
    }
    .into_any()
}

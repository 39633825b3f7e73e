//! Whether anybody may use the gateway.

use leptos::prelude::*;

use crate::frame::use_gateway;

/// Said where keys are made, too: the notice above every page says that it is so, this one what to do.
#[component]
pub fn Open() -> impl IntoView {
    let gateway = use_gateway();
    view! {
        <Transition>
            {move || {
                gateway
                    .map(|status| status.open)
                    .unwrap_or(false)
                    .then(|| {
                        view! {
                            <p class="notice warn">
                                <strong>"No key is needed"</strong>
                                <span>
                                    "From the first key on, every request needs one."
                                </span>
                            </p>
                        }
                    })
            }}
        </Transition>
    }
    .into_any()
}

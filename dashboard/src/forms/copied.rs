//! A text that is there to be copied.

use leptos::prelude::*;

use crate::live::use_live;

/// The text in a field that can be selected without a script, and a button with one.
#[component]
pub fn Copied(id: &'static str, label: &'static str, #[prop(into)] text: String) -> impl IntoView {
    let live = use_live();
    let copied = RwSignal::new(false);
    let value = text.clone();
    view! {
        <div class="copied">
            <label for=id>{label}</label>
            <div class="copied-line">
                <input id=id type="text" readonly=true class="code" value=text spellcheck="false" />
                <button
                    type="button"
                    class="button"
                    disabled=move || !live.is_awake()
                    on:click=move |_| {
                        copy(&value);
                        copied.set(true);
                    }
                >
                    {move || if copied.get() { "Copied" } else { "Copy" }}
                </button>
            </div>
        </div>
    }
    .into_any()
}

/// To the clipboard.
#[cfg(feature = "hydrate")]
fn copy(text: &str) {
    // The promise fails where the browser forbids it; the field can still be selected.
    let _ = window().navigator().clipboard().write_text(text);
}

#[cfg(not(feature = "hydrate"))]
fn copy(_text: &str) {}

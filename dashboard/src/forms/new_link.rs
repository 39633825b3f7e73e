//! The way to a new one, beside the list of all.

use leptos::prelude::*;

use crate::viewer::may_edit;

/// Nothing for those who may not make one.
pub fn new_link(href: String, label: &'static str) -> Option<AnyView> {
    may_edit().then(|| {
        view! {
            <a class="button" href=href>
                {label}
            </a>
        }
        .into_any()
    })
}

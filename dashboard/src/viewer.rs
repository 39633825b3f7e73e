//! Who looks at the page: whoever may not change anything is shown nothing that would.
//!
//! What may be done is the server's to decide, with each request. This is about not offering in vain.

use leptos::prelude::*;
use shared::access::Role;

/// The role of whoever the page is rendered for, as the server put it in context.
#[cfg(feature = "ssr")]
pub fn role() -> Role {
    use_context::<Role>().unwrap_or(Role::Viewer)
}

/// The same in the browser: the document says so.
#[cfg(not(feature = "ssr"))]
pub fn role() -> Role {
    document()
        .document_element()
        .and_then(|html| html.get_attribute("data-role"))
        .and_then(|role| Role::from_name(&role))
        .unwrap_or(Role::Viewer)
}

pub fn may_edit() -> bool {
    role() >= Role::Editor
}

/// Says why nothing can be changed, where it cannot.
#[component]
pub fn ReadOnly() -> impl IntoView {
    (!may_edit()).then(|| {
        view! {
            <p class="notice">
                <strong>"For reading"</strong>
                <span>"Your role is viewer: editors and admins change what is on this page."</span>
            </p>
        }
        .into_any()
    })
}

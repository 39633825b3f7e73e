//! A button that asks once more: it opens to the one that does it. Needs no script.

use leptos::prelude::*;

use crate::viewer::may_edit;

/// A small form of its own, behind a summary; nothing for those who may not.
#[component]
pub fn Confirm(
    /// What is on the outer button: "Delete…".
    label: &'static str,
    /// What happens if one goes on.
    #[prop(into)]
    question: String,
    /// What is on the inner button: "Delete it".
    action: &'static str,
    /// The form's hidden fields: `do` among them.
    fields: Vec<(&'static str, String)>,
    /// More that can be filled in.
    #[prop(optional, into)]
    more: Option<AnyView>,
    /// Whether it is open already: something is wrong with what was filled in.
    #[prop(optional)]
    open: bool,
) -> impl IntoView {
    if !may_edit() {
        return ().into_any();
    }
    let hidden = fields
        .into_iter()
        .map(|(name, value)| view! { <input type="hidden" name=name value=value /> })
        .collect_view();
    view! {
        <details class="confirm" open=open>
            <summary class="button plain">{label}</summary>
            <form method="post" class="confirm-body">
                {hidden}
                <p>{question}</p>
                {more}
                <button class="button danger" type="submit">
                    {action}
                </button>
            </form>
        </details>
    }
    .into_any()
}

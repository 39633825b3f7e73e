//! The page: the prompt for all, those for some, and one that is edited.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use shared::policies::PolicyKind;

use super::fields::card;
use super::list::Prompts;
use crate::forms::{Done, Editing, EditorPage, Refusal, back_link};
use crate::viewer::{ReadOnly, may_edit};

/// The one that most gateways have.
pub const DEFAULT: &str = "default";

#[component]
pub fn PromptPage() -> impl IntoView {
    let query = use_query_map();
    let named = Memo::new(move |_| query.with(|query| query.get("edit")));
    let new = Memo::new(move |_| may_edit() && query.with(|query| query.get("new").is_some()));
    let alone =
        move || new.get() || named.with(|name| name.as_deref().is_some_and(|name| name != DEFAULT));
    let editing = Signal::derive(move || Editing {
        kind: PolicyKind::SystemPrompt,
        name: (!new.get()).then(|| named.get().unwrap_or_else(|| DEFAULT.to_owned())),
        check: None,
    });
    view! {
        <Title text="System prompt" />
        <div class="page">
            <div class="page-head">
                <h1>"System prompt"</h1>
            </div>
            <ReadOnly />
            <Done />
            <Refusal />
            {move || alone().then(|| back_link(PolicyKind::SystemPrompt, "All system prompts"))}
            <EditorPage editing card />
            {move || (!alone()).then(|| view! { <Prompts /> })}
        </div>
    }
    .into_any()
}

//! The page: the rules and the tester, the kinds to choose from, or one rule that is edited.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use shared::policies::PolicyKind;

use super::fields::card;
use super::kinds::Kinds;
use super::list::RuleList;
use super::tester::Tester;
use crate::forms::{Done, Editing, EditorPage, Refusal, back_link};
use crate::viewer::{ReadOnly, may_edit};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum View {
    All,
    /// Which kind of check a new rule gets.
    Kinds,
    One,
}

#[component]
pub fn GuardrailPage() -> impl IntoView {
    let query = use_query_map();
    let named = Memo::new(move |_| query.with(|query| query.get("edit")));
    let check = Memo::new(move |_| {
        query.with(|query| query.get("check").filter(|check| !check.is_empty()))
    });
    let new = Memo::new(move |_| may_edit() && query.with(|query| query.get("new").is_some()));
    let view = Memo::new(move |_| {
        if named.with(Option::is_some) || new.get() && check.with(Option::is_some) {
            View::One
        } else if new.get() {
            View::Kinds
        } else {
            View::All
        }
    });
    let editing = Signal::derive(move || Editing {
        kind: PolicyKind::Guardrail,
        name: named.get(),
        check: check.get(),
    });
    let body = move || match view.get() {
        View::All => view! {
            <RuleList />
            {may_edit().then(|| view! { <Tester /> })}
        }
        .into_any(),
        View::Kinds => view! {
            {back_link(PolicyKind::Guardrail, "All guardrails")}
            <Kinds />
        }
        .into_any(),
        View::One => view! {
            {back_link(PolicyKind::Guardrail, "All guardrails")}
            <EditorPage editing card />
        }
        .into_any(),
    };
    view! {
        <Title text="Guardrails" />
        <div class="page">
            <div class="page-head">
                <h1>"Guardrails"</h1>
            </div>
            <ReadOnly />
            <Done />
            <Refusal />
            {body}
        </div>
    }
    .into_any()
}

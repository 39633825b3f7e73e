//! The page: limits and what is used of them, or one that is edited.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use shared::policies::PolicyKind;

use super::fields::card;
use super::list::LimitList;
use crate::forms::{Done, Editing, EditorPage, Refusal, Tabs, back_link};
use crate::viewer::{ReadOnly, may_edit};

#[component]
pub fn LimitPage() -> impl IntoView {
    let query = use_query_map();
    let kind = Memo::new(move |_| {
        query.with(|query| match query.get("view").as_deref() {
            Some("budgets") => PolicyKind::Budget,
            _ => PolicyKind::Limit,
        })
    });
    let named = Memo::new(move |_| query.with(|query| query.get("edit")));
    let new = Memo::new(move |_| may_edit() && query.with(|query| query.get("new").is_some()));
    let editing = Signal::derive(move || Editing {
        kind: kind.get(),
        name: named.get(),
        check: None,
    });
    let body = move || {
        if new.get() || named.with(Option::is_some) {
            let back = match kind.get() {
                PolicyKind::Budget => "All quotas and budgets",
                _ => "All rate limits",
            };
            view! {
                {back_link(kind.get(), back)}
                <EditorPage editing card />
            }
            .into_any()
        } else {
            view! { <LimitList kind=kind.get() /> }.into_any()
        }
    };
    let tabs = move || {
        let budgets = kind.get() == PolicyKind::Budget;
        view! {
            <Tabs
                label="Kinds of limits"
                tabs=vec![
                    ("/limits", "Rate limits", !budgets),
                    ("/limits?view=budgets", "Quotas and budgets", budgets),
                ]
            />
        }
    };
    view! {
        <Title text="Limits" />
        <div class="page">
            <div class="page-head">
                <h1>"Limits"</h1>
                {tabs}
            </div>
            <ReadOnly />
            <Done />
            <Refusal />
            {body}
        </div>
    }
    .into_any()
}

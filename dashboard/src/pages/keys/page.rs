//! The page: the keys or the projects, or one that is edited.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use shared::policies::PolicyKind;

use super::fields::card;
use super::list::{KeyList, KeysWanted};
use super::open::Open;
use super::secret::Secret;
use crate::forms::{Done, Editing, EditorPage, Outcome, Refusal, Tabs, back_link, use_submission};
use crate::viewer::{ReadOnly, may_edit};

#[component]
pub fn KeyPage() -> impl IntoView {
    let query = use_query_map();
    let submission = use_submission();
    let kind = Memo::new(move |_| {
        query.with(|query| match query.get("view").as_deref() {
            Some("projects") => PolicyKind::Project,
            _ => PolicyKind::Key,
        })
    });
    let named = Memo::new(move |_| query.with(|query| query.get("edit")));
    let new = Memo::new(move |_| may_edit() && query.with(|query| query.get("new").is_some()));
    let wanted = Memo::new(move |_| {
        let query = query.read();
        let named = |name: &str| query.get(name).filter(|value| !value.is_empty());
        KeysWanted {
            project: named("project"),
            text: named("q"),
        }
    });
    let editing = Signal::derive(move || Editing {
        kind: kind.get(),
        name: named.get(),
        check: None,
    });
    let secret = move || {
        submission.get().and_then(|sent| match sent.outcome {
            Outcome::Secret { key, secret } => Some((key, secret)),
            _ => None,
        })
    };
    let body = move || {
        let back = match kind.get() {
            PolicyKind::Project => "All projects",
            _ => "All keys",
        };
        if let Some((key, secret)) = secret() {
            view! {
                <Secret key_name=key secret />
                {back_link(kind.get(), back)}
            }
            .into_any()
        } else if new.get() || named.with(Option::is_some) {
            view! {
                {back_link(kind.get(), back)}
                <EditorPage editing card />
            }
            .into_any()
        } else {
            view! {
                <Open />
                <KeyList kind=kind.get() wanted=wanted.get() />
            }
            .into_any()
        }
    };
    let tabs = move || {
        let projects = kind.get() == PolicyKind::Project;
        view! {
            <Tabs
                label="Keys or projects"
                tabs=vec![("/keys", "Keys", !projects), ("/keys?view=projects", "Projects", projects)]
            />
        }
    };
    view! {
        <Title text="Keys" />
        <div class="page">
            <div class="page-head">
                <h1>"Keys"</h1>
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

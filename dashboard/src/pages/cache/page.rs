//! The page.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use shared::policies::PolicyKind;

use super::entries::{Cached, entries};
use super::fields::card;
use super::figures::figures;
use crate::api::load_cache;
use crate::forms::{Done, Editing, EditorPage, Refusal, loaded};
use crate::viewer::ReadOnly;

/// What is chosen of the answers, as the address says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    pub model: Option<String>,
    pub key: Option<String>,
}

#[component]
pub fn CachePage() -> impl IntoView {
    let query = use_query_map();
    let chosen = Memo::new(move |_| {
        let query = query.read();
        let named = |name: &str| query.get(name).filter(|value| !value.is_empty());
        Chosen {
            model: named("model"),
            key: named("key"),
        }
    });
    // Not refreshed by itself: what one is about to delete must not move.
    let resource = Resource::new(
        move || chosen.get(),
        |chosen| load_cache(chosen.model, chosen.key),
    );
    let editing = Signal::derive(|| Editing {
        kind: PolicyKind::Cache,
        name: Some("cache".to_owned()),
        check: None,
    });
    view! {
        <Title text="Cache" />
        <div class="page">
            <div class="page-head">
                <h1>"Cache"</h1>
            </div>
            <ReadOnly />
            <Done />
            <Refusal />
            {loaded(resource, |cached: Cached| figures(&cached))}
            <EditorPage editing card />
            {loaded(resource, move |cached: Cached| entries(cached, &chosen.get_untracked()))}
        </div>
    }
    .into_any()
}

//! The prompts there are, besides the one for all.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::api::load_prompts;
use crate::forms::{SourceBadge, enabled_pill, loaded, new_link};
use crate::href::Href;

/// One prompt, in words.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
pub struct PromptRow {
    pub name: String,
    /// Its first words.
    pub text: String,
    pub scope: Option<String>,
    pub position: String,
    pub order: i32,
    pub enabled: bool,
    pub source: SourceBadge,
}

pub type PromptRows = Vec<PromptRow>;

#[component]
pub fn Prompts() -> impl IntoView {
    let resource = Resource::new(|| (), |()| load_prompts());
    view! {
        <section class="card list">
            <header class="card-head">
                <h2>"All prompts, in the order in which they are put"</h2>
                {new_link("/system-prompt?new=1".to_owned(), "New prompt")}
            </header>
            {loaded(resource, rows)}
        </section>
    }
    .into_any()
}

fn rows(prompts: PromptRows) -> AnyView {
    if prompts.is_empty() {
        return view! {
            <p class="muted quiet-note">
                "None yet. Besides the one for all there can be prompts for single keys, projects and models."
            </p>
        }
        .into_any();
    }
    let rows = prompts.into_iter().map(row).collect_view();
    view! {
        <div class="table-scroll" tabindex="0" role="region" aria-label="Prompts">
            <table>
                <thead>
                    <tr>
                        <th scope="col">"Name"</th>
                        <th scope="col">"Text"</th>
                        <th scope="col">"Applies to"</th>
                        <th scope="col">"Position"</th>
                        <th scope="col" class="number">
                            "Order"
                        </th>
                        <th scope="col">"State"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn row(prompt: PromptRow) -> AnyView {
    let href = Href::of("/system-prompt")
        .with("edit", &prompt.name)
        .into_text();
    view! {
        <tr>
            <th scope="row">
                <a href=href>{prompt.name}</a>
            </th>
            <td data-label="Text" class="long">{prompt.text}</td>
            <td data-label="Applies to">{prompt.scope.unwrap_or_else(|| "every request".to_owned())}</td>
            <td data-label="Position">{prompt.position}</td>
            <td data-label="Order" class="number">{prompt.order}</td>
            <td data-label="State" class="states"><span>{enabled_pill(prompt.enabled)} " " {prompt.source.show()}</span></td>
        </tr>
    }
    .into_any()
}

//! The answers that are held: forgotten one by one, by model and key, or all.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use shared::policies::CacheStats;

use super::page::Chosen;
use crate::format;
use crate::forms::{Confirm, Field, Form, Values, use_submission};
use crate::viewer::may_edit;

/// What the page shows.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
pub struct Cached {
    pub stats: CacheStats,
    /// What is held in memory: `3.4 MiB`.
    pub size: String,
    pub answers: Vec<CachedAnswer>,
    /// There are more than these.
    pub more: bool,
}

/// One answer, in words.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
pub struct CachedAnswer {
    pub id: String,
    pub model: String,
    pub whose: String,
    pub stored: String,
    pub expires: String,
    pub size: String,
    pub hits: u64,
    pub tokens: u64,
    pub cost: String,
}

pub fn entries(cached: Cached, chosen: &Chosen) -> AnyView {
    let mut values = Values::default();
    values.put("model", chosen.model.clone().unwrap_or_default());
    values.put("key", chosen.key.clone().unwrap_or_default());
    let form = Form::new("filter", values, use_submission());
    let filtered = chosen.model.is_some() || chosen.key.is_some();
    let every = (!filtered).then(|| clear("Clear all…", "Forget every answer?".to_owned(), chosen));
    let some = filtered.then(|| {
        let what = [
            chosen
                .model
                .as_ref()
                .map(|model| format!("of the model {model}")),
            chosen.key.as_ref().map(|key| format!("of the key {key}")),
        ];
        let what: Vec<_> = what.into_iter().flatten().collect();
        let question = format!("Forget the answers {}?", what.join(" and "));
        clear("Clear these…", question, chosen)
    });
    let lift = filtered.then(|| {
        view! {
            <a class="button plain" href="/cache">
                "Show all"
            </a>
        }
    });
    let table = table(cached.answers, filtered);
    let more = cached.more.then(|| {
        view! {
            <p class="muted quiet-note">"There are more: these are the latest. Choose a model or a key to see others."</p>
        }
    });
    view! {
        <section class="card list" aria-labelledby="entries-title">
            <header class="card-head">
                <h2 id="entries-title">"Answers"</h2>
                <div class="end">{every} {some}</div>
            </header>
            <form method="get" action="/cache" class="filter-form">
                {Field::line("model", "Model").placeholder("every model").show(&form)}
                {Field::line("key", "Key").placeholder("every key").show(&form)}
                <button class="button plain" type="submit">
                    "Show"
                </button>
                {lift}
            </form>
            {table}
            {more}
        </section>
    }
    .into_any()
}

fn clear(label: &'static str, question: String, chosen: &Chosen) -> AnyView {
    let fields = vec![
        ("do", "clear".to_owned()),
        ("model", chosen.model.clone().unwrap_or_default()),
        ("key", chosen.key.clone().unwrap_or_default()),
    ];
    view! { <Confirm label question action="Clear" fields /> }.into_any()
}

fn table(answers: Vec<CachedAnswer>, filtered: bool) -> AnyView {
    if answers.is_empty() {
        let text = if filtered {
            "No answer of these is held."
        } else {
            "The cache holds no answer. A complete, successful reply gets in when it is on."
        };
        return view! { <p class="muted quiet-note">{text}</p> }.into_any();
    }
    let rows = answers.into_iter().map(row).collect_view();
    view! {
        <div class="table-scroll" tabindex="0" role="region" aria-label="Answers held">
            <table>
                <thead>
                    <tr>
                        <th scope="col">"Model"</th>
                        <th scope="col">"For"</th>
                        <th scope="col">"Stored"</th>
                        <th scope="col">"Good until"</th>
                        <th scope="col" class="number">
                            "Hits"
                        </th>
                        <th scope="col" class="number">
                            "Tokens"
                        </th>
                        <th scope="col" class="number">
                            "Saves"
                        </th>
                        <th scope="col" class="number">
                            "Size"
                        </th>
                        {may_edit()
                            .then(|| {
                                view! {
                                    <th scope="col">
                                        <span class="visually-hidden">"Forget"</span>
                                    </th>
                                }
                            })}
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn row(answer: CachedAnswer) -> AnyView {
    let short: String = answer.id.chars().take(8).collect();
    let forget = may_edit().then(|| {
        view! {
            <td class="end">
                <form method="post">
                    <input type="hidden" name="id" value=answer.id />
                    <button class="quiet" type="submit" name="do" value="forget">
                        "Forget"
                        <span class="visually-hidden">{format!(" {short}, {}", answer.model)}</span>
                    </button>
                </form>
            </td>
        }
    });
    view! {
        <tr>
            <th scope="row">
                {answer.model.clone()} <span class="sub">
                    <code>{short.clone()}</code>
                </span>
            </th>
            <td data-label="For">{answer.whose}</td>
            <td data-label="Stored" class="nowrap">
                {answer.stored}
            </td>
            <td data-label="Good until" class="nowrap">
                {answer.expires}
            </td>
            <td data-label="Hits" class="number">
                {format::exact(answer.hits)}
            </td>
            <td data-label="Tokens" class="number">
                {format::exact(answer.tokens)}
            </td>
            <td data-label="Saves" class="number">
                {answer.cost}
            </td>
            <td data-label="Size" class="number">
                {answer.size}
            </td>
            {forget}
        </tr>
    }
    .into_any()
}

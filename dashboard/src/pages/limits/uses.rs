//! What is used just now, count by count: those of keys and projects too.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::format;
use crate::forms::Used;

/// One count.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
pub struct LimitUse {
    /// The limit's name, or `key NAME`, `project NAME`.
    pub limit: String,
    /// What is counted; `None`: all.
    pub subject: Option<String>,
    pub used: Used,
    pub refused: u64,
}

pub fn uses(uses: Vec<LimitUse>) -> AnyView {
    if uses.is_empty() {
        return view! {
            <p class="muted quiet-note">"Nothing is counted just now."</p>
        }
        .into_any();
    }
    let rows = uses.into_iter().map(row).collect_view();
    view! {
        <header class="card-head">
            <h2>"In use, the fullest first"</h2>
        </header>
        <div class="table-scroll" tabindex="0" role="region" aria-label="In use">
            <table>
                <thead>
                    <tr>
                        <th scope="col">"Limit"</th>
                        <th scope="col">"Counted for"</th>
                        <th scope="col">"Used"</th>
                        <th scope="col" class="number">
                            "Refused"
                        </th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn row(one: LimitUse) -> AnyView {
    view! {
        <tr>
            <th scope="row">{one.limit}</th>
            <td data-label="Counted for">{one.subject.unwrap_or_else(|| "all".to_owned())}</td>
            <td data-label="Used">{one.used.show()}</td>
            <td data-label="Refused" class="number">
                {format::exact(one.refused)}
            </td>
        </tr>
    }
    .into_any()
}

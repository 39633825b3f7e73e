//! The rules, in the order in which they act.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::api::load_guardrails;
use crate::format;
use crate::forms::{SourceBadge, enabled_pill, loaded, new_link};
use crate::href::Href;
use crate::live::use_live;
use crate::viewer::may_edit;

/// One rule, in words.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
pub struct RuleRow {
    pub name: String,
    pub order: i32,
    pub check: String,
    pub action: String,
    pub side: String,
    pub scope: Option<String>,
    pub shadow: bool,
    pub enabled: bool,
    pub flagged: u64,
    pub changed: u64,
    pub blocked: u64,
    pub failed: u64,
    pub source: SourceBadge,
    pub version: u64,
}

pub type Rules = Vec<RuleRow>;

#[component]
pub fn RuleList() -> impl IntoView {
    let live = use_live();
    let resource = Resource::new(move || live.ticks(), |_| load_guardrails());
    view! {
        <section class="card list">
            <header class="card-head">
                <h2>"Rules, in the order in which they act"</h2>
                {new_link("/guardrails?new=1".to_owned(), "New guardrail")}
            </header>
            {loaded(resource, rows)}
        </section>
    }
    .into_any()
}

fn rows(rules: Rules) -> AnyView {
    if rules.is_empty() {
        return view! {
            <p class="muted quiet-note">"None yet: requests and replies pass as they are."</p>
        }
        .into_any();
    }
    let rows = rules.into_iter().map(row).collect_view();
    view! {
        <div class="table-scroll" tabindex="0" role="region" aria-label="Guardrails">
            <table>
                <thead>
                    <tr>
                        <th scope="col">"Name"</th>
                        <th scope="col" class="number">
                            "Order"
                        </th>
                        <th scope="col">"Looks for"</th>
                        <th scope="col">"Action"</th>
                        <th scope="col">"Side"</th>
                        <th scope="col">"Applies to"</th>
                        <th scope="col">"Triggered"</th>
                        <th scope="col">"State"</th>
                        {may_edit()
                            .then(|| {
                                view! {
                                    <th scope="col">
                                        <span class="visually-hidden">"Switch"</span>
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

fn row(rule: RuleRow) -> AnyView {
    let href = Href::of("/guardrails").with("edit", &rule.name).into_text();
    let counts = triggered(&rule);
    let (action, label) = if rule.enabled {
        ("disable", "Disable")
    } else {
        ("enable", "Enable")
    };
    let shadow = rule
        .shadow
        .then(|| view! { <span class="tag">"shadow"</span> });
    let class = if rule.enabled { "" } else { "off" };
    let switch = (rule.source != SourceBadge::Deleted && may_edit()).then(|| {
        view! {
            <form method="post">
                <input type="hidden" name="kind" value="guardrail" />
                <input type="hidden" name="name" value=rule.name.clone() />
                <input type="hidden" name="seen" value=rule.version.to_string() />
                <button class="quiet" type="submit" name="do" value=action>
                    {label}
                    <span class="visually-hidden">{format!(" {}", rule.name)}</span>
                </button>
            </form>
        }
    });
    view! {
        <tr class=class>
            <th scope="row">
                <a href=href>{rule.name.clone()}</a>
            </th>
            <td data-label="Order" class="number">
                {rule.order}
            </td>
            <td data-label="Looks for" class="long">
                {rule.check}
            </td>
            <td data-label="Action">
                <span>{rule.action} " " {shadow}</span>
            </td>
            <td data-label="Side">{rule.side}</td>
            <td data-label="Applies to">
                {rule.scope.unwrap_or_else(|| "every request".to_owned())}
            </td>
            <td data-label="Triggered">{counts}</td>
            <td data-label="State" class="states">
                <span>{enabled_pill(rule.enabled)} " " {rule.source.show()}</span>
            </td>
            {may_edit().then(|| view! { <td class="end">{switch}</td> })}
        </tr>
    }
    .into_any()
}

/// `12 blocked, 3 changed`.
fn triggered(rule: &RuleRow) -> String {
    let counts: Vec<_> = [
        (rule.blocked, "blocked"),
        (rule.changed, "changed"),
        (rule.flagged, "flagged"),
        (rule.failed, "failed"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{} {what}", format::exact(count)))
    .collect();
    if counts.is_empty() {
        return "never".to_owned();
    }
    counts.join(", ")
}

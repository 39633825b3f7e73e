//! What a policy was, with a way back.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::viewer::may_edit;

/// One version, in words.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub struct Version {
    pub number: u64,
    pub at: String,
    pub by: String,
    pub reason: Option<String>,
    /// What it was: a text, or JSON. `None`: deleted or reset.
    pub value: Option<String>,
    /// In a few words: `deleted`, `60 requests in 1m`.
    pub what: String,
    pub in_force: bool,
}

/// The versions of a policy, the latest first.
#[component]
pub fn Versions(
    /// `None`: they could not be read.
    versions: Option<Vec<Version>>,
    /// What its forms have: kind, name, version seen.
    hidden: Vec<(&'static str, String)>,
    /// Whether an earlier one can be put in force again.
    restorable: bool,
) -> impl IntoView {
    let Some(versions) = versions else {
        return view! {
            <p class="muted quiet-note">"They cannot be read: the database does not answer."</p>
        }
        .into_any();
    };
    if versions.is_empty() {
        return view! {
            <p class="muted quiet-note">"Never edited: it is as the configuration has it, or new."</p>
        }
        .into_any();
    }
    let rows = versions
        .into_iter()
        .map(|version| row(version, &hidden, restorable))
        .collect_view();
    view! {
        <ol class="versions">{rows}</ol>
    }
    .into_any()
}

fn row(version: Version, hidden: &[(&'static str, String)], restorable: bool) -> AnyView {
    let number = version.number;
    let hidden = hidden
        .iter()
        .map(|(name, value)| view! { <input type="hidden" name=*name value=value.clone() /> })
        .collect_view();
    let restore =
        (restorable && version.value.is_some() && !version.in_force && may_edit()).then(|| {
            view! {
                <form method="post">
                    {hidden}
                    <input type="hidden" name="version" value=number.to_string() />
                    <button class="quiet" type="submit" name="do" value="restore">
                        "Restore"
                        <span class="visually-hidden">{format!(" version {number}")}</span>
                    </button>
                </form>
            }
        });
    let in_force = version
        .in_force
        .then(|| view! { <span class="pill good">"in force"</span> });
    let value = version.value.map(|value| {
        view! {
            <details>
                <summary>
                    "Show"
                    <span class="visually-hidden">{format!(" version {number}")}</span>
                </summary>
                <pre tabindex="0">{value}</pre>
            </details>
        }
    });
    let reason = version
        .reason
        .map(|reason| view! { <span class="version-reason">"“" {reason} "”"</span> });
    view! {
        <li>
            <div class="version-head">
                <strong>{format!("Version {number}")}</strong>
                {in_force}
                <span class="muted">{version.at} " by " {version.by}</span>
                {restore}
            </div>
            <p>{version.what} " " {reason}</p>
            {value}
        </li>
    }
    .into_any()
}

//! The keys, or the projects.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use shared::policies::PolicyKind;

use crate::api::load_keys;
use crate::format;
use crate::forms::{Field, Form, SourceBadge, Used, Values, loaded, new_link, use_submission};
use crate::href::Href;
use crate::live::use_live;
use crate::pages::list_path;

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
pub struct Keys {
    pub rows: Vec<KeyRow>,
    /// How many were found; the first of them are shown.
    pub found: usize,
    pub all: usize,
}

/// What is looked for, as the address says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeysWanted {
    pub project: Option<String>,
    /// In name, owner, project, tags or prefix.
    pub text: Option<String>,
}

/// One key or project, in words.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
pub struct KeyRow {
    pub name: String,
    /// A key's owner, a project's description.
    pub about: Option<String>,
    pub tags: Vec<String>,
    pub project: Option<String>,
    pub prefixes: Vec<String>,
    pub expires: Option<String>,
    /// What it may do, and how much.
    pub limits: Vec<String>,
    /// The fullest of its counts.
    pub used: Option<Used>,
    /// `on`, `disabled`, `expired`.
    pub state: String,
    pub source: SourceBadge,
}

#[component]
pub fn KeyList(kind: PolicyKind, wanted: KeysWanted) -> impl IntoView {
    let live = use_live();
    let projects = kind == PolicyKind::Project;
    let (title, new) = if projects {
        ("Projects", "New project")
    } else {
        ("Client keys", "New key")
    };
    let chip = wanted.project.clone().map(|name| {
        view! {
            <span class="chip">
                <span class="muted">"Project"</span>
                <strong>{name}</strong>
                <a href="/keys" aria-label="Remove the filter Project">
                    "×"
                </a>
            </span>
        }
    });
    let resource = Resource::new(
        {
            let wanted = wanted.clone();
            move || (live.ticks(), wanted.clone())
        },
        move |(_, wanted)| load_keys(projects, wanted.project, wanted.text),
    );
    let search = (!projects).then(|| search(&wanted));
    let href = Href::of(list_path(kind)).with("new", "1").into_text();
    view! {
        <section class="card list">
            <header class="card-head">
                <h2>{title}</h2>
                {chip}
                {new_link(href, new)}
            </header>
            {search}
            {loaded(resource, move |keys: Keys| table(kind, keys))}
        </section>
    }
    .into_any()
}

fn table(kind: PolicyKind, keys: Keys) -> AnyView {
    let projects = kind == PolicyKind::Project;
    if keys.rows.is_empty() {
        let text = match (projects, keys.all > 0) {
            (true, _) => "No projects: they group keys that share limits.",
            (false, true) => "No such key.",
            (false, false) => {
                "No keys yet. With the first one, the gateway lets in nobody without a key."
            }
        };
        return view! { <p class="muted quiet-note">{text}</p> }.into_any();
    }
    let more = (keys.found > keys.rows.len()).then(|| {
        let text = format!(
            "The first {} of {} are shown: look for the others.",
            keys.rows.len(),
            format::exact(keys.found as u64)
        );
        view! { <p class="muted quiet-note">{text}</p> }
    });
    let rows = keys
        .rows
        .into_iter()
        .map(|key| row(kind, key))
        .collect_view();
    let columns = if projects {
        vec!["Name", "Limits", "Used", "State"]
    } else {
        vec![
            "Name", "Secret", "Project", "Limits", "Used", "Expires", "State",
        ]
    };
    let columns = columns
        .into_iter()
        .map(|name| view! { <th scope="col">{name}</th> })
        .collect_view();
    view! {
        <div class="table-scroll" tabindex="0" role="region" aria-label="Keys">
            <table>
                <thead>
                    <tr>{columns}</tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        {more}
    }
    .into_any()
}

/// Looks for keys: the address says what for.
fn search(wanted: &KeysWanted) -> AnyView {
    let mut values = Values::default();
    values.put("q", wanted.text.clone().unwrap_or_default());
    let form = Form::new("search", values, use_submission());
    let project = wanted
        .project
        .clone()
        .map(|project| view! { <input type="hidden" name="project" value=project /> });
    view! {
        <form method="get" action="/keys" class="filter-form" role="search">
            {project}
            {Field::line("q", "Name, owner, project, tag or prefix").show(&form)}
            <button class="button plain" type="submit">
                "Find"
            </button>
        </form>
    }
    .into_any()
}

fn row(kind: PolicyKind, key: KeyRow) -> AnyView {
    let projects = kind == PolicyKind::Project;
    let href = Href::of(list_path(kind))
        .with("edit", &key.name)
        .into_text();
    let about = key
        .about
        .map(|about| view! { <span class="sub">{about}</span> });
    let tags = key
        .tags
        .into_iter()
        .map(|tag| view! { <span class="tag">{tag}</span> " " })
        .collect_view();
    let limits = if key.limits.is_empty() {
        "none".into_any()
    } else {
        let lines = key
            .limits
            .into_iter()
            .map(|line| view! { <span class="line">{line}</span> })
            .collect_view();
        view! { <div>{lines}</div> }.into_any()
    };
    let used = match key.used {
        Some(used) => used.show(),
        None => format::NONE.into_any(),
    };
    let pill = match key.state.as_str() {
        "on" => "pill good",
        "expired" => "pill warn",
        _ => "pill",
    };
    let class = if key.state == "on" { "" } else { "off" };
    let of_keys = (!projects).then(|| {
        let secrets = if key.prefixes.is_empty() {
            format::NONE.into_any()
        } else {
            let secrets = key
                .prefixes
                .into_iter()
                .map(|prefix| view! { <code class="line">{format!("{}…", prefix.trim_end_matches('…'))}</code> })
                .collect_view();
            view! { <div>{secrets}</div> }.into_any()
        };
        let project = match key.project {
            Some(project) => {
                let href = Href::of("/keys").with("project", &project).into_text();
                view! { <a href=href>{project}</a> }.into_any()
            }
            None => format::NONE.into_any(),
        };
        view! {
            <td data-label="Secret">{secrets}</td>
            <td data-label="Project">{project}</td>
        }
    });
    let expires = (!projects).then(|| {
        view! {
            <td data-label="Expires">{key.expires.unwrap_or_else(|| "never".to_owned())}</td>
        }
    });
    view! {
        <tr class=class>
            <th scope="row">
                <div>
                    <a href=href>{key.name}</a>
                    " "
                    {tags}
                    {about}
                </div>
            </th>
            {of_keys}
            <td data-label="Limits">{limits}</td>
            <td data-label="Used">{used}</td>
            {expires}
            <td data-label="State" class="states">
                <span>
                    <span class=pill>{key.state}</span>
                    " "
                    {key.source.show()}
                </span>
            </td>
        </tr>
    }
    .into_any()
}

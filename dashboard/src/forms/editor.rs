//! The page on which one policy is edited: its fields, its versions, and what else can be done with it.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use shared::policies::PolicyKind;

use super::{Confirm, Form, SourceBadge, Submission, Values, Version, Versions, use_submission};
use crate::api::load_editor;
use crate::forms::loaded;
use crate::href::Href;
use crate::pages::list_path;
use crate::viewer::may_edit;

/// A policy as it is edited.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
pub struct Editor {
    pub kind: PolicyKind,
    /// `None`: a new one.
    pub name: Option<String>,
    /// Whether it is in force: a deleted one has versions still.
    pub exists: bool,
    pub values: Values,
    pub source: Option<SourceBadge>,
    /// The version that the form is about.
    pub seen: u64,
    /// When and by whom it was changed.
    pub changed: Option<String>,
    /// What the configuration says, where an edit holds instead.
    pub in_file: Option<InFile>,
    /// `None`: they could not be read.
    pub versions: Option<Vec<Version>>,
    /// What can be chosen.
    pub projects: Vec<String>,
    /// What the secrets of a key begin with, and until when they are taken.
    pub prefixes: Vec<String>,
}

impl Editor {
    /// The hidden fields of the small forms beside the large one.
    pub fn hidden(&self, action: &'static str) -> Vec<(&'static str, String)> {
        let mut hidden = self.hidden_fields();
        hidden.push(("do", action.to_owned()));
        hidden
    }

    fn hidden_fields(&self) -> Vec<(&'static str, String)> {
        let mut hidden = vec![
            ("kind", self.kind.as_str().to_owned()),
            ("name", self.name.clone().unwrap_or_default()),
        ];
        hidden.push(("seen", self.seen.to_string()));
        if !self.exists {
            hidden.push(("new", "on".to_owned()));
        }
        hidden
    }

    /// Those of the large form. One that was sent stays about what its editor has seen then.
    fn hidden_of(&self, form: &Form) -> Vec<(&'static str, String)> {
        if !form.values.has("seen") {
            return self.hidden_fields();
        }
        ["kind", "name", "seen", "new"]
            .into_iter()
            .filter(|name| form.values.has(name))
            .map(|name| (name, form.value(name)))
            .collect()
    }

    /// Whether it is a deleted key: its secrets went with it, and nothing brings them back but the configuration.
    pub fn is_lost(&self) -> bool {
        let deleted = !self.exists || self.source == Some(SourceBadge::Deleted);
        self.kind == PolicyKind::Key && self.name.is_some() && deleted
    }

    /// Where it is edited.
    fn href(&self) -> Option<String> {
        let name = self.name.as_ref()?;
        let href = Href::of(list_path(self.kind));
        Some(match self.kind {
            PolicyKind::Cache => href.into_text(),
            _ => href.with("edit", name).into_text(),
        })
    }
}

/// What the configuration says of a policy.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub struct InFile {
    /// In a line.
    pub what: String,
    /// All of it: a text, or JSON.
    pub value: String,
}

impl InFile {
    fn show(self, kind: PolicyKind) -> AnyView {
        view! {
            <div class="notice in-file">
                <strong>"The configuration says"</strong>
                <span>{self.what}</span>
                // Of a prompt the text is what matters.
                <details open=kind == PolicyKind::SystemPrompt>
                    <summary>"Show all of it"</summary>
                    <pre tabindex="0">{self.value}</pre>
                </details>
            </div>
        }
        .into_any()
    }
}

/// What to edit, as the address says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Editing {
    pub kind: PolicyKind,
    pub name: Option<String>,
    /// The kind of check of a guardrail.
    pub check: Option<String>,
}

/// Loads what is edited, once, and shows it with `card`.
#[component]
pub fn EditorPage(
    #[prop(into)] editing: Signal<Editing>,
    /// Makes the form of it.
    card: fn(Editor, Submission) -> AnyView,
) -> impl IntoView {
    let submission = use_submission();
    let resource = Resource::new(
        move || editing.get(),
        |editing| load_editor(editing.kind, editing.name, editing.check),
    );
    let show = move |editor: Editor| {
        // Another policy gets other elements: what was typed into these belongs to the last one.
        view! {
            <For
                each=move || [editor.clone()]
                key=|editor| (editor.kind, editor.name.clone(), editor.values.get("check.kind").to_owned())
                children=move |editor| card(editor, submission)
            />
        }
        .into_any()
    };
    loaded(resource, show)
}

/// The large form with its buttons; below it `more`, and the versions.
pub fn editor_card(editor: &Editor, form: &Form, fields: AnyView, more: AnyView) -> AnyView {
    let label = editor.kind.label();
    let title = match &editor.name {
        None => format!("New {label}"),
        Some(_) if editor.kind == PolicyKind::Cache => "Settings".to_owned(),
        Some(name) => name.clone(),
    };
    let badge = editor.source.map(SourceBadge::show);
    let changed = editor.changed.clone().map(|changed| {
        view! { <span class="muted">{changed}</span> }
    });
    let naming = match &editor.name {
        None => view! {
            <input type="hidden" name="kind" value=editor.kind.as_str() />
            <input type="hidden" name="new" value="on" />
            {super::Field::line("name", "Name")
                .hint("Letters, digits, dots, dashes, underscores")
                .show(form)}
        }
        .into_any(),
        Some(_) => hidden_inputs(editor.hidden_of(form)),
    };
    let in_file = editor.in_file.clone();
    let in_file = in_file.map(|in_file| in_file.show(editor.kind));
    let versions = editor.name.is_some().then(|| {
        view! {
            <section class="card versions-card">
                <h2>"Versions"</h2>
                <Versions
                    versions=editor.versions.clone()
                    hidden=editor.hidden_fields()
                    restorable=!editor.is_lost()
                />
            </section>
        }
    });
    let lost = editor.is_lost().then(|| {
        let text = match editor.exists {
            true => "Its secrets are not taken. Reset it, and the configuration’s is.",
            false => "Its secrets went with it. Another key may have its name.",
        };
        view! {
            <p class="notice">
                <strong>"Deleted"</strong>
                <span>{text}</span>
            </p>
        }
    });
    let body = match may_edit() && !editor.is_lost() {
        true => view! {
            <form method="post" class="form">
                <input type="hidden" name="form" value=form.id />
                // What the enter key presses: the first button of a form.
                <button
                    class="visually-hidden"
                    type="submit"
                    name="do"
                    value="save"
                    tabindex="-1"
                    aria-hidden="true"
                ></button>
                {in_file}
                <div class="fields">
                    {naming} {fields}
                    {super::Field::line("reason", "Reason")
                        .hint("For those who read the versions; may be empty")
                        .wide()
                        .show(form)}
                </div>
                {save_over(editor, form)}
                <div class="form-buttons">
                    <button class="button" type="submit" name="do" value="save">
                        {if editor.name.is_some() { "Save" } else { "Create" }}
                    </button>
                    <a class="button plain" href=list_path(editor.kind)>
                        "Cancel"
                    </a>
                </div>
            </form>
        }
        .into_any(),
        // As it is, and nothing to send.
        false => view! {
            <div class="form">
                {lost} {in_file}
                <fieldset class="as-it-is" disabled>
                    <legend class="visually-hidden">{format!("The {label}, for reading")}</legend>
                    <div class="fields">{fields}</div>
                </fieldset>
            </div>
        }
        .into_any(),
    };
    view! {
        <section class="card editor" aria-labelledby=form.element_id("title")>
            <header class="card-head">
                <h2 id=form.element_id("title")>{title}</h2>
                {badge}
                {changed}
            </header>
            {body}
            {editor_foot(editor)}
        </section>
        {more}
        {versions}
    }
    .into_any()
}

/// Where somebody else was quicker: what is in force, and that it is to be replaced all the same.
fn save_over(editor: &Editor, form: &Form) -> Option<AnyView> {
    let conflict = form.conflict.as_ref()?;
    let over = conflict.over?;
    let label = match conflict.deleted {
        true => "Make it again as it is here",
        false => "Save over it: what is in force now is replaced",
    };
    let look = editor.href().filter(|_| !conflict.deleted).map(|href| {
        view! {
            <a href=href target="_blank" rel="external noopener">
                "Look at what is in force (opens another tab)"
            </a>
        }
    });
    Some(
        view! {
            <div class="notice warn save-over">
                <label class="tick">
                    <input type="checkbox" name="over" value=over.to_string() />
                    <span>{label}</span>
                </label>
                {look}
            </div>
        }
        .into_any(),
    )
}

/// Taking it out of force, and taking the edits back.
fn editor_foot(editor: &Editor) -> Option<AnyView> {
    if !editor.exists || !may_edit() {
        return None;
    }
    let name = editor.name.clone().unwrap_or_default();
    let label = editor.kind.label();
    let deleted = editor.source == Some(SourceBadge::Deleted);
    let reset = (deleted || editor.source == Some(SourceBadge::EditedOverFile)).then(|| {
        view! {
            <Confirm
                label="Reset…"
                question=format!("Take all edits of the {label} {name} back? What the configuration says holds again.")
                action="Reset it"
                fields=editor.hidden("reset")
            />
        }
    });
    let delete = (editor.kind != PolicyKind::Cache && !deleted).then(|| {
        view! {
            <Confirm
                label="Delete…"
                question=format!("Delete the {label} {name}? It ends with the next request.")
                action="Delete it"
                fields=editor.hidden("delete")
            />
        }
    });
    Some(
        view! {
            <footer class="editor-foot">{reset} {delete}</footer>
        }
        .into_any(),
    )
}

fn hidden_inputs(fields: Vec<(&'static str, String)>) -> AnyView {
    fields
        .into_iter()
        .map(|(name, value)| view! { <input type="hidden" name=name value=value /> })
        .collect_view()
        .into_any()
}

/// The way back from what is edited to all of its kind.
pub fn back_link(kind: PolicyKind, text: &'static str) -> AnyView {
    view! {
        <a class="back" href=Href::of(list_path(kind)).into_text()>
            <span aria-hidden="true">"← "</span>
            {text}
        </a>
    }
    .into_any()
}

//! The form of one key or project, and what else is done with a key.

use leptos::prelude::*;
use shared::policies::PolicyKind;

use crate::forms::{
    Confirm, Editor, Field, Form, Rows, Submission, allowance_fields, editor_card, rate_fields,
};

pub const RATES: Rows = Rows {
    list: "rates",
    title: "Rate limits of its own",
    hint: "Those of the project and of the page Limits hold as well: the stricter one wins.",
    one: "rate limit",
    add: "Add a rate limit",
    plain: &["requests", "tokens", "window_seconds"],
    fields: rate_fields,
};

pub const ALLOWANCES: Rows = Rows {
    list: "allowances",
    title: "Quotas and budgets of its own",
    hint: "Money is held back before a call, at the most that it may cost, and settled after it.",
    one: "quota or budget",
    add: "Add a quota or budget",
    plain: &["cost_nanos", "requests", "tokens"],
    fields: allowance_fields,
};

pub fn card(editor: Editor, submission: Submission) -> AnyView {
    let is_key = editor.kind == PolicyKind::Key;
    let form = Form::new(
        if is_key { "key" } else { "project" },
        editor.values.clone(),
        submission,
    );
    let first = if is_key {
        key_fields(&editor, &form)
    } else {
        Field::line("description", "Description").wide().show(&form)
    };
    let fields = view! {
        {first}
        {Field::line("models", "Models it may ask for")
            .placeholder("every model")
            .hint("Separated by commas; * stands for any characters")
            .show(&form)}
        {Field::line("providers", "Providers that may answer")
            .placeholder("every provider")
            .hint("Separated by commas")
            .show(&form)}
        {Field::tick("enabled", "Enabled").show(&form)}
        {RATES.show(&form)}
        {ALLOWANCES.show(&form)}
    }
    .into_any();
    let secrets = (is_key && editor.exists && !editor.is_lost()).then(|| secrets(&editor));
    editor_card(&editor, &form, fields, secrets.into_any())
}

fn key_fields(editor: &Editor, form: &Form) -> AnyView {
    let chosen = form.value("project");
    let mut projects = vec![(String::new(), "None".to_owned())];
    projects.extend(
        editor
            .projects
            .iter()
            .cloned()
            .map(|name| (name.clone(), name)),
    );
    if !projects.iter().any(|(name, _)| *name == chosen) {
        projects.push((chosen.clone(), chosen));
    }
    view! {
        {Field::line("owner", "Owner").show(form)}
        {Field::choice("project", "Project", projects).show(form)}
        {Field::line("tags", "Tags").hint("Separated by commas").show(form)}
        {Field::moment("expires_at", "Expires").hint("UTC; empty: never").show(form)}
    }
    .into_any()
}

/// What its secrets begin with, and another one for it.
fn secrets(editor: &Editor) -> AnyView {
    let prefixes = editor
        .prefixes
        .iter()
        .cloned()
        .map(|prefix| {
            view! {
                <li>
                    <code>{prefix}</code>
                </li>
            }
        })
        .collect_view();
    let mut values = crate::forms::Values::default();
    values.put("grace_seconds", "1h");
    let form = Form::new("rotation", values, crate::forms::use_submission());
    let mut fields = editor.hidden("rotate");
    fields.push(("form", "rotation".to_owned()));
    let grace = Field::line("grace_seconds", "The old secret is taken for another")
        .hint("1h, 7d; 0: it ends at once")
        .show(&form);
    let open = form.tells_of("grace_seconds");
    let switch = if editor.values.has("enabled") {
        view! {
            <Confirm
                label="Revoke…"
                question="Nobody gets in with it from the next request on, until it is enabled again."
                action="Revoke it"
                fields=editor.hidden("disable")
            />
        }
        .into_any()
    } else {
        view! {
            <Confirm
                label="Enable…"
                question="Its secrets are taken again from the next request on."
                action="Enable it"
                fields=editor.hidden("enable")
            />
        }
        .into_any()
    };
    view! {
        <section class="card" aria-labelledby="secrets-title">
            <header class="card-head">
                <h2 id="secrets-title">"Secrets"</h2>
            </header>
            <div class="form">
                <ul class="secrets">{prefixes}</ul>
                <div class="form-buttons">
                    <Confirm
                        label="Rotate…"
                        question="Makes another secret, which is shown once."
                        action="Rotate it"
                        fields
                        more=grace
                        open
                    />
                    {switch}
                </div>
            </div>
        </section>
    }
    .into_any()
}

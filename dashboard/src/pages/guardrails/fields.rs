//! The form of one rule, with a text to try it on.

use leptos::prelude::*;

use super::check_fields::check_fields;
use super::kinds::{KINDS, title};
use super::report::report;
use crate::forms::{Editor, Field, Form, Outcome, Submission, editor_card, selector_fields};
use crate::href::Href;
use crate::viewer::may_edit;

pub const ACTIONS: [(&str, &str); 6] = [
    ("block", "Block: refuse, or decline with a text"),
    ("redact", "Redact what was found"),
    ("replace", "Replace what was found"),
    ("truncate", "Truncate what is too long"),
    ("append", "Append what is missing"),
    ("flag", "Flag only: record and count"),
];

pub const SIDES: [(&str, &str); 3] = [
    ("both", "Requests and replies"),
    ("request", "Requests"),
    ("reply", "Replies"),
];

pub fn card(editor: Editor, submission: Submission) -> AnyView {
    let form = Form::new("guardrail", editor.values.clone(), submission);
    let kind = form.value("check.kind");
    let fields = view! {
        <input type="hidden" name="check.kind" value=kind.clone() />
        <fieldset class="group wide">
            <legend>{format!("Looks for: {}", title(&kind))}</legend>
            {check_fields(&kind, &form)}
            {other_kinds(&editor, &kind)}
        </fieldset>
        {Field::choice("action.kind", "Action", ACTIONS).show(&form)}
        {Field::area("action.message", "Declines with", 2)
            .hint("As if the model had said it. Empty: the request fails with 400.")
            .only("field for-action for-block")
            .show(&form)}
        {Field::area("action.with", "Replaced by", 2).only("field for-action for-replace").show(&form)}
        {Field::choice("side", "Side", SIDES).show(&form)}
        {Field::number("order", "Order").hint("The lowest acts first").show(&form)}
        {Field::tick("enabled", "Enabled").show(&form)}
        {Field::tick("shadow", "Shadow")
            .hint("Counts and reports what it would do, and does nothing")
            .show(&form)}
        {selector_fields(&form, "applies_to.")}
        {trial(&form)}
    }
    .into_any();
    let tried = submission
        .of("guardrail")
        .and_then(|sent| match sent.outcome {
            Outcome::Tested(tested) => Some(tested),
            _ => None,
        })
        .map(|tested| view! { <section class="card list">{report(tested)}</section> }.into_any());
    let all = editor_card(&editor, &form, fields, ().into_any());
    view! { {tried} {all} }.into_any()
}

/// A text on which the rule is tried as it stands in the form.
fn trial(form: &Form) -> AnyView {
    if !may_edit() {
        return ().into_any();
    }
    let open = !form.values.get("text").is_empty() || form.tells_of("text");
    view! {
        <details class="group wide trial" open=open>
            <summary>"Try it on a text"</summary>
            <div class="fields">
                {Field::area("text", "Text to try", 3).show(form)}
                {Field::choice("text_side", "As part of a", [("request", "Request"), ("reply", "Reply")])
                    .show(form)}
            </div>
            <button class="button plain" type="submit" name="do" value="try">
                "Try, without saving"
            </button>
        </details>
    }
    .into_any()
}

/// The same rule with another kind of check: links, for its fields are others.
fn other_kinds(editor: &Editor, kind: &str) -> AnyView {
    if !may_edit() {
        return ().into_any();
    }
    let links = KINDS
        .into_iter()
        .filter(|(name, ..)| *name != kind)
        .map(|(name, title, _)| {
            let page = match &editor.name {
                Some(edited) => Href::of("/guardrails").with("edit", edited),
                None => Href::of("/guardrails").with("new", "1"),
            };
            let href = page.with("check", name).into_text();
            view! {
                <li>
                    <a href=href>{title}</a>
                </li>
            }
        })
        .collect_view();
    view! {
        <details class="other-kinds">
            <summary>"Look for something else"</summary>
            <ul>{links}</ul>
        </details>
    }
    .into_any()
}

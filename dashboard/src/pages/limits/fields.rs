//! The form of one limit or budget.

use leptos::prelude::*;
use shared::policies::PolicyKind;

use crate::forms::{
    Editor, Field, Form, Submission, allowance_fields, editor_card, rate_fields, selector_fields,
};

pub fn card(editor: Editor, submission: Submission) -> AnyView {
    let budget = editor.kind == PolicyKind::Budget;
    let form = Form::new(
        if budget { "budget" } else { "limit" },
        editor.values.clone(),
        submission,
    );
    let (legend, hint, amounts) = if budget {
        (
            "Allowance",
            "Money is held back before a call, at the most that it may cost, and settled after it. At least one amount is given.",
            allowance_fields(&form, "allowance."),
        )
    } else {
        (
            "Rate",
            "At least one of requests and tokens is given. With both, whichever is reached first.",
            rate_fields(&form, "rate."),
        )
    };
    let description = (!budget).then(|| {
        Field::line("description", "Description")
            .hint("For people")
            .show(&form)
    });
    let fields = view! {
        {description}
        <fieldset class="group wide">
            <legend>{legend}</legend>
            <p class="hint">{hint}</p>
            <div class="row-fields">{amounts}</div>
        </fieldset>
        {Field::choice(
                "per",
                "Counted apart",
                [
                    ("all", "Nothing: one count for all"),
                    ("address", "Each client address"),
                    ("key", "Each key"),
                    ("project", "Each project"),
                    ("model", "Each model"),
                ],
            )
            .show(&form)}
        {Field::tick("enabled", "Enabled").show(&form)}
        {selector_fields(&form, "applies_to.")}
    }
    .into_any();
    editor_card(&editor, &form, fields, ().into_any())
}

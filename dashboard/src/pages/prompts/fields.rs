//! The form of one prompt.

use leptos::prelude::*;

use super::page::DEFAULT;
use super::variables::Variables;
use crate::forms::{Editor, Field, Form, Submission, editor_card, selector_fields};

pub fn card(editor: Editor, submission: Submission) -> AnyView {
    let form = Form::new("system_prompt", editor.values.clone(), submission);
    let is_default = editor.name.as_deref() == Some(DEFAULT);
    let note = (is_default && !editor.exists).then(|| {
        view! {
            <p class="notice wide">
                <strong>"None yet"</strong>
                <span>"Models are told nothing but what clients tell them."</span>
            </p>
        }
    });
    let fields = view! {
        {note}
        {Field::area("text", "Text", 9).show(&form)}
        <Variables />
        {Field::choice(
                "position",
                "Position",
                [
                    ("after", "After the client’s own"),
                    ("before", "Before the client’s own"),
                    ("replace", "In place of the client’s own"),
                ],
            )
            .show(&form)}
        {Field::number("order", "Order")
            .hint("Of several prompts the lowest comes first")
            .show(&form)}
        {Field::tick("enabled", "Enabled").show(&form)}
        {selector_fields(&form, "applies_to.")}
    }
    .into_any();
    editor_card(&editor, &form, fields, ().into_any())
}

//! The form of the cache's settings.

use leptos::prelude::*;

use crate::forms::{Editor, Field, Form, Rows, Submission, editor_card};

const SCOPES: [(&str, &str); 3] = [
    ("key", "Requests with the same key"),
    ("project", "Keys of the same project"),
    ("shared", "Everybody"),
];

pub const OVERRIDES: Rows = Rows {
    list: "overrides",
    title: "What is different for some requests",
    hint: "The first that matches a request counts.",
    one: "override",
    add: "Add an override",
    plain: &[
        "applies_to.keys",
        "applies_to.projects",
        "applies_to.models",
        "applies_to.addresses",
        "applies_to.except_addresses",
        "enabled",
        "ttl_seconds",
        "scope",
        "coalesce",
    ],
    fields: override_fields,
};

pub fn card(editor: Editor, submission: Submission) -> AnyView {
    let form = Form::new("cache", editor.values.clone(), submission);
    let fields = view! {
        {Field::tick("enabled", "Enabled").hint("Off: every request is asked of a provider").show(&form)}
        {Field::line("ttl_seconds", "Good for").hint("30s, 5m, 1h, 1d").show(&form)}
        {Field::choice("scope", "An answer is given again to", SCOPES).show(&form)}
        {Field::line("max_bytes", "Memory").hint("64 MiB, 1 GiB").show(&form)}
        {Field::line("max_entry_bytes", "Largest answer").hint("A larger one is not kept").show(&form)}
        {Field::tick("persistent", "Outlives restarts").hint("Answers are in the database, too").show(&form)}
        {Field::tick("coalesce", "Coalesce")
            .hint("Equal requests at the same time become one call")
            .show(&form)}
        {OVERRIDES.show(&form)}
    }
    .into_any();
    editor_card(&editor, &form, fields, ().into_any())
}

fn override_fields(form: &Form, prefix: &str) -> AnyView {
    let field = |name: &str| format!("{prefix}{name}");
    let yes_no = [("", "As above"), ("yes", "Yes"), ("no", "No")];
    let scopes = [("", "As above")].into_iter().chain(SCOPES);
    view! {
        {Field::line(field("applies_to.models"), "Models").placeholder("every model").show(form)}
        {Field::line(field("applies_to.keys"), "Keys").placeholder("every key").show(form)}
        {Field::line(field("applies_to.projects"), "Projects").placeholder("every project").show(form)}
        {Field::line(field("applies_to.addresses"), "Client addresses")
            .placeholder("every address")
            .show(form)}
        {Field::line(field("applies_to.except_addresses"), "But not from")
            .placeholder("no exception")
            .show(form)}
        {Field::choice(field("enabled"), "Enabled", yes_no).show(form)}
        {Field::line(field("ttl_seconds"), "Good for").placeholder("as above").show(form)}
        {Field::choice(field("scope"), "Given again to", scopes).show(form)}
        {Field::choice(field("coalesce"), "Coalesce", yes_no).show(form)}
    }
    .into_any()
}

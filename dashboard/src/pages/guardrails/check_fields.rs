//! The fields of each kind of check.

use leptos::prelude::*;

use crate::forms::{Field, Form};

const PERSONAL: [(&str, &str); 7] = [
    ("email", "E-mail"),
    ("phone", "Phone"),
    ("credit_card", "Credit card"),
    ("iban", "IBAN"),
    ("us_ssn", "US SSN"),
    ("ip_address", "IP address"),
    ("secret", "API keys and secrets"),
];

pub fn check_fields(kind: &str, form: &Form) -> AnyView {
    let fields = match kind {
        "phrases" => vec![
            Field::area("check.phrases", "Phrases", 4)
                .hint("One a line, with the spaces that are in it"),
            Field::tick("check.whole_word", "Whole words only"),
        ],
        "patterns" => vec![
            Field::code("check.patterns", "Regular expressions", 4)
                .hint("One a line; as Rust’s regex crate has them: no look-around, linear time"),
        ],
        "length" => vec![
            Field::number("check.min", "At least").hint("Characters"),
            Field::number("check.max", "At most").hint("Characters"),
        ],
        "disclaimer" => vec![Field::area("check.text", "Text that replies must have", 3)],
        "pii" => {
            vec![Field::ticks("check.kinds", "Kinds", &PERSONAL).hint("None ticked: every kind")]
        }
        "injection" => vec![
            Field::number("check.threshold", "Threshold")
                .hint("From 1, any sign, to 10, many and clear ones"),
        ],
        "json_schema" => vec![Field::code("check.schema", "JSON schema", 8)],
        "moderation" => vec![
            Field::line("check.model", "Model")
                .hint("As clients would ask for it at /v1/moderations"),
            Field::line("check.categories", "Categories")
                .placeholder("whatever is flagged")
                .hint("Separated by commas"),
            Field::tick("check.fail_open", "Let pass when it does not answer"),
        ],
        "webhook" => vec![
            Field::line("check.url", "Address").placeholder("https://"),
            Field::number("check.timeout_ms", "Timeout").hint("Milliseconds"),
            Field::tick("check.fail_open", "Let pass when it does not answer"),
        ],
        _ => Vec::new(),
    };
    let fields = fields
        .into_iter()
        .map(|field| field.show(form))
        .collect_view();
    view! { <div class="fields">{fields}</div> }.into_any()
}

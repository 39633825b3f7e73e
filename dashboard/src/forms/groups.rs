//! Fields that several policies have.

use leptos::prelude::*;

use super::{Field, Form};

/// Which requests something holds for.
pub fn selector_fields(form: &Form, prefix: &str) -> AnyView {
    let field = |name: &str| format!("{prefix}{name}");
    view! {
        <fieldset class="group wide">
            <legend>"Applies to"</legend>
            <p class="hint">
                "All that is given must match; what is left empty matches every request. Several are separated by commas; names with commas are given as a JSON array."
            </p>
            <div class="fields">
                {Field::line(field("keys"), "Keys").placeholder("every key").show(form)}
                {Field::line(field("projects"), "Projects").placeholder("every project").show(form)}
                {Field::line(field("models"), "Models")
                    .placeholder("every model")
                    .hint("* stands for any characters: gpt-4o*")
                    .show(form)}
                {Field::line(field("addresses"), "Client addresses")
                    .placeholder("every address")
                    .hint("An address, or a network: 10.0.0.0/8")
                    .show(form)}
                {Field::line(field("except_addresses"), "But not from")
                    .placeholder("no exception")
                    .show(form)}
            </div>
        </fieldset>
    }
    .into_any()
}

/// So much in a window of time.
pub fn rate_fields(form: &Form, prefix: &str) -> AnyView {
    let field = |name: &str| format!("{prefix}{name}");
    view! {
        {Field::number(field("requests"), "Requests").show(form)}
        {Field::number(field("tokens"), "Tokens").hint("Input and output together").show(form)}
        {Field::line(field("window_seconds"), "Window")
            .short()
            .placeholder("1m")
            .hint("30s, 1m, 1h, 1d")
            .show(form)}
        {Field::choice(
                field("algorithm"),
                "Counted",
                [
                    ("fixed_window", "Fixed window"),
                    ("sliding_window", "Sliding window"),
                    ("token_bucket", "Token bucket"),
                ],
            )
            .short()
            .show(form)}
    }
    .into_any()
}

/// So much in a period.
pub fn allowance_fields(form: &Form, prefix: &str) -> AnyView {
    let field = |name: &str| format!("{prefix}{name}");
    view! {
        {Field::line(field("cost_nanos"), "US dollars")
            .short()
            .placeholder("12.50")
            .show(form)}
        {Field::number(field("requests"), "Requests").show(form)}
        {Field::number(field("tokens"), "Tokens").show(form)}
        {Field::choice(
                field("period"),
                "Per",
                [("day", "Day"), ("week", "Week"), ("month", "Month"), ("total", "In total")],
            )
            .short()
            .show(form)}
        {Field::line(field("alerts"), "Alerts at")
            .short()
            .initially("50, 80, 100")
            .hint("Percent; empty: none")
            .show(form)}
    }
    .into_any()
}

//! Paste a text, and see what each rule does with it.

use leptos::prelude::*;

use super::report::report;
use crate::forms::{Field, Form, Outcome, Values, use_submission};

/// A form of its own; its report comes with the page that answers it.
#[component]
pub fn Tester() -> impl IntoView {
    let submission = use_submission();
    let form = Form::new("tester", Values::default(), submission);
    let tested = submission
        .of("tester")
        .and_then(|sent| match sent.outcome {
            Outcome::Tested(tested) => Some(tested),
            _ => None,
        })
        .map(report);
    view! {
        <section class="card list" aria-labelledby="tester-title">
            <header class="card-head">
                <h2 id="tester-title">"Test a text"</h2>
                <span class="muted">"Nothing is sent, recorded or counted."</span>
            </header>
            <form method="post" class="form">
                <input type="hidden" name="form" value="tester" />
                <div class="fields">
                    {Field::area("text", "Text", 4).show(&form)}
                    {Field::choice(
                            "text_side",
                            "As part of a",
                            [("request", "Request"), ("reply", "Reply")],
                        )
                        .show(&form)}
                    {Field::line("key", "With the key").placeholder("none").show(&form)}
                    {Field::line("model", "For the model").placeholder("any").show(&form)}
                </div>
                <div class="form-buttons">
                    <button class="button" type="submit" name="do" value="test">
                        "Test"
                    </button>
                </div>
            </form>
            {tested}
        </section>
    }
    .into_any()
}

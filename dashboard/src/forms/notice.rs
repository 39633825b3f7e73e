//! What became of a form, above the page.

use leptos::prelude::*;
use leptos_router::hooks::{use_location, use_query_map};

use super::{Conflict, Outcome, element_id, use_submission};
use crate::href::Href;

/// What was done before this page, as the address says: `?done=saved`.
#[component]
pub fn Done() -> impl IntoView {
    let query = use_query_map();
    let location = use_location();
    move || {
        let (code, count) = query.with(|query| (query.get("done"), query.get("count")));
        let undo = query.with(|query| {
            let href = Href::of(&location.pathname.get())
                .with_some("view", query.get("view").as_deref())
                .with("edit", &query.get("of")?);
            Some(view! { <a href=href.into_text()>"Its versions"</a> })
        });
        let (title, text) = explain(&code?)?;
        // Only a number: the text of a stranger's link is never shown.
        let count = count
            .and_then(|count| count.parse::<u64>().ok())
            .map(|count| format!(" ({})", crate::format::exact(count)));
        Some(
            view! {
                <p class="notice good" role="status">
                    <strong>{title}</strong>
                    <span>{text} {count} " " {undo}</span>
                </p>
            }
            .into_any(),
        )
    }
}

fn explain(code: &str) -> Option<(&'static str, &'static str)> {
    Some(match code {
        "saved" => (
            "Saved",
            "It holds from the next request on, and after a restart.",
        ),
        "deleted" => ("Deleted", "It holds no more, from the next request on."),
        "reset" => ("Reset", "What the configuration says holds again."),
        "restored" => ("Restored", "The earlier version holds again."),
        "cleared" => ("Cleared", "The cache has forgotten answers."),
        _ => return None,
    })
}

/// Why a form was refused, with a link to each field that is meant.
#[component]
pub fn Refusal() -> impl IntoView {
    let submission = use_submission();
    move || {
        let sent = submission.get()?;
        let (message, fields) = match sent.outcome {
            Outcome::Refused { message, fields } => (message, fields),
            Outcome::Failed(error) => {
                let message = format!("{error}. What you entered is kept: try again.");
                (message, Vec::new())
            }
            Outcome::Conflict(conflict) => return Some(conflicting(conflict)),
            Outcome::Secret { .. } | Outcome::Tested(_) => return None,
        };
        let fields = fields
            .into_iter()
            .map(|error| {
                if error.field.is_empty() {
                    view! { <li>{error.message}</li> }.into_any()
                } else {
                    let href = format!("#{}", element_id(&sent.form, &error.field));
                    view! {
                        <li>
                            <a href=href rel="external">
                                {error.message}
                            </a>
                        </li>
                    }
                    .into_any()
                }
            })
            .collect_view();
        Some(
            view! {
                <div class="notice bad" role="alert">
                    <strong>"Not done"</strong>
                    <span>{message}</span>
                    <ul>{fields}</ul>
                </div>
            }
            .into_any(),
        )
    }
}

/// What somebody else did meanwhile, and what is different now.
fn conflicting(conflict: Conflict) -> AnyView {
    let same = (!conflict.deleted && conflict.fields.is_empty())
        .then_some(" What is in force now says the same.");
    let fields = conflict
        .fields
        .into_iter()
        .map(|field| {
            view! {
                <li>
                    {spoken(&field.field)} ": in force now is " <q>{start(&field.message)}</q>
                </li>
            }
        })
        .collect_view();
    view! {
        <div class="notice warn" role="alert">
            <strong>"Not saved"</strong>
            <span>{conflict.message} {same}</span>
            <ul>{fields}</ul>
        </div>
    }
    .into_any()
}

/// `rates[0].window_seconds` as people would say it: `rates 1 window`.
fn spoken(field: &str) -> String {
    let field = field
        .trim_end_matches("_seconds")
        .trim_end_matches("_nanos");
    let parts = field.split(['.', '[', ']']).filter(|part| !part.is_empty());
    let parts: Vec<_> = parts
        .map(|part| match part.parse::<usize>() {
            Ok(index) => (index + 1).to_string(),
            Err(_) => part.replace('_', " "),
        })
        .collect();
    parts.join(" ")
}

/// So much of a text as is shown beside others; all of it is at its field.
fn start(text: &str) -> String {
    const MOST: usize = 80;
    if text.chars().nth(MOST).is_none() {
        return text.to_owned();
    }
    let start: String = text.chars().take(MOST).collect();
    format!("{start}…")
}

#[cfg(test)]
mod tests {
    use super::spoken;

    #[test]
    fn fields_are_named_in_words() {
        assert_eq!(spoken("rates[0].window_seconds"), "rates 1 window");
        assert_eq!(spoken("applies_to.keys"), "applies to keys");
        assert_eq!(spoken("text"), "text");
    }
}

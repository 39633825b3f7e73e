//! Whether a rule makes sense.

use shared::policies::{Action, Check, FieldError, Guardrail, Side};

use crate::pattern::Pattern;
use crate::schema::Schema;

/// Of one rule.
const MOST_PHRASES: usize = 10_000;
/// Of one rule.
const MOST_PATTERNS: usize = 100;
/// In bytes, of a phrase, an expression, a text.
const LONGEST: usize = 8 << 10;
/// A second is long for somebody who waits for an answer; a minute is too long.
const LONGEST_TIMEOUT_MS: u64 = 60_000;

/// What is wrong with a rule, by its fields.
pub fn check(rule: &Guardrail) -> Vec<FieldError> {
    let mut errors = Errors(Vec::new());
    match &rule.check {
        Check::Phrases { phrases, .. } => {
            errors.list("check.phrases", phrases, MOST_PHRASES);
        }
        Check::Patterns { patterns } => {
            errors.list("check.patterns", patterns, MOST_PATTERNS);
            for (index, pattern) in patterns.iter().enumerate() {
                if !pattern.trim().is_empty()
                    && pattern.len() <= LONGEST
                    && let Err(error) = Pattern::new(pattern)
                {
                    errors.add(format!("check.patterns[{index}]"), error);
                }
            }
        }
        Check::Length { min, max } => match (min, max) {
            (None, None) => errors.add("check.min", "missing; say `min`, `max` or both"),
            (_, Some(0)) => errors.add("check.max", "must be at least 1"),
            (Some(0), _) => errors.add("check.min", "must be at least 1"),
            (Some(min), Some(max)) if min > max => {
                errors.add("check.min", "must not be more than `max`");
            }
            _ => {}
        },
        Check::Disclaimer { text } => errors.text("check.text", text),
        Check::Pii { .. } => {}
        Check::Injection { threshold } => {
            if !(1..=10).contains(threshold) {
                errors.add("check.threshold", "must be from 1 to 10");
            }
        }
        Check::JsonSchema { schema } => {
            if let Err(error) = Schema::new(schema) {
                errors.add("check.schema", error);
            }
        }
        Check::Moderation { model, .. } => errors.text("check.model", model),
        Check::Webhook {
            url, timeout_ms, ..
        } => {
            let known = url.parse::<http::Uri>().ok().is_some_and(|url| {
                matches!(url.scheme_str(), Some("http" | "https")) && url.host().is_some()
            });
            if !known {
                errors.add(
                    "check.url",
                    "must be a URL that begins with http:// or https://",
                );
            }
            if !(1..=LONGEST_TIMEOUT_MS).contains(timeout_ms) {
                errors.add("check.timeout_ms", "must be from 1 to 60000");
            }
        }
    }
    action(rule, &mut errors);
    errors.0
}

/// Whether the action can be taken about what is looked for.
fn action(rule: &Guardrail, errors: &mut Errors) {
    let of_replies = matches!(
        rule.check,
        Check::Disclaimer { .. } | Check::JsonSchema { .. }
    );
    if of_replies && rule.side == Side::Request {
        errors.add("side", "must be `reply`: the rule is about replies");
    }
    let fits = match (&rule.check, &rule.action) {
        (_, Action::Flag | Action::Block { .. }) => Ok(()),
        (
            Check::Phrases { .. } | Check::Patterns { .. } | Check::Pii { .. },
            Action::Redact | Action::Replace { .. },
        ) => Ok(()),
        (Check::Webhook { .. }, Action::Redact | Action::Replace { .. })
            if rule.side == Side::Reply =>
        {
            Ok(())
        }
        (Check::Webhook { .. }, Action::Redact | Action::Replace { .. }) => {
            Err("a service's text takes the place of replies only: set `side` to `reply`")
        }
        (Check::Length { min: None, .. }, Action::Truncate) => Ok(()),
        (Check::Length { .. }, Action::Truncate) => {
            Err("what is too short cannot be truncated: `min` wants a rule of its own")
        }
        (Check::Disclaimer { .. }, Action::Append) => Ok(()),
        (_, Action::Truncate) => Err("only `length` can be truncated"),
        (_, Action::Append) => Err("only a `disclaimer` can be appended"),
        (_, Action::Redact | Action::Replace { .. }) => {
            Err("there is no place that could be replaced: `block` or `flag` it")
        }
    };
    if let Err(message) = fits {
        errors.add("action.kind", message);
    }
    match &rule.action {
        Action::Block {
            message: Some(message),
        } => errors.text("action.message", message),
        Action::Replace { with } if with.len() > LONGEST => {
            errors.add("action.with", TOO_LONG);
        }
        _ => {}
    }
}

const TOO_LONG: &str = "must be at most 8 KiB";

struct Errors(Vec<FieldError>);

impl Errors {
    fn add(&mut self, field: impl Into<String>, message: impl ToString) {
        self.0.push(FieldError {
            field: field.into(),
            message: message.to_string(),
        });
    }

    fn text(&mut self, field: &str, text: &str) {
        if text.trim().is_empty() {
            self.add(field, "must not be empty");
        } else if text.len() > LONGEST {
            self.add(field, TOO_LONG);
        }
    }

    fn list(&mut self, field: &str, entries: &[String], most: usize) {
        if entries.is_empty() {
            self.add(field, "must not be empty");
        }
        if entries.len() > most {
            self.add(field, format!("must be at most {most}"));
        }
        for (index, entry) in entries.iter().enumerate() {
            self.text(&format!("{field}[{index}]"), entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(json: &str) -> Vec<String> {
        let rule: Guardrail = serde_json::from_str(json).unwrap();
        check(&rule).into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn what_makes_sense_passes() {
        for json in [
            r#"{"check":{"kind":"phrases","phrases":["a"]},"action":{"kind":"redact"}}"#,
            r#"{"check":{"kind":"length","max":5},"action":{"kind":"truncate"}}"#,
            r#"{"check":{"kind":"disclaimer","text":"x"},"action":{"kind":"append"}}"#,
            r#"{"check":{"kind":"injection"},"action":{"kind":"block","message":"No."}}"#,
            r#"{"check":{"kind":"webhook","url":"http://127.0.0.1:1/x"},"action":{"kind":"flag"}}"#,
            r#"{"check":{"kind":"json_schema","schema":true},"action":{"kind":"block"},"side":"reply"}"#,
        ] {
            assert_eq!(fields(json), [""; 0], "{json}");
        }
    }

    #[test]
    fn errors_are_at_their_fields() {
        for (json, field) in [
            (
                r#"{"check":{"kind":"phrases","phrases":["a"," "]},"action":{"kind":"flag"}}"#,
                "check.phrases[1]",
            ),
            (
                r#"{"check":{"kind":"phrases","phrases":[]},"action":{"kind":"flag"}}"#,
                "check.phrases",
            ),
            (
                r#"{"check":{"kind":"patterns","patterns":["("]},"action":{"kind":"flag"}}"#,
                "check.patterns[0]",
            ),
            (
                r#"{"check":{"kind":"patterns","patterns":["a*"]},"action":{"kind":"flag"}}"#,
                "check.patterns[0]",
            ),
            (
                r#"{"check":{"kind":"length"},"action":{"kind":"block"}}"#,
                "check.min",
            ),
            (
                r#"{"check":{"kind":"length","min":5},"action":{"kind":"truncate"}}"#,
                "action.kind",
            ),
            (
                r#"{"check":{"kind":"pii"},"action":{"kind":"append"}}"#,
                "action.kind",
            ),
            (
                r#"{"check":{"kind":"injection","threshold":11},"action":{"kind":"flag"}}"#,
                "check.threshold",
            ),
            (
                r#"{"check":{"kind":"injection"},"action":{"kind":"redact"}}"#,
                "action.kind",
            ),
            (
                r#"{"check":{"kind":"disclaimer","text":"x"},"action":{"kind":"append"},"side":"request"}"#,
                "side",
            ),
            (
                r#"{"check":{"kind":"json_schema","schema":{"type":7}},"action":{"kind":"block"}}"#,
                "check.schema",
            ),
            (
                r#"{"check":{"kind":"webhook","url":"example.com"},"action":{"kind":"block"}}"#,
                "check.url",
            ),
            (
                r#"{"check":{"kind":"webhook","url":"http://a/b"},"action":{"kind":"redact"}}"#,
                "action.kind",
            ),
            (
                r#"{"check":{"kind":"pii"},"action":{"kind":"block","message":""}}"#,
                "action.message",
            ),
        ] {
            assert_eq!(fields(json), [field], "{json}");
        }
    }
}

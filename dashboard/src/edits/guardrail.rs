//! Guardrails: every kind of check and of action.

use shared::policies::{Action, Check, Guardrail, PiiKind, Side};

use super::elements::{on_lines, with_commas};
use super::{Fields, amount, selector, shortened, word};
use crate::forms::Values;

/// A new rule of a kind, as its form begins.
pub fn fresh(kind: &str) -> Values {
    let mut values = Values::default();
    values.tick("enabled", true);
    values.put("check.kind", kind);
    let (side, action) = match kind {
        "disclaimer" => (Side::Reply, "append"),
        "json_schema" => (Side::Reply, "block"),
        "injection" => (Side::Request, "block"),
        "pii" => (Side::Both, "redact"),
        _ => (Side::Both, "block"),
    };
    values.put("side", word(side));
    values.put("action.kind", action);
    values.put("check.threshold", "5");
    values.put("check.timeout_ms", "2000");
    values
}

pub fn write(rule: &Guardrail) -> Values {
    let mut values = Values::default();
    values.tick("enabled", rule.enabled);
    values.put("order", rule.order.to_string());
    selector::write(&rule.applies_to, "applies_to.", &mut values);
    values.put("side", word(rule.side));
    values.tick("shadow", rule.shadow);
    write_check(&rule.check, &mut values);
    let (kind, text) = match &rule.action {
        Action::Block { message } => ("block", message.clone()),
        Action::Redact => ("redact", None),
        Action::Replace { with } => ("replace", Some(with.clone())),
        Action::Truncate => ("truncate", None),
        Action::Append => ("append", None),
        Action::Flag => ("flag", None),
    };
    values.put("action.kind", kind);
    let text = text.unwrap_or_default();
    let field = if kind == "replace" {
        "action.with"
    } else {
        "action.message"
    };
    values.put(field, text);
    values
}

/// Fields that must say something where a form has them.
const NEEDED: [(&str, &str); 5] = [
    ("check.phrases", "Write a phrase."),
    ("check.patterns", "Write a regular expression."),
    ("check.text", "Write the text."),
    ("check.model", "Name a model."),
    ("check.url", "Write an address."),
];

fn write_check(check: &Check, values: &mut Values) {
    match check {
        Check::Phrases {
            phrases,
            whole_word,
        } => {
            values.put("check.phrases", on_lines(phrases));
            values.tick("check.whole_word", *whole_word);
        }
        Check::Patterns { patterns } => values.put("check.patterns", on_lines(patterns)),
        Check::Length { min, max } => {
            values.put("check.min", amount(*min));
            values.put("check.max", amount(*max));
        }
        Check::Disclaimer { text } => values.put("check.text", text.clone()),
        Check::Pii { kinds } => {
            for kind in kinds {
                values.put("check.kinds", word(*kind));
            }
        }
        Check::Injection { threshold } => values.put("check.threshold", threshold.to_string()),
        Check::JsonSchema { schema } => {
            let text = serde_json::to_string_pretty(schema).unwrap_or_default();
            values.put("check.schema", text);
        }
        Check::Moderation {
            model,
            categories,
            fail_open,
        } => {
            values.put("check.model", model.clone());
            values.put("check.categories", with_commas(categories));
            values.tick("check.fail_open", *fail_open);
        }
        Check::Webhook {
            url,
            timeout_ms,
            fail_open,
        } => {
            values.put("check.url", url.clone());
            values.put("check.timeout_ms", timeout_ms.to_string());
            values.tick("check.fail_open", *fail_open);
        }
    }
    values.put("check.kind", kind_of(check));
}

pub fn read(fields: &Fields<'_>) -> Guardrail {
    Guardrail {
        enabled: fields.is_on("enabled"),
        order: fields.number("order").unwrap_or_default(),
        applies_to: selector::read(fields, "applies_to."),
        side: fields.choice("side"),
        shadow: fields.is_on("shadow"),
        check: read_check(fields),
        action: read_action(fields),
    }
}

fn read_check(fields: &Fields<'_>) -> Check {
    for (name, message) in NEEDED {
        let needed = fields.values.has(name) && fields.some(name).is_none();
        if needed {
            fields.wrong(name, message);
        }
    }
    match fields.line("check.kind").as_str() {
        "patterns" => Check::Patterns {
            patterns: fields.lines("check.patterns"),
        },
        "length" => Check::Length {
            min: fields.number("check.min"),
            max: fields.number("check.max"),
        },
        "disclaimer" => Check::Disclaimer {
            text: fields.text("check.text"),
        },
        "pii" => Check::Pii {
            kinds: fields.choices("check.kinds"),
        },
        "injection" => Check::Injection {
            threshold: fields.number("check.threshold").unwrap_or(5),
        },
        "json_schema" => Check::JsonSchema {
            schema: schema(fields),
        },
        "moderation" => Check::Moderation {
            model: fields.line("check.model"),
            categories: fields.list("check.categories"),
            fail_open: fields.is_on("check.fail_open"),
        },
        "webhook" => Check::Webhook {
            url: fields.line("check.url"),
            timeout_ms: fields.number("check.timeout_ms").unwrap_or(2000),
            fail_open: fields.is_on("check.fail_open"),
        },
        kind => {
            if kind != "phrases" {
                fields.wrong("check.kind", "There is no such kind of check.");
            }
            Check::Phrases {
                phrases: fields.lines("check.phrases"),
                whole_word: fields.is_on("check.whole_word"),
            }
        }
    }
}

fn schema(fields: &Fields<'_>) -> serde_json::Value {
    let text = fields.text("check.schema");
    serde_json::from_str(&text).unwrap_or_else(|error| {
        let message = if text.trim().is_empty() {
            "Write a JSON schema.".to_owned()
        } else {
            format!("This is not JSON: {error}.")
        };
        fields.wrong("check.schema", message);
        serde_json::Value::Bool(true)
    })
}

fn read_action(fields: &Fields<'_>) -> Action {
    match fields.line("action.kind").as_str() {
        "redact" => Action::Redact,
        "replace" => Action::Replace {
            with: fields.text("action.with"),
        },
        "truncate" => Action::Truncate,
        "append" => Action::Append,
        "flag" => Action::Flag,
        kind => {
            if kind != "block" {
                fields.wrong("action.kind", "There is no such action.");
            }
            let message = fields.text("action.message");
            Action::Block {
                message: Some(message).filter(|message| !message.trim().is_empty()),
            }
        }
    }
}

pub fn kind_of(check: &Check) -> &'static str {
    match check {
        Check::Phrases { .. } => "phrases",
        Check::Patterns { .. } => "patterns",
        Check::Length { .. } => "length",
        Check::Disclaimer { .. } => "disclaimer",
        Check::Pii { .. } => "pii",
        Check::Injection { .. } => "injection",
        Check::JsonSchema { .. } => "json_schema",
        Check::Moderation { .. } => "moderation",
        Check::Webhook { .. } => "webhook",
    }
}

/// What a rule looks for, in words.
pub fn describe_check(check: &Check) -> String {
    match check {
        Check::Phrases {
            phrases,
            whole_word,
        } => {
            let whole = if *whole_word { ", whole words" } else { "" };
            format!("{}{whole}", some_of("phrase", phrases))
        }
        Check::Patterns { patterns } => some_of("pattern", patterns),
        Check::Length { min, max } => match (min, max) {
            (Some(min), Some(max)) => format!("length {min} to {max} characters"),
            (Some(min), None) => format!("length of at least {min} characters"),
            (None, Some(max)) => format!("length of at most {max} characters"),
            (None, None) => "length".to_owned(),
        },
        Check::Disclaimer { text } => format!("disclaimer “{}”", shortened(text)),
        Check::Pii { kinds } if kinds.is_empty() => "personal data of every kind".to_owned(),
        Check::Pii { kinds } => {
            let kinds: Vec<_> = kinds.iter().map(|kind| pii(*kind)).collect();
            kinds.join(", ")
        }
        Check::Injection { threshold } => format!("prompt injection, threshold {threshold}"),
        Check::JsonSchema { .. } => "JSON of a schema".to_owned(),
        Check::Moderation { model, .. } => format!("moderation by {model}"),
        Check::Webhook { url, .. } => format!("webhook {}", shortened(url)),
    }
}

pub fn describe_action(action: &Action) -> &'static str {
    match action {
        Action::Block { message: None } => "block",
        Action::Block { message: Some(_) } => "decline",
        Action::Redact => "redact",
        Action::Replace { .. } => "replace",
        Action::Truncate => "truncate",
        Action::Append => "append",
        Action::Flag => "flag",
    }
}

pub fn describe_side(side: Side) -> &'static str {
    match side {
        Side::Both => "both",
        Side::Request => "request",
        Side::Reply => "reply",
    }
}

pub fn describe(rule: &Guardrail) -> String {
    [
        Some(describe_check(&rule.check)),
        Some(describe_action(&rule.action).to_owned()),
        Some(describe_side(rule.side).to_owned()),
        selector::describe(&rule.applies_to),
        rule.shadow.then(|| "shadow".to_owned()),
        (!rule.enabled).then(|| "disabled".to_owned()),
    ]
    .into_iter()
    .flatten()
    .collect::<Vec<_>>()
    .join(" · ")
}

fn pii(kind: PiiKind) -> &'static str {
    match kind {
        PiiKind::Email => "e-mail",
        PiiKind::Phone => "phone",
        PiiKind::CreditCard => "credit card",
        PiiKind::Iban => "IBAN",
        PiiKind::UsSsn => "US SSN",
        PiiKind::IpAddress => "IP address",
        PiiKind::Secret => "secrets",
    }
}

fn some_of(what: &str, all: &[String]) -> String {
    match all {
        [one] => format!("{what} “{}”", shortened(one)),
        [first, rest @ ..] => format!("{what} “{}” and {} more", shortened(first), rest.len()),
        [] => format!("no {what}"),
    }
}

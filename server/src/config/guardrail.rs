//! `[[guardrails]]`: what may be asked, and what may be answered.

use std::collections::BTreeMap;
use std::time::Duration;

use shared::policies::{Action, Check, Guardrail, PiiKind, Side};

use super::parameters::Parameter;
use super::reading::{Section, Words};
use super::selector;
use crate::guardrails::check;

/// All of them, by their names.
pub(super) fn read_all(root: &mut Section<'_, '_>) -> BTreeMap<String, Guardrail> {
    let rules = root.named_list("guardrails", None, |section, name| {
        (name, read(section), section.path_of("name"))
    });
    let mut known = BTreeMap::new();
    for (name, rule, path) in rules.unwrap_or_default() {
        if known.contains_key(&name) {
            let message = format!("there are two guardrails called \"{name}\"");
            root.reader().problem(&path, message);
        }
        known.extend(rule.map(|rule| (name, rule)));
    }
    known
}

/// `None`: it is not known what it looks for or does, and that was told.
fn read(section: &mut Section<'_, '_>) -> Option<Guardrail> {
    let before = section.reader().problems.len();
    let enabled = section.value("enabled", true);
    let order = section.value("order", 0);
    let side = section.value("side", Side::default());
    let shadow = section.value("shadow", false);
    let applies_to = selector::read(section);
    let check = section.section("check", read_check);
    let action = section.section("action", read_action);
    let rule = Guardrail {
        enabled,
        order,
        applies_to,
        side,
        shadow,
        check: check?,
        action: action?,
    };
    if section.reader().problems.len() == before {
        for error in check_of(&rule) {
            let path = section.path_of(&error.0);
            section.reader().problem(&path, error.1);
        }
    }
    Some(rule)
}

/// What is wrong, by the keys of the file.
fn check_of(rule: &Guardrail) -> Vec<(String, String)> {
    let errors = check(rule).into_iter();
    errors
        .map(|error| (error.field.replace("timeout_ms", "timeout"), error.message))
        .collect()
}

/// The kinds of checks there are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CheckKind {
    Phrases,
    Patterns,
    Length,
    Disclaimer,
    Pii,
    Injection,
    JsonSchema,
    Moderation,
    Webhook,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ActionKind {
    Block,
    Redact,
    Replace,
    Truncate,
    Append,
    Flag,
}

/// The word under `kind`. Without it nobody knows what the other keys mean: they pass.
fn kind<T: Words>(section: &mut Section<'_, '_>, others: &[&str]) -> Option<T> {
    let before = section.reader().problems.len();
    let kind = section.optional("kind");
    if kind.is_none() {
        if section.reader().problems.len() == before {
            let words: Vec<&str> = T::WORDS.iter().map(|(word, _)| *word).collect();
            let message = format!("missing; it is one of {}", words.join(", "));
            let path = section.path_of("kind");
            section.reader().problem(&path, message);
        }
        for key in others {
            let _ = section.optional::<Parameter>(key);
        }
    }
    kind
}

fn read_check(section: &mut Section<'_, '_>) -> Option<Check> {
    let keys = [
        "phrases",
        "whole_word",
        "patterns",
        "min",
        "max",
        "text",
        "kinds",
        "threshold",
        "schema",
        "model",
        "categories",
        "fail_open",
        "url",
        "timeout",
    ];
    Some(match kind::<CheckKind>(section, &keys)? {
        CheckKind::Phrases => Check::Phrases {
            phrases: section.values("phrases", Vec::new()),
            whole_word: section.value("whole_word", false),
        },
        CheckKind::Patterns => Check::Patterns {
            patterns: section.values("patterns", Vec::new()),
        },
        CheckKind::Length => Check::Length {
            min: section.optional("min"),
            max: section.optional("max"),
        },
        CheckKind::Disclaimer => Check::Disclaimer {
            text: section.required("text"),
        },
        CheckKind::Pii => Check::Pii {
            kinds: section.values("kinds", Vec::new()),
        },
        CheckKind::Injection => Check::Injection {
            // A number that is too large is told so with all else.
            threshold: section
                .value("threshold", 5_u32)
                .try_into()
                .unwrap_or(u8::MAX),
        },
        CheckKind::JsonSchema => Check::JsonSchema {
            schema: schema(section)?,
        },
        CheckKind::Moderation => Check::Moderation {
            model: section.required("model"),
            categories: section.values("categories", Vec::new()),
            fail_open: section.value("fail_open", false),
        },
        CheckKind::Webhook => {
            let timeout = section.value("timeout", Duration::from_secs(2));
            Check::Webhook {
                url: section.required("url"),
                timeout_ms: u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX),
                fail_open: section.value("fail_open", false),
            }
        }
    })
}

/// A table, or JSON in a text.
fn schema(section: &mut Section<'_, '_>) -> Option<serde_json::Value> {
    let path = section.path_of("schema");
    let before = section.reader().problems.len();
    match section.optional::<Parameter>("schema") {
        Some(Parameter(serde_json::Value::String(text))) => match serde_json::from_str(&text) {
            Ok(schema) => Some(schema),
            Err(error) => {
                let message = format!("is not JSON: {error}");
                section.reader().problem(&path, message);
                None
            }
        },
        Some(Parameter(schema)) => Some(schema),
        None => {
            if section.reader().problems.len() == before {
                let message = "missing; expected a JSON schema, as a table or as text";
                section.reader().problem(&path, message);
            }
            None
        }
    }
}

fn read_action(section: &mut Section<'_, '_>) -> Option<Action> {
    Some(match kind::<ActionKind>(section, &["message", "with"])? {
        ActionKind::Block => Action::Block {
            message: section.optional("message"),
        },
        ActionKind::Redact => Action::Redact,
        ActionKind::Replace => Action::Replace {
            with: section.optional("with").unwrap_or_default(),
        },
        ActionKind::Truncate => Action::Truncate,
        ActionKind::Append => Action::Append,
        ActionKind::Flag => Action::Flag,
    })
}

impl Words for CheckKind {
    const NOUN: &'static str = "kind of check";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("phrases", Self::Phrases),
        ("patterns", Self::Patterns),
        ("length", Self::Length),
        ("disclaimer", Self::Disclaimer),
        ("pii", Self::Pii),
        ("injection", Self::Injection),
        ("json_schema", Self::JsonSchema),
        ("moderation", Self::Moderation),
        ("webhook", Self::Webhook),
    ];
}

impl Words for ActionKind {
    const NOUN: &'static str = "kind of action";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("block", Self::Block),
        ("redact", Self::Redact),
        ("replace", Self::Replace),
        ("truncate", Self::Truncate),
        ("append", Self::Append),
        ("flag", Self::Flag),
    ];
}

impl Words for Side {
    const NOUN: &'static str = "side";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("both", Self::Both),
        ("request", Self::Request),
        ("reply", Self::Reply),
    ];
}

impl Words for PiiKind {
    const NOUN: &'static str = "kind of personal data";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("email", Self::Email),
        ("phone", Self::Phone),
        ("credit_card", Self::CreditCard),
        ("iban", Self::Iban),
        ("us_ssn", Self::UsSsn),
        ("ip_address", Self::IpAddress),
        ("secret", Self::Secret),
    ];
}

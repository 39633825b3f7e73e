//! A form gives back what was written into it.

use serde_json::json;
use shared::policies::{Policy, PolicyKind};

use super::{Fields, blank, describe, read, write};
use crate::forms::Values;

fn policy(kind: PolicyKind, value: &serde_json::Value) -> Policy {
    Policy::from_json(kind, &value.to_string()).expect("a policy")
}

#[test]
fn every_policy_survives_its_form() {
    let selector = json!({"keys": ["a", "b"], "projects": ["p"], "models": ["gpt-*"], "addresses": ["10.0.0.0/8"], "except_addresses": ["10.1.0.0/16"]});
    let rate =
        json!({"requests": 60, "tokens": 1000, "window_seconds": 90, "algorithm": "token_bucket"});
    let allowance = json!({"requests": 5, "tokens": 6, "cost_nanos": 12_500_000_001_i64, "period": "week", "alerts": [10, 99]});
    let rule = |check: serde_json::Value, action: serde_json::Value| json!({"enabled": true, "order": -3, "side": "reply", "shadow": true, "applies_to": selector, "check": check, "action": action});
    let flag = || json!({"kind": "flag"});
    let policies = [
        (
            PolicyKind::Key,
            json!({"enabled": true, "owner": "Ada", "tags": ["x", "y"], "project": "p", "expires_at": "2027-01-02T03:04:00Z",
                   "models": ["m"], "providers": ["o"], "rates": [rate, rate], "allowances": [allowance]}),
        ),
        (
            PolicyKind::Project,
            json!({"enabled": false, "description": "d", "models": ["m"], "rates": [rate], "allowances": [allowance, allowance]}),
        ),
        (
            PolicyKind::Limit,
            json!({"enabled": true, "description": "d", "applies_to": selector, "per": "address", "rate": rate}),
        ),
        (
            PolicyKind::Budget,
            json!({"enabled": true, "applies_to": selector, "per": "key", "allowance": allowance}),
        ),
        (
            PolicyKind::SystemPrompt,
            json!({"enabled": true, "applies_to": selector, "order": 2, "text": "\n<b>\n{{date}}", "position": "replace"}),
        ),
        (
            PolicyKind::Cache,
            json!({"enabled": true, "ttl_seconds": 61, "scope": "project", "max_bytes": 5000, "max_entry_bytes": 1024,
                   "persistent": true, "coalesce": true, "overrides": [
                       {"applies_to": selector, "enabled": false, "ttl_seconds": 0, "scope": "shared", "coalesce": true},
                       {"applies_to": {"models": ["x"]}, "enabled": true}]}),
        ),
        (
            PolicyKind::Cache,
            json!({"overrides": (0..500).map(|number| json!({"applies_to": {"models": [format!("m{number}")]}, "enabled": false})).collect::<Vec<_>>()}),
        ),
        (
            PolicyKind::Guardrail,
            rule(
                json!({"kind": "phrases", "phrases": ["a b", "c"], "whole_word": true}),
                json!({"kind": "block"}),
            ),
        ),
        (
            PolicyKind::Guardrail,
            rule(
                json!({"kind": "patterns", "patterns": ["a,b", "c+"]}),
                json!({"kind": "block", "message": "no\nno"}),
            ),
        ),
        (
            PolicyKind::Guardrail,
            rule(
                json!({"kind": "length", "max": 5}),
                json!({"kind": "truncate"}),
            ),
        ),
        (
            PolicyKind::Guardrail,
            rule(
                json!({"kind": "disclaimer", "text": "d"}),
                json!({"kind": "append"}),
            ),
        ),
        (
            PolicyKind::Guardrail,
            rule(
                json!({"kind": "pii", "kinds": ["email", "iban"]}),
                json!({"kind": "redact"}),
            ),
        ),
        (
            PolicyKind::Guardrail,
            rule(json!({"kind": "injection", "threshold": 7}), flag()),
        ),
        (
            PolicyKind::Guardrail,
            rule(
                json!({"kind": "json_schema", "schema": {"type": "object"}}),
                flag(),
            ),
        ),
        (
            PolicyKind::Guardrail,
            rule(
                json!({"kind": "moderation", "model": "m", "categories": ["c"], "fail_open": true}),
                flag(),
            ),
        ),
        (
            PolicyKind::Guardrail,
            rule(
                json!({"kind": "webhook", "url": "http://127.0.0.1/", "timeout_ms": 5, "fail_open": false}),
                json!({"kind": "replace", "with": "w"}),
            ),
        ),
    ];
    for (kind, value) in policies {
        let before = policy(kind, &value);
        let values = write(&before);
        let fields = Fields::new(&values);
        assert_eq!(read(kind, &fields), before, "{value}");
        assert_eq!(fields.into_errors(), []);
        assert!(!describe(&before).is_empty());
    }
}

/// What a browser makes of what is in fields: line breaks are two characters, a line has none, a moment has milliseconds at
/// most, and boxes are sent in the page's order.
fn through_a_browser(values: &Values) -> Values {
    let mut names: Vec<_> = values.names().collect();
    names.sort_unstable();
    names.dedup();
    let mut sent = Values::default();
    for name in names {
        let mut all: Vec<_> = values.all(name).collect();
        all.sort_unstable();
        for value in all {
            let value = value.replace("\r\n", "\n").replace('\r', "\n");
            let value = match name {
                "expires_at" => value.chars().take(23).collect(),
                _ => value,
            };
            let area = ["text", "check.phrases", "check.patterns", "action.with"].contains(&name);
            let kept = if area { "\r\n" } else { "" };
            sent.put(name, value.replace('\n', kept));
        }
    }
    sent
}

#[test]
fn what_is_not_touched_stays_as_it_is() {
    let rule = |check, with| json!({"enabled": true, "side": "both", "check": check, "action": {"kind": "replace", "with": with}});
    for (kind, value) in [
        (
            PolicyKind::Guardrail,
            rule(json!({"kind": "phrases", "phrases": [" a ", "b"]}), "w\nx"),
        ),
        (
            PolicyKind::Guardrail,
            rule(
                json!({"kind": "patterns", "patterns": ["(?x) a # b\n c ", "d "]}),
                "\r\nw",
            ),
        ),
        (
            PolicyKind::Guardrail,
            rule(json!({"kind": "pii", "kinds": ["phone", "email"]}), ""),
        ),
        (
            PolicyKind::Limit,
            json!({"description": " a\nb ", "rate": {"requests": 1, "window_seconds": 60},
                   "applies_to": {"keys": ["Doe, Jane", "[a]"], "models": [" m"]}}),
        ),
        (
            PolicyKind::Key,
            json!({"owner": "Ada ", "tags": ["x,y", "z"], "expires_at": "2027-01-02T03:04:05.678901Z"}),
        ),
        (PolicyKind::SystemPrompt, json!({"text": "a\r\nb\rc\n"})),
    ] {
        let before = policy(kind, &value);
        let sent = through_a_browser(&write(&before));
        let fields = Fields::of_policy(&sent, &before);
        assert_eq!(read(kind, &fields), before, "{value}");
        assert_eq!(fields.into_errors(), []);
    }
}

#[test]
fn a_blank_form_lacks_only_what_must_be_said() {
    for (kind, needed) in [
        (PolicyKind::Key, None),
        (PolicyKind::Project, None),
        (PolicyKind::Limit, Some("rate.requests")),
        (PolicyKind::Budget, Some("allowance.cost_nanos")),
        (PolicyKind::Guardrail, None),
        (PolicyKind::SystemPrompt, Some("text")),
        (PolicyKind::Cache, None),
    ] {
        let values = blank(kind, "pii");
        let fields = Fields::new(&values);
        read(kind, &fields);
        let errors = fields.into_errors();
        let names: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(names, Vec::from_iter(needed), "{kind:?}");
    }
}

#[test]
fn a_row_is_used_where_something_is_said() {
    let mut values = blank(PolicyKind::Key, "");
    for (name, value) in [
        ("rates[1].window_seconds", "1h"),
        ("rates[1].algorithm", "fixed_window"),
        ("rates[2].algorithm", "fixed_window"),
        ("allowances[0].requests", "5"),
        ("allowances[1].requests", "6"),
        ("allowances[1].alerts", ""),
        ("allowances[2].alerts", "50, 80, 100"),
    ] {
        values.put(name, value);
    }
    let fields = Fields::new(&values);
    let Policy::Key(key) = read(PolicyKind::Key, &fields) else {
        unreachable!("it is a key's form")
    };
    let errors = fields.into_errors();
    let names: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
    assert_eq!(names, ["rates[1].requests"]);
    let alerts: Vec<_> = key.allowances.into_iter().map(|one| one.alerts).collect();
    assert_eq!(alerts, [vec![50, 80, 100], vec![]]);
}

#[test]
fn what_cannot_be_read_is_told_at_its_field() {
    let values = [
        ("rate.requests", "many"),
        ("rate.window_seconds", "soon"),
        ("tags", r#"["Doe, Jane", b]"#),
        ("per", "planet"),
        ("allowance.cost_nanos", "1.2.3"),
        ("allowance.alerts", "50, x"),
        ("expires_at", "tomorrow"),
        ("check.kind", "vibes"),
        ("action.kind", "scold"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let values = values.to_vec().into();
    let wrong = |kind| {
        let fields = Fields::new(&values);
        read(kind, &fields);
        let errors = fields.into_errors();
        let mut names: Vec<_> = errors.into_iter().map(|error| error.field).collect();
        names.sort();
        names
    };
    assert_eq!(
        wrong(PolicyKind::Limit),
        ["per", "rate.requests", "rate.window_seconds"]
    );
    assert_eq!(
        wrong(PolicyKind::Budget),
        ["allowance.alerts", "allowance.cost_nanos", "per"]
    );
    assert_eq!(wrong(PolicyKind::Key), ["expires_at", "tags"]);
    assert_eq!(wrong(PolicyKind::Guardrail), ["action.kind", "check.kind"]);
}

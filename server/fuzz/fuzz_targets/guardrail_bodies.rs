//! A body that passes the rules stays JSON, and what is no text in it stays as it was.

#![no_main]

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use guardrails::{Active, BodyKind, Ruleset, Tally, pass_body};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use shared::policies::{Guardrail, Side};

static RULES: LazyLock<Active> = LazyLock::new(|| {
    let rules = [
        r#"{"check":{"kind":"phrases","phrases":["e","secret"]},"action":{"kind":"redact"}}"#,
        r#"{"check":{"kind":"pii"},"action":{"kind":"redact"}}"#,
        r#"{"check":{"kind":"patterns","patterns":["[0-9]+"]},"action":{"kind":"replace","with":"\"\\"}}"#,
    ];
    let rules = rules.iter().enumerate().map(|(index, json)| {
        let rule: Guardrail = serde_json::from_str(json).expect("a rule");
        (index.to_string(), rule)
    });
    let ruleset = Arc::new(Ruleset::new(&rules.collect::<BTreeMap<_, _>>()));
    let active = ruleset.active(Side::Request, 0..ruleset.rules.len());
    active.expect("rules on requests")
});

fuzz_target!(|input: &[u8]| {
    let body = Bytes::copy_from_slice(input);
    let before = serde_json::from_slice::<Value>(input).ok();
    for kind in [BodyKind::Chat, BodyKind::Texts, BodyKind::Unknown] {
        let passed = pass_body(&RULES, &body, kind, &mut Tally::default());
        let (Ok(Some(passed)), Some(before)) = (passed, &before) else {
            continue;
        };
        let after: Value = serde_json::from_slice(&passed).expect("JSON stays JSON");
        assert!(alike(before, &after), "{before} {after}");
    }
});

/// Whether they differ in nothing but texts, and in names and numbers where these are texts.
fn alike(before: &Value, after: &Value) -> bool {
    match (before, after) {
        (Value::String(_), Value::String(_)) | (Value::Number(_), Value::String(_)) => true,
        (Value::Array(before), Value::Array(after)) => {
            let mut pairs = before.iter().zip(after);
            before.len() == after.len() && pairs.all(|(one, other)| alike(one, other))
        }
        (Value::Object(before), Value::Object(after)) => {
            // What stands in the place of several names may be the same.
            if !before.keys().eq(after.keys()) {
                return after.len() <= before.len();
            }
            let mut pairs = before.values().zip(after.values());
            pairs.all(|(one, other)| alike(one, other))
        }
        _ => before == after,
    }
}

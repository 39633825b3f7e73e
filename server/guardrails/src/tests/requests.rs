//! What a request says is seen wherever it stands, and what cannot be seen is refused.

use bytes::Bytes;
use llm::error::ApiError;
use shared::policies::{RuleVerdict, Side};

use super::{BAN, BAN_POLITELY, REDACT, SHORT, ruleset};
use crate::body::{BodyKind, pass_body};
use crate::refusal::Refusal;
use crate::ruleset::Active;
use crate::tally::Tally;

const FLAG: &str =
    r#"{"check":{"kind":"phrases","phrases":["forbidden words"]},"action":{"kind":"flag"}}"#;

fn active(rules: &[&str]) -> Active {
    let ruleset = ruleset(rules);
    let active = ruleset.active(Side::Request, 0..ruleset.rules.len());
    active.unwrap()
}

/// What goes on of a body.
fn passed(rules: &[&str], kind: BodyKind, body: &str) -> Result<Option<String>, Refusal> {
    let active = active(rules);
    let body = Bytes::copy_from_slice(body.as_bytes());
    let passed = pass_body(&active, &body, kind, &mut Tally::default());
    match passed {
        Ok(new) => Ok(new.map(|new| String::from_utf8(new.to_vec()).unwrap())),
        Err(blocked) => Err(Refusal::of(&active, blocked)),
    }
}

fn error(refusal: Refusal) -> ApiError {
    match refusal {
        Refusal::Error(error) => error,
        Refusal::Answer(message) => panic!("{message}"),
    }
}

const KINDS: [BodyKind; 3] = [BodyKind::Chat, BodyKind::Texts, BodyKind::Unknown];

#[test]
fn what_is_no_json_is_refused_by_rules_that_act() {
    // With a mark in front, twice, with a comma too many, and what nobody reads.
    for body in [
        "\u{feff}{\"input\":\"forbidden words\"}",
        "{\"input\":\"forbidden words\"} {}",
        "{\"input\":\"forbidden words\",}",
        "input=forbidden+words",
    ] {
        for kind in KINDS {
            let refused = error(passed(&[FLAG, BAN_POLITELY], kind, body).unwrap_err());
            assert_eq!(
                refused.message,
                "The body is no JSON that the guardrail `rule 1` could read."
            );
            assert_eq!(refused.code.as_deref(), Some("guardrail_cannot_read"));
            assert_eq!(refused.kind.status(), 400);
            assert_eq!(passed(&[FLAG], kind, body), Ok(None));
        }
    }
    assert_eq!(passed(&[BAN], BodyKind::Unknown, ""), Ok(None));
    let mut tally = Tally::default();
    let body = Bytes::from_static(b"no JSON");
    let refused = pass_body(&active(&[BAN]), &body, BodyKind::Texts, &mut tally);
    assert!(refused.is_err());
    assert_eq!(tally.verdict(0), Some(RuleVerdict::Blocked));
}

#[test]
fn token_ids_are_refused_by_rules_that_read_texts() {
    for body in [
        r#"{"model":"m","input":[1,2]}"#,
        r#"{"model":"m","input":[[1,2],[3]]}"#,
        r#"{"model":"m","prompt":[1,2]}"#,
        r#"{"model":"m","prompt":["a text",[1,2]]}"#,
    ] {
        for kind in [BodyKind::Chat, BodyKind::Texts] {
            let refused = error(passed(&[SHORT, FLAG, REDACT], kind, body).unwrap_err());
            assert_eq!(
                refused.message,
                "The input is token ids, which the guardrail `rule 2` cannot read: send the text."
            );
            assert_eq!(refused.code.as_deref(), Some("guardrail_cannot_read"));
            assert_eq!(passed(&[SHORT, FLAG], kind, body), Ok(None));
        }
    }
    let body = r#"{"model":"m","input":"a text","dimensions":256,"messages":[{"role":"user","content":"a","n":1}]}"#;
    for kind in KINDS {
        assert_eq!(passed(&[BAN], kind, body), Ok(None));
    }
}

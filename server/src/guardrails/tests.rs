//! Rules can be tried.

use std::collections::BTreeMap;

use shared::policies::{Guardrail, RuleVerdict, Side, TestedText};

use super::Guardrails;

const REDACT: &str =
    r#"{"check":{"kind":"phrases","phrases":["secret","straße"]},"action":{"kind":"redact"}}"#;
const BAN: &str = r#"{"check":{"kind":"phrases","phrases":["Forbidden words"],"whole_word":true},"action":{"kind":"block"}}"#;
const PII: &str = r#"{"check":{"kind":"pii"},"action":{"kind":"redact"}}"#;

#[tokio::test]
async fn rules_can_be_tried() {
    let rules = [REDACT, BAN].map(|json| serde_json::from_str::<Guardrail>(json).unwrap());
    let rules = ["a", "b"].map(str::to_owned).into_iter().zip(rules);
    let guardrails = Guardrails::new(&rules.collect());
    let tested = async |text: &str, side, rule: Option<&str>| {
        let tested = TestedText {
            text: text.to_owned(),
            side,
            key: None,
            model: None,
            rule: rule.map(|json| Box::new(serde_json::from_str(json).unwrap())),
            name: None,
        };
        guardrails.test(&tested, None).await
    };
    for side in [Side::Request, Side::Reply] {
        let report = tested("ä secret", side, None).await;
        assert_eq!(report.text.as_deref(), Some("ä [REDACTED]"));
        assert_eq!(report.rules[0].verdict, RuleVerdict::Changed);
        assert_eq!(report.rules[0].found, ["phrase at 2..8"]);
        assert_eq!(report.rules[1].verdict, RuleVerdict::Passed);
        let report = tested("forbidden words", side, Some(PII)).await;
        assert_eq!(report.text, None);
        assert!(report.refusal.unwrap().contains("`b`"));
        let verdicts: Vec<_> = report.rules.iter().map(|rule| rule.verdict).collect();
        let expected = [
            RuleVerdict::Passed,
            RuleVerdict::Passed,
            RuleVerdict::Blocked,
        ];
        assert_eq!(verdicts, expected);
    }
    // One that is not in force yet is tried where it would act, and in place of what it is called.
    let mut rule: Guardrail = serde_json::from_str(BAN).unwrap();
    rule.enabled = false;
    for (name, order, names, blocks) in [
        (None, 1, &["a", "b", "(new)"][..], "b"),
        (None, 0, &["(new)", "a", "b"], "(new)"),
        (Some("a"), 0, &["a", "b"], "a"),
        (Some("c"), 0, &["a", "b", "c"], "b"),
    ] {
        rule.order = order;
        let tested = TestedText {
            text: "forbidden words, secret".to_owned(),
            side: Side::Request,
            key: None,
            model: None,
            rule: Some(Box::new(rule.clone())),
            name: name.map(str::to_owned),
        };
        let report = guardrails.test(&tested, None).await;
        let tried: Vec<_> = report.rules.iter().map(|rule| &*rule.name).collect();
        assert_eq!(tried, names);
        let mut rules = report.rules.iter();
        let blocked = rules.find(|rule| rule.verdict == RuleVerdict::Blocked);
        assert_eq!(blocked.map(|rule| &*rule.name), Some(blocks));
    }
    assert!(guardrails.triggered().is_empty());
}

#[tokio::test]
async fn others_are_served_while_rules_are_compiled() {
    let guardrails = Guardrails::new(&BTreeMap::new());
    let tested = TestedText {
        text: "a secret".to_owned(),
        side: Side::Request,
        key: None,
        model: None,
        rule: Some(Box::new(serde_json::from_str(REDACT).unwrap())),
        name: None,
    };
    let mut served = 0;
    let others = async {
        loop {
            tokio::task::yield_now().await;
            served += 1;
        }
    };
    let report = tokio::select! {
        biased;
        report = guardrails.test(&tested, None) => report,
        () = others => unreachable!(),
    };
    assert_eq!(report.text.as_deref(), Some("a [REDACTED]"));
    assert!(served > 0);
}

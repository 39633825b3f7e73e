//! What guardrails cost a request: `cargo run --release -p server --example guardrails_bench`
//!
//! A request with 1 KB of text, in which nothing is found, through ten rules of all kinds and through 1,000 of one.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use bytes::Bytes;
use futures_util::FutureExt;
use server::auth::Caller;
use server::guardrails::{Asked, BodyKind, Guardrails};
use shared::policies::Guardrail;

const ROUNDS: u32 = 20_000;

const TEN: [&str; 10] = [
    r#"{"check":{"kind":"phrases","phrases":["project nightingale","top secret"]},"action":{"kind":"block"}}"#,
    r#"{"check":{"kind":"phrases","phrases":["damn","hell"],"whole_word":true},"action":{"kind":"redact"}}"#,
    r#"{"check":{"kind":"patterns","patterns":["\\bACME-\\d{4,8}\\b"]},"action":{"kind":"redact"}}"#,
    r#"{"check":{"kind":"patterns","patterns":["(?i)internal use only","ticket #\\d+"]},"action":{"kind":"block"}}"#,
    r#"{"check":{"kind":"pii"},"action":{"kind":"redact"}}"#,
    r#"{"check":{"kind":"injection"},"action":{"kind":"block"}}"#,
    r#"{"check":{"kind":"length","max":100000},"action":{"kind":"truncate"}}"#,
    r#"{"check":{"kind":"length","min":1},"action":{"kind":"block"}}"#,
    r#"{"check":{"kind":"phrases","phrases":["competitor one"]},"action":{"kind":"replace","with":"others"}}"#,
    r#"{"check":{"kind":"pii","kinds":["secret"]},"action":{"kind":"block"}}"#,
];

fn main() {
    let words =
        "The quarterly report shows that revenue grew in most regions, while costs were stable. ";
    let text: String = words.chars().cycle().take(1024).collect();
    let body = serde_json::json!({"model": "m", "messages": [{"role": "user", "content": text}]});
    let body = Bytes::from(body.to_string());
    let ten = TEN.map(str::to_owned);
    // With any letter at the beginning, as in a list that somebody wrote.
    let thousand = (b'a'..=b'z').cycle().zip(0..1000).map(|(letter, n)| {
        let phrase = format!("{}anned phrase number {n}", char::from(letter));
        format!(
            r#"{{"check":{{"kind":"phrases","phrases":["{phrase}"]}},"action":{{"kind":"block"}}}}"#
        )
    });
    measure("none", &body, []);
    measure("ten rules", &body, ten);
    measure("1,000 phrases", &body, thousand);
}

fn measure(name: &str, body: &Bytes, rules: impl IntoIterator<Item = String>) {
    let rules = rules.into_iter().enumerate().map(|(n, json)| {
        let rule: Guardrail = serde_json::from_str(&json).expect("a rule");
        (format!("rule {n:04}"), rule)
    });
    let guardrails = Guardrails::new(&rules.collect::<BTreeMap<_, _>>());
    let caller = Caller::default();
    let asked = Asked {
        caller: &caller,
        model: Some("m"),
    };
    let report = guardrails.report();
    let started = Instant::now();
    for _ in 0..ROUNDS {
        let checked = guardrails.check_body(asked, body, BodyKind::Chat, report.as_ref(), None);
        let passed = checked.now_or_never().expect("nobody is asked");
        assert!(black_box(passed).is_ok_and(|changed| changed.is_none()));
    }
    let each = started.elapsed() / ROUNDS;
    println!("{name}: {:.2} µs", each.as_secs_f64() * 1e6);
}

//! However a reply is parted, its client gets the same, and nothing of what is banned.

#![no_main]

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use futures_util::FutureExt as _;
use guardrails::{About, Active, Passed, ReplyGuard, Report, Ruleset};
use libfuzzer_sys::fuzz_target;
use llm::Text;
use llm::chat::{Block, FinishReason, StreamEvent};
use shared::policies::{Guardrail, Side};

/// One of each kind that looks into texts.
const RULES: [&str; 8] = [
    r#"{"check":{"kind":"phrases","phrases":["secret","straße"]},"action":{"kind":"redact"}}"#,
    r#"{"check":{"kind":"phrases","phrases":["Forbidden words"],"whole_word":true},"action":{"kind":"block"}}"#,
    r#"{"check":{"kind":"pii"},"action":{"kind":"redact"}}"#,
    r#"{"check":{"kind":"patterns","patterns":["a[0-9]+b","begin.*end"]},"action":{"kind":"replace","with":"W"}}"#,
    r#"{"check":{"kind":"patterns","patterns":["^\\w+","(?m)^d"]},"action":{"kind":"flag"}}"#,
    r#"{"check":{"kind":"injection","threshold":4},"action":{"kind":"block"}}"#,
    r#"{"check":{"kind":"length","max":40},"action":{"kind":"truncate"}}"#,
    r#"{"check":{"kind":"disclaimer","text":"No advice."},"action":{"kind":"append"}}"#,
];

thread_local! {
    /// Compiling them takes far longer than passing them.
    static COMPILED: RefCell<HashMap<u8, Option<Active>>> = RefCell::default();
}

fuzz_target!(|input: (u8, String, Vec<u8>)| {
    let (chosen, text, cuts) = input;
    let compiled =
        COMPILED.with_borrow_mut(|all| all.entry(chosen).or_insert_with(|| rules(chosen)).clone());
    let Some(active) = compiled else { return };
    let whole = said(&active, &[&text]);
    let mut pieces = Vec::new();
    let mut rest = text.as_str();
    for cut in cuts {
        let (piece, more) =
            rest.split_at(rest.floor_char_boundary(usize::from(cut).min(rest.len())));
        pieces.push(piece);
        rest = more;
    }
    pieces.push(rest);
    assert_eq!(said(&active, &pieces), whole);
    if chosen & 1 == 1 && chosen & 8 == 0 {
        let out = whole.0.to_lowercase();
        assert!(!out.contains("secret") && !out.contains("straße"), "{out}");
    }
});

fn rules(chosen: u8) -> Option<Active> {
    let rules = RULES.iter().enumerate();
    let rules = rules.filter(|(index, _)| chosen >> index & 1 == 1);
    let rules = rules.map(|(index, json)| {
        let mut rule: Guardrail = serde_json::from_str(json).expect("a rule");
        rule.order = index as i32;
        (index.to_string(), rule)
    });
    let ruleset = Arc::new(Ruleset::new(&rules.collect::<BTreeMap<_, _>>()));
    ruleset.active(Side::Reply, 0..ruleset.rules.len())
}

/// What the client gets of a reply in these pieces, and how it ends.
fn said(active: &Active, pieces: &[&str]) -> (String, Option<FinishReason>, bool) {
    let (choice, index) = (0, 0);
    let mut events = vec![StreamEvent::BlockStarted {
        choice,
        index,
        block: Block::Text,
    }];
    events.extend(pieces.iter().map(|piece| StreamEvent::BlockDelta {
        choice,
        index,
        text: Text::from(*piece),
    }));
    events.push(StreamEvent::Finished {
        choice,
        reason: FinishReason::Stop,
    });
    let mut guard = ReplyGuard::new(active.clone(), About::default(), None, Report::default());
    let mut out = Vec::new();
    for event in &events {
        match guard.push(std::slice::from_ref(event), &mut out) {
            Ok(Passed::Unchanged) => out.push(event.clone()),
            Ok(Passed::Rewritten) => {}
            Ok(Passed::Ended) => return told(&out, false),
            Err(_) => return told(&out, true),
        }
    }
    let (rest, finished) = guard.finish().now_or_never().expect("nobody else is asked");
    out.extend(rest);
    told(&out, finished.is_err())
}

fn told(events: &[StreamEvent], refused: bool) -> (String, Option<FinishReason>, bool) {
    let mut text = String::new();
    let mut end = None;
    for event in events {
        match event {
            StreamEvent::BlockDelta { text: more, .. } => text.push_str(more),
            StreamEvent::Finished { reason, .. } => end = Some(reason.clone()),
            _ => {}
        }
    }
    (text, end, refused)
}

//! A text comes out the same however it was parted, and nothing of what is banned comes out.

mod requests;

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::FutureExt as _;
use llm::Text;
use llm::chat::{
    Block, ChatResponse, Collector, FinishReason, StreamEvent, TokenLogprob, ToolKind, collect,
};
use llm::error::ApiError;
use llm::json::Json;
use proptest::prelude::*;
use shared::policies::{Guardrail, Side};

use crate::body::{BodyKind, pass_body};
use crate::outside::About;
use crate::report::Report;
use crate::ruleset::{Active, Ruleset};
use crate::tally::Tally;
use crate::{Passed, ReplyGuard};

pub fn ruleset(rules: &[&str]) -> Arc<Ruleset> {
    let rules = rules.iter().enumerate().map(|(index, json)| {
        let mut rule: Guardrail = serde_json::from_str(json).unwrap();
        rule.order = i32::try_from(index).unwrap();
        let wrong = crate::check(&rule);
        assert!(wrong.is_empty(), "{json}: {wrong:?}");
        (format!("rule {index}"), rule)
    });
    Arc::new(Ruleset::new(&rules.collect::<BTreeMap<_, _>>()))
}

fn active(rules: &[&str]) -> Active {
    let active = {
        let ruleset = ruleset(rules);
        ruleset.active(Side::Reply, 0..ruleset.rules.len())
    };
    active.unwrap()
}

fn guard(active: &Active) -> ReplyGuard {
    ReplyGuard::new(active.clone(), About::default(), None, Report::default())
}

/// What a client gets of these events.
async fn passed(active: &Active, events: &[StreamEvent]) -> (Vec<StreamEvent>, Option<ApiError>) {
    let mut guard = guard(active);
    let mut out = Vec::new();
    for event in events {
        match guard.push(std::slice::from_ref(event), &mut out) {
            Ok(Passed::Unchanged) => out.push(event.clone()),
            Ok(Passed::Rewritten) => {}
            Ok(Passed::Ended) => return (out, None),
            Err(error) => return (out, Some(error)),
        }
    }
    let (rest, finished) = guard.finish().await;
    out.extend(rest);
    (out, finished.err())
}

/// Nobody else is asked, so nothing is waited for.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().unwrap()
}

fn started(choice: u32, index: u32, block: Block) -> StreamEvent {
    StreamEvent::BlockStarted {
        choice,
        index,
        block,
    }
}

fn delta(choice: u32, index: u32, text: &str) -> StreamEvent {
    StreamEvent::BlockDelta {
        choice,
        index,
        text: Text::from(text),
    }
}

fn finished(choice: u32) -> StreamEvent {
    StreamEvent::Finished {
        choice,
        reason: FinishReason::Stop,
    }
}

/// A reply of one text, in these pieces.
fn reply(pieces: &[&str]) -> Vec<StreamEvent> {
    let mut events = vec![
        StreamEvent::Started {
            id: Text::from("id"),
            model: Text::from("m"),
            created: None,
        },
        started(0, 0, Block::Text),
    ];
    let pieces = pieces.iter().filter(|piece| !piece.is_empty());
    events.extend(pieces.map(|piece| delta(0, 0, piece)));
    events.push(finished(0));
    events
}

/// All that is said in a reply, and how it ends.
fn said(events: &[StreamEvent]) -> (String, Option<FinishReason>) {
    let response = collect(events);
    let choice = response.choices.first();
    let texts = choice.iter().flat_map(|choice| &choice.blocks);
    let text = texts.map(|content| content.text.as_str()).collect();
    (text, choice.and_then(|choice| choice.finish.clone()))
}

/// The text in two pieces at every place, and character by character: all the same as in one.
fn same_at_every_split(rules: &[&str], text: &str) -> (String, Option<FinishReason>, bool) {
    let active = active(rules);
    block_on(async {
        let (events, error) = passed(&active, &reply(&[text])).await;
        let (whole, finish) = said(&events);
        let refused = error.map(|error| error.code);
        let check = async |pieces: &[&str]| {
            let (events, error) = passed(&active, &reply(pieces)).await;
            assert_eq!(said(&events), (whole.clone(), finish.clone()), "{pieces:?}");
            assert_eq!(error.map(|error| error.code), refused, "{pieces:?}");
        };
        for (at, _) in text.char_indices() {
            check(&[&text[..at], &text[at..]]).await;
        }
        let mut buffer = [0; 4];
        let characters: Vec<String> = text
            .chars()
            .map(|one| one.encode_utf8(&mut buffer).to_owned())
            .collect();
        let characters: Vec<&str> = characters.iter().map(String::as_str).collect();
        check(&characters).await;
        (whole, finish, refused.is_some())
    })
}

const BAN: &str = r#"{"check":{"kind":"phrases","phrases":["Forbidden words"],"whole_word":true},"action":{"kind":"block"}}"#;
const BAN_POLITELY: &str = r#"{"check":{"kind":"phrases","phrases":["Forbidden words"]},"action":{"kind":"block","message":"No."}}"#;
const REDACT: &str =
    r#"{"check":{"kind":"phrases","phrases":["secret","straße"]},"action":{"kind":"redact"}}"#;
const PII: &str = r#"{"check":{"kind":"pii"},"action":{"kind":"redact"}}"#;
const PATTERN: &str = r#"{"check":{"kind":"patterns","patterns":["\\bid-\\d{4}\\b","x+y"]},"action":{"kind":"replace","with":"<id>"}}"#;
const SHORT: &str = r#"{"check":{"kind":"length","max":20},"action":{"kind":"truncate"}}"#;
const DISCLAIMER: &str =
    r#"{"check":{"kind":"disclaimer","text":"No advice."},"action":{"kind":"append"}}"#;

#[test]
fn what_is_banned_never_comes_out() {
    let text = "Well, there are FORBIDDEN WORDS in it, and more.";
    let (out, finish, refused) = same_at_every_split(&[BAN], text);
    assert_eq!(
        (out.as_str(), finish, refused),
        ("Well, there are ", None, true)
    );
    let (out, finish, refused) = same_at_every_split(&[BAN_POLITELY], text);
    let filtered = Some(FinishReason::ContentFilter);
    assert_eq!(
        (out.as_str(), finish, refused),
        ("Well, there are \n\nNo.", filtered, false)
    );
    // At the very end, nothing follows that would tell.
    let (out, ..) = same_at_every_split(&[BAN], "forbidden words");
    assert_eq!(out, "");
    let (out, ..) = same_at_every_split(&[BAN], "forbidden wordsmiths, forbidden word");
    assert_eq!(out, "forbidden wordsmiths, forbidden word");
}

#[test]
fn what_is_replaced_is_replaced_whole() {
    for (rules, text, expected) in [
        (
            &[REDACT][..],
            "A Secret STRAẞE, a secre.",
            "A [REDACTED] [REDACTED], a secre.",
        ),
        (
            &[PATTERN],
            "id-1234 id-12345 xxxxy xx",
            "<id> id-12345 <id> xx",
        ),
        (
            &[PII],
            "Mail jane.doe@example.com, card 4111 1111 1111 1111, or call +49 30 1234567!",
            "Mail [EMAIL], card [CREDIT_CARD], or call [PHONE]!",
        ),
        (
            &[PII],
            "IBAN GB82 WEST 1234 5698 7654 32 or de89370400440532013000; 10.0.0.1 fe80::1 078-05-1120",
            "IBAN [IBAN] or [IBAN]; [IP_ADDRESS] [IP_ADDRESS] [US_SSN]",
        ),
        (
            &[PII],
            "key sk-ant-api03-aB3aB3aB3aB3aB3aB3aB3aB3aB3aB3aB3aB3 and AKIAIOSFODNN7EXAMPLE",
            "key [SECRET] and [SECRET]",
        ),
        // The one that begins first; of those that begin together the first in order.
        (
            &[REDACT, PATTERN, PII],
            "secret@x.org id-1234",
            "[REDACTED]@x.org <id>",
        ),
        (&[PII, REDACT], "secret@x.org", "[EMAIL]"),
    ] {
        let (out, finish, refused) = same_at_every_split(rules, text);
        assert_eq!(out, expected);
        assert_eq!((finish, refused), (Some(FinishReason::Stop), false));
    }
}

#[test]
fn a_long_secret_goes_whole() {
    let key = format!(
        "-----BEGIN RSA PRIVATE KEY-----\n{}-----END RSA PRIVATE KEY-----",
        "MIIEowIBAAKCAQEA+/aB3aB3aB3aB3aB3aB3aB3aB3aB3aB3aB3aB3aB3aB3aB3a\n".repeat(40)
    );
    let text = format!("Here: {key}. That was all.");
    let active = active(&[PII]);
    block_on(async {
        for size in [1, 7, 100, 5000] {
            let pieces: Vec<&str> = text
                .as_bytes()
                .chunks(size)
                .map(|piece| std::str::from_utf8(piece).unwrap())
                .collect();
            let (events, _) = passed(&active, &reply(&pieces)).await;
            assert_eq!(said(&events).0, "Here: [SECRET]. That was all.");
        }
    });
}

#[test]
fn an_earlier_rule_takes_out_what_a_later_one_would_refuse() {
    let redact_words =
        r#"{"check":{"kind":"phrases","phrases":["forbidden"]},"action":{"kind":"redact"}}"#;
    let text = "some forbidden words here";
    let (out, _, refused) = same_at_every_split(&[redact_words, BAN], text);
    assert_eq!(
        (out.as_str(), refused),
        ("some [REDACTED] words here", false)
    );
    let (out, _, refused) = same_at_every_split(&[BAN, redact_words], text);
    assert_eq!((out.as_str(), refused), ("some ", true));
    // One that begins before does not hide it from a rule that comes before in order.
    let wide =
        r#"{"check":{"kind":"phrases","phrases":["some forbidden"]},"action":{"kind":"redact"}}"#;
    let (_, _, refused) = same_at_every_split(&[BAN, wide], text);
    assert!(refused);
}

#[test]
fn what_is_too_long_is_cut_and_what_is_missing_added() {
    let text = "Twenty characters, äöü and more";
    let (out, finish, _) = same_at_every_split(&[SHORT], text);
    assert_eq!(out, "Twenty characters, ä");
    assert_eq!(finish, Some(FinishReason::Length));
    let (out, finish, _) = same_at_every_split(&[SHORT, DISCLAIMER], text);
    assert_eq!(out, "Twenty characters, ä\n\nNo advice.");
    assert_eq!(finish, Some(FinishReason::Length));
    let (out, ..) = same_at_every_split(&[DISCLAIMER], "Buy it. No advice. Sell it.");
    assert_eq!(out, "Buy it. No advice. Sell it.");
    let (out, ..) = same_at_every_split(&[DISCLAIMER], "Buy it.");
    assert_eq!(out, "Buy it.\n\nNo advice.");
    // Banned words behind the cut are not said, and not refused.
    let (out, _, refused) =
        same_at_every_split(&[SHORT, BAN], "Twenty characters, and forbidden words");
    assert_eq!((out.as_str(), refused), ("Twenty characters, a", false));
}

#[test]
fn rules_that_need_all_of_it_hold_all_of_it() {
    let long =
        r#"{"check":{"kind":"length","min":10},"action":{"kind":"block","message":"Too short."}}"#;
    let json =
        r#"{"check":{"kind":"json_schema","schema":{"type":"object"}},"action":{"kind":"block"}}"#;
    let (out, finish, _) = same_at_every_split(&[long], "short");
    assert_eq!(
        (out.as_str(), finish),
        ("Too short.", Some(FinishReason::ContentFilter))
    );
    let (out, finish, _) = same_at_every_split(&[long], "long enough");
    assert_eq!(
        (out.as_str(), finish),
        ("long enough", Some(FinishReason::Stop))
    );
    let (out, _, refused) = same_at_every_split(&[json], "no JSON");
    assert_eq!((out.as_str(), refused), ("", true));
    let (out, _, refused) = same_at_every_split(&[json], "{\"a\": 1}");
    assert_eq!((out.as_str(), refused), ("{\"a\": 1}", false));
}

#[test]
fn a_rule_in_the_shadow_changes_nothing() {
    let shadow = BAN.replace("{\"check\"", "{\"shadow\":true,\"check\"");
    let active = active(&[&shadow]);
    block_on(async {
        let events = reply(&["some forbid", "den words"]);
        let mut guard = guard(&active);
        let mut out = Vec::new();
        assert_eq!(guard.push(&events, &mut out), Ok(Passed::Unchanged));
        assert!(out.is_empty());
        let (rest, _) = guard.finish().await;
        assert!(rest.is_empty());
        let (out, error) = passed(&active, &events).await;
        assert_eq!((out, error), (events, None));
    });
}

#[test]
fn text_flows_on() {
    let active = active(&[BAN, PII]);
    let mut guard = guard(&active);
    let mut out = Vec::new();
    guard.push(&reply(&[])[..2], &mut out).unwrap();
    let mut told = 0;
    for word in
        "This is a text of some words that nobody has banned so far at all".split_inclusive(' ')
    {
        let mut more = Vec::new();
        guard.push(&[delta(0, 0, word)], &mut more).unwrap();
        told += word.len();
        out.extend(more);
        let (text, _) = said(&out);
        assert!(told - text.len() <= "forbidden words".len() + 8, "{text:?}");
    }
}

#[test]
fn choices_and_blocks_are_told_apart() {
    let active = active(&[REDACT]);
    let call = Block::ToolCall {
        id: Text::from("c"),
        name: Text::from("f"),
        kind: ToolKind::Function,
    };
    let events = [
        started(0, 0, Block::Reasoning),
        started(1, 0, Block::Text),
        delta(0, 0, "a sec"),
        delta(1, 0, "the sec"),
        delta(0, 0, "ret"),
        delta(1, 0, "ond"),
        started(0, 1, Block::Text),
        delta(0, 1, "se"),
        delta(0, 1, "cret!"),
        started(0, 2, call),
        delta(0, 2, "{\"q\":\"\\u0073ec"),
        delta(0, 2, "ret\",\"n\":1.0}"),
        finished(0),
        finished(1),
    ];
    let (out, error) = block_on(passed(&active, &events));
    assert_eq!(error, None);
    let response = collect(&out);
    let texts: Vec<Vec<&str>> = response
        .choices
        .iter()
        .map(|choice| choice.blocks.iter().map(|block| &*block.text).collect())
        .collect();
    let expected = vec![
        vec![
            "a [REDACTED]",
            "[REDACTED]!",
            "{\"q\":\"[REDACTED]\",\"n\":1.0}",
        ],
        vec!["the second"],
    ];
    assert_eq!(texts, expected);
}

#[test]
fn tokens_are_told_with_their_text_or_not_at_all() {
    let active = active(&[REDACT]);
    let logprobs = |token: &str| StreamEvent::Logprobs {
        choice: 0,
        tokens: vec![TokenLogprob {
            token: Text::from(token),
            logprob: Json::of_valid(Text::from("-0.5")),
            top: Vec::new(),
        }],
    };
    let told = |last: &str| {
        let events = [
            started(0, 0, Block::Text),
            delta(0, 0, "a sec"),
            logprobs("a sec"),
            delta(0, 0, last),
            logprobs(last),
            finished(0),
        ];
        let (out, _) = block_on(passed(&active, &events));
        collect(&out).choices[0].logprobs.len()
    };
    assert_eq!(told("ond"), 2);
    assert_eq!(told("ret"), 0);
}

#[test]
fn a_whole_reply_is_all_or_nothing() {
    let active = active(&[BAN_POLITELY, REDACT]);
    let whole = |text: &str| {
        let response = Box::new(collect(&reply(&[text])));
        block_on(guard(&active).whole(response))
    };
    let text = |response: &ChatResponse| said(&response.events());
    let refused = whole("Well, forbidden words.").unwrap();
    assert_eq!(
        text(&refused),
        ("No.".to_owned(), Some(FinishReason::ContentFilter))
    );
    let redacted = whole("Well, secret words.").unwrap();
    assert_eq!(text(&redacted).0, "Well, [REDACTED] words.");
}

/// Texts in which rules find something, often cut off.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("secret"),
        Just("Straße"),
        Just("STRAẞE"),
        Just("forbidden"),
        Just(" words"),
        Just("id-1234"),
        Just("id-"),
        Just("12345"),
        Just("xxxx"),
        Just("y"),
        Just(" "),
        Just("jane@example.com"),
        Just("@"),
        Just("."),
        Just("4111 1111 1111 1111"),
        Just("+49 30 1234567"),
        Just("078-05-1120"),
        Just("10.0.0.1"),
        Just("fe80::1"),
        Just("GB82 WEST 1234 5698 7654 32"),
        Just("DE89 3704 "),
        Just("AKIAIOSFODNN7EXAMPLE"),
        Just("sk-aB3aB3aB3aB3aB3aB3aB3"),
        Just("-----BEGIN RSA PRIVATE KEY-----\nMII"),
        Just("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0"),
        Just("No advice."),
        Just("No adv"),
        Just("\u{212a}"),
        Just("\n"),
        Just("ä"),
        Just("begin the end"),
        Just("begin"),
        Just("end"),
    ];
    proptest::collection::vec(
        prop_oneof![3 => piece.prop_map(str::to_owned), 1 => ".{0,5}"],
        0..10,
    )
    .prop_map(|pieces| pieces.concat())
}

const ALL: &[&str] = &[
    BAN,
    BAN_POLITELY,
    REDACT,
    PII,
    PATTERN,
    SHORT,
    DISCLAIMER,
    r#"{"check":{"kind":"patterns","patterns":["begin.*end"]},"action":{"kind":"redact"}}"#,
    r#"{"check":{"kind":"patterns","patterns":["^\\w+", "(?m)^d"]},"action":{"kind":"replace","with":"W"}}"#,
    r#"{"check":{"kind":"pii","kinds":["email"]},"action":{"kind":"block"}}"#,
    r#"{"check":{"kind":"phrases","phrases":["e","secret s"]},"action":{"kind":"flag"}}"#,
    r#"{"check":{"kind":"injection","threshold":4},"action":{"kind":"block"}}"#,
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn it_makes_no_difference_how_a_text_is_parted(
        text in text(),
        rules in proptest::sample::subsequence(ALL, 1..5),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let active = active(&rules);
        let mut places: Vec<usize> = cuts.iter().map(|cut| text.floor_char_boundary(cut.index(text.len() + 1))).collect();
        places.push(0);
        places.push(text.len());
        places.sort_unstable();
        let pieces: Vec<&str> = places.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
        let (one, one_error) = block_on(passed(&active, &reply(&[&text])));
        let (many, many_error) = block_on(passed(&active, &reply(&pieces)));
        prop_assert_eq!(said(&one), said(&many), "{:?} {:?}", pieces, rules);
        prop_assert_eq!(one_error, many_error);
    }

    #[test]
    fn no_banned_word_comes_out(text in text(), cut in any::<prop::sample::Index>()) {
        let banned = r#"{"check":{"kind":"phrases","phrases":["secret","straße","xy"]},"action":{"kind":"redact"}}"#;
        let active = active(&[banned]);
        let cut = text.floor_char_boundary(cut.index(text.len() + 1));
        let (out, _) = block_on(passed(&active, &reply(&[&text[..cut], &text[cut..]])));
        let out = said(&out).0.to_lowercase();
        // What was taken out may join what stood beside it; the mark stands between.
        prop_assert!(!out.contains("secret") && !out.contains("straße") && !out.contains("xy"), "{}", out);
    }

    #[test]
    fn any_bytes_as_events(bytes in proptest::collection::vec(any::<u8>(), 0..300), rules in proptest::sample::subsequence(ALL, 1..6)) {
        let active = active(&rules);
        let mut events = Vec::new();
        let mut blocks = [0u32; 3];
        for piece in bytes.chunks(7) {
            let choice = u32::from(piece[0] % 3);
            let index = blocks[choice as usize];
            let text = String::from_utf8_lossy(&piece[1..]).into_owned();
            events.push(match piece[0] / 3 % 6 {
                0 => { blocks[choice as usize] += 1; started(choice, index, Block::Text) }
                1 => { blocks[choice as usize] += 1; started(choice, index, Block::Reasoning) }
                2 => finished(choice),
                _ => delta(choice, index.saturating_sub(1), &text),
            });
        }
        let mut collector = Collector::new();
        let (out, _) = block_on(passed(&active, &events));
        out.iter().for_each(|event| collector.push(event));
        collector.finish();
    }

    #[test]
    fn any_body(body in prop_oneof![".{0,80}", "[\\[\\]{}\":,a-z0-9 \\\\]{0,80}"], text in text(), rules in proptest::sample::subsequence(ALL, 1..6)) {
        let active = active(&rules);
        let wrapped = serde_json::json!({"messages": [{"role": "user", "content": text, "odd": 1}]});
        for kind in [BodyKind::Chat, BodyKind::Texts, BodyKind::Unknown] {
            let _ = pass_body(&active, &body.clone().into(), kind, &mut Tally::default());
            let passed = pass_body(&active, &wrapped.to_string().into(), kind, &mut Tally::default());
            if let Ok(Some(passed)) = passed {
                let passed: serde_json::Value = serde_json::from_slice(&passed).unwrap();
                if kind == BodyKind::Unknown {
                    continue;
                }
                prop_assert_eq!(&passed["messages"][0]["odd"], &serde_json::json!(1));
            }
        }
    }
}

//! However blocks follow each other, and however what they say is parted.

use llm::chat::{Block, ChatResponse, StreamEvent, collect};
use proptest::prelude::*;

use super::{
    BAN, INJECTION, PATTERN, PII, REDACT, WORD, active, assert_in_order, call, delta, finished,
    read, start, streamed, texts, whole,
};
use crate::search::whole_text;
use crate::tally::Tally;

/// One piece of a reply: what kind of block says it, whether that is a new one, and what.
type Said = (usize, bool, String);

fn said() -> impl Strategy<Value = Vec<Said>> {
    let word = prop_oneof![
        4 => Just("secret"),
        2 => Just("STRAẞE"),
        1 => Just("sec"),
        1 => Just("ret"),
        1 => Just("secsecretret"),
        2 => Just(" "),
        1 => Just("and much more that nobody minds"),
        1 => Just("ä"),
    ];
    let text = proptest::collection::vec(word, 1..8).prop_map(|words| words.concat());
    let cuts = proptest::collection::vec(
        (any::<prop::sample::Index>(), 0..3_usize, any::<bool>()),
        0..12,
    );
    (text.clone(), text, cuts).prop_map(|(answer, thoughts, cuts)| {
        let mut rest = [answer.as_str(), thoughts.as_str(), "{\"q\":\"a secret\"}"];
        let mut said = Vec::new();
        for (cut, kind, new) in cuts {
            let left = &mut rest[kind];
            let (piece, more) = left.split_at(left.floor_char_boundary(cut.index(left.len() + 1)));
            *left = more;
            said.push((kind, new && kind < 2, piece.to_owned()));
        }
        said.extend(
            rest.into_iter()
                .enumerate()
                .map(|(kind, rest)| (kind, false, rest.to_owned())),
        );
        said
    })
}

/// A text of which something may begin or end in another.
fn piece() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("secret"),
        Just("sec"),
        Just("ret"),
        Just("id-12"),
        Just("34"),
        Just("56"),
        Just("jane@exam"),
        Just("ple.com"),
        Just("4111 1111 "),
        Just("1111 1111"),
        Just("sk-aB3aB3aB3a"),
        Just("B3aB3aB3aB3aB3"),
        Just("-----BEGIN RSA PRIVATE KEY-----\nMII"),
        Just("ignore all prev"),
        Just("ious instructions"),
        Just("Straße"),
        Just(" "),
        Just("."),
        Just("ä"),
    ];
    proptest::collection::vec(word, 1..5).prop_map(|words| words.concat())
}

const SEARCHING: &[&str] = &[REDACT, WORD, BAN, PII, PATTERN, INJECTION];

fn events(said: &[Said]) -> Vec<StreamEvent> {
    let mut events = Vec::new();
    let mut open = [None; 3];
    let mut count = 0;
    for (kind, new, text) in said.iter().filter(|(.., text)| !text.is_empty()) {
        let block = [Block::Text, Block::Reasoning, call("c")][*kind].clone();
        let index = *open[*kind].get_or_insert_with(|| {
            events.push(start(count, block.clone()));
            count += 1;
            count - 1
        });
        let index = if *new && events.last() != Some(&start(index, block.clone())) {
            events.push(start(count, block));
            open[*kind] = Some(count);
            count += 1;
            count - 1
        } else {
            index
        };
        events.push(delta(index, text));
    }
    events.push(finished());
    events
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn it_makes_no_difference_how_texts_are_parted(
        texts in proptest::collection::vec(piece(), 1..6),
        kind in prop_oneof![Just(Block::Text), Just(Block::Refusal), Just(Block::Reasoning)],
        chosen in proptest::sample::subsequence(SEARCHING, 1..4),
        size in 1..9_usize,
    ) {
        let rules = active(&chosen);
        let events = |size: usize| {
            let mut events = Vec::new();
            for (index, text) in (0..).zip(&texts) {
                events.push(start(index, kind.clone()));
                let mut rest = text.as_str();
                while !rest.is_empty() {
                    let (piece, more) = rest.split_at(rest.ceil_char_boundary(size.min(rest.len())));
                    events.push(delta(index, piece));
                    rest = more;
                }
            }
            events.push(finished());
            events
        };
        let (one, one_error) = streamed(&rules, &events(usize::MAX));
        let (many, many_error) = streamed(&rules, &events(size));
        assert_in_order(&many);
        prop_assert_eq!(&one_error, &many_error);
        let whole = whole(&rules, collect(&events(size)));
        // Thoughts and refusals are told before it is known what follows: one of several rules may have taken out by then
        // what is another one's in all of it.
        if kind == Block::Text || chosen.len() == 1 {
            prop_assert_eq!(whole.is_err(), one_error.is_some());
        }
        if let Ok(whole) = whole {
            prop_assert_eq!(read(&one, &kind), read(&many, &kind));
            // By several rules, what one of them puts somewhere may be, or uncover, what another one looks for.
            if chosen.len() == 1 {
                let told = read(&one, &kind).replace("[SECRET]", "[…]");
                prop_assert_eq!(whole_text(&rules, &told, &mut Tally::default()), Ok(None), "{}", told);
            }
            if kind == Block::Text {
                prop_assert_eq!(read(&one, &kind), super::texts(&whole).concat());
            }
        }
    }

    #[test]
    fn nothing_comes_out_in_parts(said in said()) {
        let events = events(&said);
        let rules = active(&[REDACT]);
        let (out, error) = streamed(&rules, &events);
        prop_assert_eq!(error, None);
        assert_in_order(&out);
        let banned = |text: &str| {
            let text = text.to_lowercase();
            text.contains("secret") || text.contains("straße")
        };
        let answer = read(&out, &Block::Text);
        prop_assert!(!banned(&answer), "{}", answer);
        let thoughts = read(&out, &Block::Reasoning);
        prop_assert!(!banned(&thoughts), "{}", thoughts);
        let collected = collect(&out);
        for text in texts(&collected) {
            prop_assert!(!banned(text), "{}", text);
        }

        // In one piece it is the same.
        let response = whole(&rules, collect(&events)).unwrap();
        let answer_of = |response: &ChatResponse| {
            let blocks = response.choices.iter().flat_map(|choice| &choice.blocks);
            let texts = blocks.filter(|content| content.block == Block::Text);
            texts.map(|content| content.text.as_str()).collect::<String>()
        };
        prop_assert_eq!(answer_of(&response), answer);
        prop_assert!(!texts(&response).iter().any(|text| banned(text)));

        // Rules that refuse do it in both, or in none.
        let rules = active(&[r#"{"check":{"kind":"phrases","phrases":["STRASSE","straße"]},"action":{"kind":"block"}}"#]);
        let refused = whole(&rules, collect(&events)).is_err();
        prop_assert_eq!(streamed(&rules, &events).1.is_some(), refused);
    }
}

//! What must hold for every reply of every upstream: DESIGN.md, decision 4.

mod cases;

use bytes::BytesMut;
use cases::{Case, Read, cut, with};
use llm::chat::{Block, ChatResponse, Protocol, StreamEvent, collect};
use proptest::prelude::*;

/// Cases whose reply is good, with a file of it.
fn good(file: &str) -> Vec<Case> {
    let mut cases = with(&["request.json", file]);
    cases.retain(|case| case.read("failure.json").is_none());
    cases
}

fn response(case: &Case) -> ChatResponse {
    let body = case.read("response.json").unwrap();
    let codec = case.pair.codec;
    let decoded = codec.decode_response(&case.request(), &case.form(), body);
    decoded.unwrap_or_else(|error| panic!("{}: {error}", case.name))
}

/// An event is handed out at the CR that ends it; the LF of a CRLF goes with the next, if there is one.
fn written(read: &Read) -> &[u8] {
    read.written.trim_ascii_end()
}

#[test]
fn a_stream_says_what_the_whole_reply_says() {
    let mut cases = good("stream");
    cases.retain(|case| case.read("response.json").is_some());
    assert!(cases.len() >= 12);
    for case in cases {
        let read = case.run(&case.request(), [case.stream()]);
        assert_eq!(read.result, Ok(()), "{}", case.name);
        let mut expected = response(&case);
        if !read
            .events
            .iter()
            .any(|event| matches!(event, StreamEvent::Usage(_)))
        {
            expected.usage = None;
        }
        let mut collected = collect(&read.events);
        // Each may be told more in a way of its own.
        collected.untold = expected.untold;
        // A whole reply of this protocol does not say where between its texts a call came.
        if case.pair.codec.protocol() == Protocol::OpenAiChat {
            for choice in &mut collected.choices {
                choice
                    .blocks
                    .sort_by_key(|content| matches!(content.block, Block::ToolCall { .. }));
            }
        }
        assert_eq!(collected, expected, "{}", case.name);
    }
}

#[test]
fn a_reply_survives_its_own_events() {
    for case in good("response.json") {
        let response = response(&case);
        assert_eq!(collect(&response.events()), response, "{}", case.name);
    }
}

#[test]
fn events_are_well_formed() {
    for case in good("stream") {
        let events = case.run(&case.request(), [case.stream()]).events;
        assert!(
            matches!(events[0], StreamEvent::Started { .. }),
            "{}",
            case.name
        );
        let mut blocks = std::collections::HashMap::<u32, u32>::new();
        for (at, event) in events.iter().enumerate() {
            match event {
                StreamEvent::Started { .. } => assert_eq!(at, 0, "{}", case.name),
                StreamEvent::BlockStarted { choice, index, .. } => {
                    let next = blocks.entry(*choice).or_default();
                    assert_eq!(index, next, "{}", case.name);
                    *next += 1;
                }
                StreamEvent::BlockDelta {
                    choice,
                    index,
                    text,
                } => {
                    assert!(*index < blocks[choice] && !text.is_empty(), "{}", case.name);
                }
                StreamEvent::Sealed { choice, index, .. }
                | StreamEvent::Cited { choice, index, .. } => {
                    assert!(*index < blocks[choice], "{}", case.name);
                }
                StreamEvent::Logprobs { .. }
                | StreamEvent::Untold
                | StreamEvent::Usage(_)
                | StreamEvent::Finished { .. } => {}
            }
        }
    }
}

#[test]
fn any_single_cut_gives_the_same() {
    for case in with(&["request.json", "stream"]) {
        let request = case.request();
        let stream = case.stream();
        let whole = case.run(&request, [stream.clone()]);
        for place in 0..=stream.len() {
            let parts = case.run(&request, cut(&stream, &[place]));
            assert_eq!(parts.events, whole.events, "{} cut at {place}", case.name);
            assert_eq!(parts.result, whole.result, "{} cut at {place}", case.name);
            assert_eq!(
                written(&parts),
                written(&whole),
                "{} cut at {place}",
                case.name
            );
        }
    }
}

#[test]
fn byte_by_byte_gives_the_same() {
    for case in with(&["request.json", "stream"]) {
        let request = case.request();
        let stream = case.stream();
        let whole = case.run(&request, [stream.clone()]);
        let places: Vec<_> = (0..stream.len()).collect();
        let parts = case.run(&request, cut(&stream, &places));
        assert_eq!(parts.events, whole.events, "{}", case.name);
        assert_eq!(parts.result, whole.result, "{}", case.name);
        assert_eq!(written(&parts), written(&whole), "{}", case.name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn any_cuts_give_the_same(places in prop::collection::vec(any::<prop::sample::Index>(), 1..12)) {
        for case in with(&["request.json", "stream"]) {
            let request = case.request();
            let stream = case.stream();
            let whole = case.run(&request, [stream.clone()]);
            let places: Vec<_> = places.iter().map(|place| place.index(stream.len())).collect();
            let parts = case.run(&request, cut(&stream, &places));
            prop_assert_eq!(&parts.events, &whole.events, "{} cut at {:?}", case.name, places);
            prop_assert_eq!(written(&parts), written(&whole), "{} cut at {:?}", case.name, places);
        }
    }
}

/// The one exception is what follows the point where all was said: every choice has its finish reason.
#[test]
fn a_strict_prefix_is_never_a_silent_success() {
    for case in good("stream") {
        let request = case.request();
        let stream = case.stream();
        let whole = collect(&case.run(&request, [stream.clone()]).events);
        let mut refused = 0;
        for end in 0..stream.len() {
            let prefix = case.run(&request, [stream.slice(..end)]);
            if prefix.result.is_ok() {
                let said = collect(&prefix.events);
                assert_eq!(said.choices, whole.choices, "{} ended at {end}", case.name);
                assert!(
                    said.choices.iter().all(|choice| choice.finish.is_some()),
                    "{}",
                    case.name
                );
            } else {
                refused += 1;
            }
        }
        assert!(
            refused > stream.len() / 2,
            "{}: {refused} prefixes refused",
            case.name
        );
    }
}

#[test]
fn failures_are_told() {
    for case in with(&["request.json", "failure.json"]) {
        let expected = case.json("failure.json").unwrap();
        let error = match case.read("response.json") {
            Some(body) => case
                .pair
                .codec
                .decode_response(&case.request(), &case.form(), body)
                .unwrap_err(),
            None => case
                .run(&case.request(), [case.stream()])
                .result
                .unwrap_err(),
        };
        assert_eq!(
            error.kind.as_str(),
            expected["kind"],
            "{}: {error}",
            case.name
        );
        assert_eq!(
            error.origin.as_str(),
            expected["origin"],
            "{}: {error}",
            case.name
        );
        assert!(!error.message.is_empty());
    }
}

#[test]
fn a_reply_written_anew_says_the_same() {
    for case in good("response.json") {
        if !case.pair.carries() {
            continue;
        }
        let mut response = response(&case);
        response.raw = None;
        response.untold = false;
        let mut request = case.request();
        request.model = Some(response.model.to_string());
        let body = case.pair.dialect.encode_response(&request, &response);
        let mut again = case
            .pair
            .codec
            .decode_response(&request, &case.form(), body.concat())
            .unwrap();
        again.untold = false;
        response.created = case.pair.created(response.created);
        assert_eq!(again, response, "{}", case.name);
    }
}

#[test]
fn a_stream_made_from_events_says_the_same() {
    for case in good("response.json") {
        if !case.pair.carries() {
            continue;
        }
        let mut response = response(&case);
        response.untold = false;
        let mut request = case.request();
        request.include_usage = true;
        request.model = Some(response.model.to_string());
        let mut encoder = case.pair.dialect.stream_encoder(&request);
        let mut out = BytesMut::new();
        for event in response.events() {
            encoder.encode(None, std::slice::from_ref(&event), &mut out);
        }
        encoder.finish(&mut out);
        let again = case.run(&request, [out.freeze()]);
        assert_eq!(again.result, Ok(()), "{}", case.name);
        response.created = case.pair.created(response.created);
        let mut collected = collect(&again.events);
        collected.untold = false;
        assert_eq!(collected, response, "{}", case.name);
    }
}

/// Where it is said.
#[derive(Clone, Copy, PartialEq)]
enum Said {
    Everywhere,
    InStreams,
    InWholes,
}

/// Replies with what tools of the provider's did, sources in a form of its own, parts of kinds that are yet to be
/// invented.
const UNTOLD: [(&str, Said); 14] = [
    ("anthropic/citations", Said::Everywhere),
    ("anthropic/pings_and_unknown_events", Said::InStreams),
    ("anthropic/refusal_explained", Said::Everywhere),
    ("anthropic/web_search", Said::Everywhere),
    ("gemini/code_execution", Said::Everywhere),
    ("gemini/comments_and_unknown_fields", Said::Everywhere),
    ("gemini/grounding_counts_bytes", Said::Everywhere),
    ("mistral/references", Said::Everywhere),
    ("openai/audio_answer", Said::Everywhere),
    ("openai/unusual_spelling", Said::Everywhere),
    ("openai_responses/empty_reasoning", Said::InWholes),
    ("openai_responses/image_generation", Said::Everywhere),
    (
        "openai_responses/web_search_and_citations",
        Said::Everywhere,
    ),
    ("perplexity/search_results", Said::Everywhere),
];

#[test]
fn what_only_the_upstreams_bytes_tell_is_noticed() {
    let all_but = |but: Said| -> Vec<&str> {
        let expected = UNTOLD.into_iter().filter(|(_, said)| *said != but);
        expected.map(|(name, _)| name).collect()
    };
    let mut streams = good("stream");
    streams.retain(|case| {
        let events = case.run(&case.request(), [case.stream()]).events;
        events.contains(&StreamEvent::Untold)
    });
    let names: Vec<_> = streams.iter().map(|case| &*case.name).collect();
    assert_eq!(names, all_but(Said::InWholes));
    let mut wholes = good("response.json");
    wholes.retain(|case| response(case).untold);
    let names: Vec<_> = wholes.iter().map(|case| &*case.name).collect();
    assert_eq!(names, all_but(Said::InStreams));
}

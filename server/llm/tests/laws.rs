//! What must hold for every reply of every upstream: DESIGN.md, decision 4.

mod cases;

use bytes::{Bytes, BytesMut};
use cases::{Case, Read, cut, read, with};
use llm::chat::{ChatResponse, StreamEvent, collect};
use llm::codecs::openai_chat::OpenAiChat as Codec;
use llm::dialects::openai_chat::OpenAiChat as Dialect;
use llm::{ChatCodec, ChatDialect, Segments};
use proptest::prelude::*;

/// Cases whose reply is good, with a file of it.
fn good(file: &str) -> Vec<Case> {
    let mut cases = with(&["request.json", file]);
    cases.retain(|case| case.read("failure.json").is_none());
    cases
}

fn response(case: &Case) -> ChatResponse {
    let body = case.read("response.json").unwrap();
    let decoded = Codec.decode_response(&case.request(), body);
    decoded.unwrap_or_else(|error| panic!("{}: {error}", case.name))
}

fn text(segments: &Segments) -> String {
    String::from_utf8(segments.concat().to_vec()).unwrap()
}

/// An event is handed out at the CR that ends it; the LF of a CRLF goes with the next, if there is one.
fn written(read: &Read) -> &[u8] {
    read.written.trim_ascii_end()
}

#[test]
fn a_stream_says_what_the_whole_reply_says() {
    let mut cases = good("stream.sse");
    cases.retain(|case| case.read("response.json").is_some());
    assert!(cases.len() >= 12);
    for case in cases {
        let read = read(&case.request(), [case.stream()]);
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
        // Where a stream goes back and forth, its blocks are in order of appearance.
        for choice in &mut collected.choices {
            choice
                .blocks
                .sort_by_key(|content| matches!(content.block, llm::chat::Block::ToolCall { .. }));
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
    for case in good("stream.sse") {
        let events = read(&case.request(), [case.stream()]).events;
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
                StreamEvent::Usage(_) | StreamEvent::Finished { .. } => {}
            }
        }
    }
}

#[test]
fn any_single_cut_gives_the_same() {
    for case in with(&["request.json", "stream.sse"]) {
        let request = case.request();
        let stream = case.stream();
        let whole = read(&request, [stream.clone()]);
        for place in 0..=stream.len() {
            let parts = read(&request, cut(&stream, &[place]));
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
    for case in with(&["request.json", "stream.sse"]) {
        let request = case.request();
        let stream = case.stream();
        let whole = read(&request, [stream.clone()]);
        let places: Vec<_> = (0..stream.len()).collect();
        let parts = read(&request, cut(&stream, &places));
        assert_eq!(parts.events, whole.events, "{}", case.name);
        assert_eq!(parts.result, whole.result, "{}", case.name);
        assert_eq!(written(&parts), written(&whole), "{}", case.name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn any_cuts_give_the_same(places in prop::collection::vec(any::<prop::sample::Index>(), 1..12)) {
        for case in with(&["request.json", "stream.sse"]) {
            let request = case.request();
            let stream = case.stream();
            let whole = read(&request, [stream.clone()]);
            let places: Vec<_> = places.iter().map(|place| place.index(stream.len())).collect();
            let parts = read(&request, cut(&stream, &places));
            prop_assert_eq!(&parts.events, &whole.events, "{} cut at {:?}", case.name, places);
            prop_assert_eq!(written(&parts), written(&whole), "{} cut at {:?}", case.name, places);
        }
    }
}

/// The one exception is what follows the point where all was said: every choice has its finish reason.
#[test]
fn a_strict_prefix_is_never_a_silent_success() {
    for case in good("stream.sse") {
        let request = case.request();
        let stream = case.stream();
        let whole = collect(&read(&request, [stream.clone()]).events);
        let mut refused = 0;
        for end in 0..stream.len() {
            let prefix = read(&request, [stream.slice(..end)]);
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
            Some(body) => Codec.decode_response(&case.request(), body).unwrap_err(),
            None => read(&case.request(), [case.stream()]).result.unwrap_err(),
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
fn a_reply_is_carried_byte_for_byte() {
    for case in good("response.json") {
        let raw = String::from_utf8(case.read("response.json").unwrap().to_vec()).unwrap();
        let mut request = case.request();
        let response = response(&case);
        let expected = raw.replacen(&case.upstream_model(), "\"assistant\"", 1);
        assert_ne!(expected, raw, "{}", case.name);
        assert_eq!(
            text(&Dialect.encode_response(&request, &response)),
            expected,
            "{}",
            case.name
        );
        request.model = Some(response.model.to_string());
        assert_eq!(
            text(&Dialect.encode_response(&request, &response)),
            raw,
            "{}",
            case.name
        );
        request.model = None;
        assert_eq!(
            text(&Dialect.encode_response(&request, &response)),
            raw,
            "{}",
            case.name
        );
    }
}

#[test]
fn a_stream_is_carried_byte_for_byte() {
    for case in good("stream.sse") {
        let mut request = case.request();
        request.include_usage = true;
        let stream = case.stream();
        let mut raw = String::from_utf8(stream.to_vec()).unwrap();
        // What is not carried: what follows the end, and the lack of an end.
        match raw.find("[DONE]") {
            Some(done) => {
                let rest = &raw[done + 6..];
                let line_ends = rest.len() - rest.trim_start_matches(['\r', '\n']).len();
                raw.truncate(done + 6 + line_ends);
                if !raw.ends_with("\n\n") && !raw.ends_with('\r') && !raw.ends_with("\r\n\r\n") {
                    raw.push('\n');
                }
            }
            None => raw.push_str("data: [DONE]\n\n"),
        }
        request.model = None;
        let carried = read(&request, [stream.clone()]);
        assert_eq!(
            String::from_utf8_lossy(&carried.written),
            raw,
            "{}",
            case.name
        );

        request.model = Some("assistant".to_owned());
        let renamed = read(&request, [stream.clone()]);
        let written = String::from_utf8(renamed.written.to_vec()).unwrap();
        let mut expected = raw.replace(&case.upstream_model(), "\"assistant\"");
        if case.name == "azure/prompt_filter_results_first" {
            expected = expected.replace("\"model\":\"\"", "\"model\":\"assistant\"");
        }
        if case.name == "sse/names_ids_pings_and_many_lines" {
            // An event over many lines is written anew: comments and ids within it go.
            let again = read(&request, [Bytes::from(written)]);
            assert_eq!(again.result, Ok(()));
            let mut collected = collect(&again.events);
            assert_eq!(collected.model, "assistant");
            collected.model = "m".into();
            assert_eq!(collected, collect(&renamed.events));
            continue;
        }
        assert_eq!(written, expected, "{}", case.name);
    }
}

#[test]
fn usage_that_was_not_asked_for_is_held_back() {
    let case = with(&["stream.sse"])
        .into_iter()
        .find(|case| case.name == "openai/usage_not_asked_for")
        .unwrap();
    let read = read(&case.request(), [case.stream()]);
    assert!(
        read.events
            .iter()
            .any(|event| matches!(event, StreamEvent::Usage(_)))
    );
    let written = String::from_utf8(read.written.to_vec()).unwrap();
    assert!(!written.contains("prompt_tokens"), "{written}");
    let frames = |text: &str| text.matches("data: ").count();
    let stream = String::from_utf8(case.stream().to_vec()).unwrap();
    assert_eq!(frames(&written), frames(&stream) - 1);
    assert!(written.ends_with("data: [DONE]\n\n"));
}

#[test]
fn a_reply_written_anew_says_the_same() {
    for case in good("response.json") {
        let mut response = response(&case);
        response.raw = None;
        let mut request = case.request();
        request.model = Some(response.model.to_string());
        let body = Dialect.encode_response(&request, &response).concat();
        let again = Codec.decode_response(&request, body).unwrap();
        response.created = response.created.or(Some(0));
        assert_eq!(again, response, "{}", case.name);
    }
}

#[test]
fn a_stream_made_from_events_says_the_same() {
    for case in good("response.json") {
        let mut response = response(&case);
        let mut request = case.request();
        request.include_usage = true;
        request.model = Some(response.model.to_string());
        let mut encoder = Dialect.stream_encoder(&request);
        let mut out = BytesMut::new();
        for event in response.events() {
            encoder.encode(None, std::slice::from_ref(&event), &mut out);
        }
        encoder.finish(&mut out);
        assert!(out.ends_with(b"data: [DONE]\n\n"));
        let again = read(&request, [out.freeze()]);
        assert_eq!(again.result, Ok(()), "{}", case.name);
        response.created = response.created.or(Some(0));
        assert_eq!(collect(&again.events), response, "{}", case.name);
    }
}

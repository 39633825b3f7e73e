//! Within one protocol bytes travel as they came: DESIGN.md, decision 2.

mod cases;

use bytes::Bytes;
use cases::{Case, of};
use llm::Segments;
use llm::chat::{ChatResponse, Protocol, StreamEvent, collect};

/// Cases of OpenAI Chat whose reply is good, with a file of it.
fn good(file: &str) -> Vec<Case> {
    let mut cases = of(Protocol::OpenAiChat, &["request.json", file]);
    cases.retain(|case| case.read("failure.json").is_none());
    cases
}

fn response(case: &Case) -> ChatResponse {
    let body = case.read("response.json").unwrap();
    let codec = case.pair.codec;
    let decoded = codec.decode_response(&case.request(), &case.form(), body);
    decoded.unwrap_or_else(|error| panic!("{}: {error}", case.name))
}

fn text(segments: &Segments) -> String {
    String::from_utf8(segments.concat().to_vec()).unwrap()
}

/// Protocols whose bytes need no exception.
#[test]
fn what_needs_no_change_is_the_same_bytes() {
    for case in cases::with(&["request.json"]) {
        if !case.pair.carries() || case.read("failure.json").is_some() {
            continue;
        }
        let mut request = case.request();
        request.model = None;
        if let Some(body) = case.read("response.json") {
            let response = response(&case);
            let written = case.pair.dialect.encode_response(&request, &response);
            assert_eq!(text(&written).as_bytes(), body, "{}", case.name);
        }
        let exact = case.pair.codec.protocol() != Protocol::OpenAiChat;
        if let Some(stream) = case.read("stream").filter(|_| exact) {
            let read = case.run(&request, [stream.clone()]);
            assert_eq!(
                String::from_utf8_lossy(&read.written).trim_end(),
                String::from_utf8_lossy(&stream).trim_end(),
                "{}",
                case.name
            );
        }
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
            text(&case.pair.dialect.encode_response(&request, &response)),
            expected,
            "{}",
            case.name
        );
        request.model = Some(response.model.to_string());
        assert_eq!(
            text(&case.pair.dialect.encode_response(&request, &response)),
            raw,
            "{}",
            case.name
        );
        request.model = None;
        assert_eq!(
            text(&case.pair.dialect.encode_response(&request, &response)),
            raw,
            "{}",
            case.name
        );
    }
}

#[test]
fn a_stream_is_carried_byte_for_byte() {
    for case in good("stream") {
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
        let carried = case.run(&request, [stream.clone()]);
        assert_eq!(
            String::from_utf8_lossy(&carried.written),
            raw,
            "{}",
            case.name
        );

        request.model = Some("assistant".to_owned());
        let renamed = case.run(&request, [stream.clone()]);
        let written = String::from_utf8(renamed.written.to_vec()).unwrap();
        let mut expected = raw.replace(&case.upstream_model(), "\"assistant\"");
        if case.name == "azure/prompt_filter_results_first" {
            expected = expected.replace("\"model\":\"\"", "\"model\":\"assistant\"");
        }
        if case.name == "sse/names_ids_pings_and_many_lines" {
            // An event over many lines is written anew: comments and ids within it go.
            let again = case.run(&request, [Bytes::from(written)]);
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
    let case = of(Protocol::OpenAiChat, &["stream"])
        .into_iter()
        .find(|case| case.name == "openai/usage_not_asked_for")
        .unwrap();
    let read = case.run(&case.request(), [case.stream()]);
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

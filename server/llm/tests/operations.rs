//! Endpoints that are carried: what is read of their requests and replies.

use bytes::Bytes;
use llm::carried::{Consumption, JsonHead, Meter, OPERATIONS, Operation, with_model};
use llm::chat::Usage;
use llm::{audio, images, moderations, providers};
use proptest::prelude::*;

fn metered(operation: &'static Operation, content_type: &str, body: &[u8]) -> Consumption {
    let mut found = None;
    for size in [1, 5, 64, body.len().max(1)] {
        let mut meter = Meter::new(operation, None, Some(content_type));
        for chunk in body.chunks(size) {
            meter.push(&Bytes::copy_from_slice(chunk));
        }
        let consumption = meter.finish();
        assert_eq!(*found.get_or_insert(consumption), consumption);
    }
    found.unwrap()
}

#[test]
fn names_and_paths_are_one_each() {
    for one in OPERATIONS {
        let same = OPERATIONS
            .iter()
            .filter(|other| other.path == one.path || other.name == one.name);
        assert_eq!(same.count(), 1, "{one:?}");
    }
}

#[test]
fn a_provider_offers_what_it_has() {
    let openai = providers::find("openai").unwrap();
    assert!(OPERATIONS.iter().all(|operation| openai.offers(operation)));
    assert!(openai.embeddings().is_some());
    assert!(openai.rerank().is_none());
    let simulated = providers::find("simulated").unwrap();
    assert!(!simulated.offers(&images::EDITS));
    assert!(simulated.embeddings().is_none());
}

#[test]
fn the_head_of_a_json_body_is_read_and_its_model_replaced() {
    let body = Bytes::from_static(
        br#"{"input":"a\u00e4\n","\u006dodel":"tts-1","voice":"alloy","response_format":"mp3","stream_format":"sse"}"#,
    );
    let head = JsonHead::read(&audio::SPEECH, &body).unwrap();
    assert_eq!(head.model.as_deref(), Some("tts-1"));
    assert_eq!(head.characters, Some(3));
    assert_eq!(head.response_format.as_deref(), Some("mp3"));
    assert!(head.stream);
    let renamed = with_model(&body, "gpt-4o-mini-tts").unwrap().concat();
    let expected = std::str::from_utf8(&body).unwrap();
    assert_eq!(renamed, expected.replace("tts-1", "gpt-4o-mini-tts"));

    let head = JsonHead::read(
        &moderations::MODERATIONS,
        &Bytes::from_static(b"{\"input\":\"x\"}"),
    );
    assert_eq!(head.unwrap(), JsonHead::default());
    for bad in ["[]", "{", r#"{"model":1}"#, r#"{"model":"a","model":"b"}"#] {
        let body = Bytes::from_static(bad.as_bytes());
        assert!(
            JsonHead::read(&images::GENERATIONS, &body).is_err(),
            "{bad}"
        );
    }
}

/// <https://platform.openai.com/docs/api-reference/images/object>
#[test]
fn images_are_counted() {
    let png = "iVBOR".repeat(10_000);
    let body = format!(
        r#"{{"created":1,"data":[{{"b64_json":"{png}"}},{{"b64_json":"{png}"}}],"usage":{{"input_tokens":50,
        "input_tokens_details":{{"image_tokens":40,"text_tokens":10}},"output_tokens":4000,"total_tokens":4050}}}}"#
    );
    let consumption = metered(
        &images::EDITS,
        "application/json; charset=utf-8",
        body.as_bytes(),
    );
    assert_eq!(consumption.images, Some(2));
    let usage = Usage {
        input_tokens: 50,
        output_tokens: 4000,
        ..Usage::default()
    };
    assert_eq!(consumption.usage, Some(usage));
    let body = br#"{"created":1,"data":[{"url":"https://example.com/1.png"}]}"#;
    let consumption = metered(&images::GENERATIONS, "application/json", body);
    assert_eq!((consumption.images, consumption.usage), (Some(1), None));
}

/// <https://platform.openai.com/docs/api-reference/images-streaming>
#[test]
fn streamed_images_are_counted_when_they_are_done() {
    let partial = r#"{"type":"image_generation.partial_image","partial_image_index":0,"b64_json":"AAAA","usage":null}"#;
    let done = r#"{"type":"image_generation.completed","b64_json":"AAAA","usage":{"input_tokens":5,"output_tokens":70,"total_tokens":75}}"#;
    let stream = format!(
        "event: image_generation.partial_image\ndata: {partial}\n\nevent: image_generation.completed\ndata: {done}\n\n\
         data: {done}\n\ndata: [DONE]\n\n"
    );
    let consumption = metered(&images::GENERATIONS, "text/event-stream", stream.as_bytes());
    assert_eq!(consumption.images, Some(2));
    assert_eq!(consumption.usage.unwrap().output_tokens, 140);
}

/// <https://platform.openai.com/docs/api-reference/audio/json-object>
#[test]
fn audio_is_measured_in_tokens_or_seconds() {
    let tokens = br#"{"text":"Hi","usage":{"type":"tokens","input_tokens":14,"input_token_details":{"audio_tokens":14},"output_tokens":45,"total_tokens":59}}"#;
    let consumption = metered(&audio::TRANSCRIPTIONS, "application/json", tokens);
    assert_eq!(consumption.usage.unwrap().output_tokens, 45);
    assert_eq!(consumption.audio_ms, None);
    let seconds = br#"{"text":"Hi","usage":{"type":"duration","seconds":8.47}}"#;
    let consumption = metered(&audio::TRANSLATIONS, "application/json", seconds);
    assert_eq!(consumption.audio_ms, Some(8470));
    let verbose =
        br#"{"task":"transcribe","language":"english","duration":"8.5","text":"Hi","segments":[]}"#;
    let consumption = metered(&audio::TRANSCRIPTIONS, "application/json", verbose);
    assert_eq!(
        (consumption.audio_ms, consumption.usage),
        (Some(8500), None)
    );
    let stream = "data: {\"type\":\"transcript.text.delta\",\"delta\":\"Hi\"}\r\n\r\ndata: {\"type\":\"transcript.text.done\",\"text\":\"Hi\",\
                  \"usage\":{\"type\":\"tokens\",\"input_tokens\":14,\"output_tokens\":45,\"total_tokens\":59}}\r\n\r\n";
    let consumption = metered(
        &audio::TRANSCRIPTIONS,
        "text/event-stream",
        stream.as_bytes(),
    );
    assert_eq!(consumption.usage.unwrap().input_tokens, 14);
    let subtitles = metered(&audio::TRANSCRIPTIONS, "text/plain", b"1\n\"usage\"");
    assert_eq!(subtitles, Consumption::default());
    let meter = Meter::new(&audio::SPEECH, Some(12), Some("audio/mpeg"));
    assert_eq!(meter.finish().characters, Some(12));
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(
        body in proptest::collection::vec(any::<u8>(), 0..300),
        pieces in proptest::collection::vec(proptest::sample::select(vec![
            "\r\n", "--b", "--", "Content-Disposition: form-data; name=\"model\"", "\r\n\r\n", "x", "\"", "\\", "name=", ";",
        ]), 0..40),
        size in 1_usize..50,
    ) {
        for operation in OPERATIONS {
            for content_type in ["application/json", "text/event-stream", "audio/mpeg"] {
                let mut meter = Meter::new(operation, None, Some(content_type));
                body.chunks(size).for_each(|chunk| meter.push(&Bytes::copy_from_slice(chunk)));
                let _ = meter.finish();
            }
            let _ = JsonHead::read(operation, &Bytes::from(body.clone()));
        }
        let form = pieces.concat().into_bytes();
        let read = |size: usize| {
            let mut multipart = llm::carried::Multipart::new("multipart/form-data; boundary=b").unwrap();
            let pushed = form.chunks(size).try_for_each(|chunk| multipart.push(chunk));
            (pushed.and_then(|()| multipart.finish()), multipart.head().clone())
        };
        let (whole, parts) = (read(form.len().max(1)), read(size));
        prop_assert_eq!(&whole.0.is_ok(), &parts.0.is_ok());
        if whole.0.is_ok() {
            prop_assert_eq!(&whole.1, &parts.1);
            let chunks: Vec<_> = form.chunks(size).map(Bytes::copy_from_slice).collect();
            let renamed = whole.1.with_model(&chunks, "other");
            prop_assert_eq!(renamed.len() as u64, whole.1.length_with("other", form.len() as u64));
        }
    }
}

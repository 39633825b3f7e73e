//! A request, a reply and a stream of Gemini's protocol from nowhere never panic, and what was read is well formed.

#![no_main]

use bytes::{Bytes, BytesMut};
use libfuzzer_sys::fuzz_target;
use llm::chat::{StreamEvent, Variant, collect};
use llm::codecs::gemini::Gemini as Codec;
use llm::dialects::gemini::Gemini as Dialect;
use llm::{ChatCodec, ChatDialect, Incoming, ReplyForm, SseFramer, Target};

fuzz_target!(|data: &[u8]| {
    let data = Bytes::copy_from_slice(data);
    if let Ok(request) = Dialect.decode_request(Incoming::of(data.clone())) {
        let _ = request.prompt();
        let target = Target {
            system_prompt: Some("Be kind."),
            ..Target::new("m")
        };
        let sent = Codec
            .encode_request(&request, &target)
            .expect("it was read");
        let again = Dialect.decode_request(Incoming::of(sent.body.concat()));
        assert!(again.is_ok());
    }
    let body = Bytes::from_static(br#"{"contents":[],"generationConfig":{"candidateCount":2}}"#);
    let mut request = Dialect
        .decode_request(Incoming::of(body))
        .expect("a request");
    if let Ok(response) = Codec.decode_response(&request, &ReplyForm::default(), data.clone()) {
        assert_eq!(collect(&response.events()), response);
        let _ = Dialect.encode_response(&request, &response);
    }
    let mut framer = SseFramer::new();
    let mut decoder = Codec.stream_decoder(&request, &ReplyForm::default());
    let mut carried = Dialect.stream_encoder(&request);
    request.variant = Variant::JsonArray;
    let mut made = Dialect.stream_encoder(&request);
    let (mut events, mut out, mut array) = (Vec::new(), BytesMut::new(), BytesMut::new());
    framer.push(data);
    while let Some(mut frame) = framer
        .next()
        .expect("below the limit")
        .or_else(|| framer.finish())
    {
        let from = events.len();
        if decoder.decode(&mut frame, &mut events).is_err() {
            return;
        }
        carried.encode(Some(&frame), &events[from..], &mut out);
        made.encode(None, &events[from..], &mut array);
    }
    let from = events.len();
    if decoder.finish(&mut events).is_ok() {
        assert!(matches!(events[0], StreamEvent::Started { .. }));
        made.encode(None, &events[from..], &mut array);
        made.finish(&mut array);
        assert!(serde_json::from_slice::<serde_json::Value>(&array).is_ok());
    }
});

//! A reply from nowhere never panics, and what is read of it can be told; a request from nowhere can be sent or is refused.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use llm::chat::{StreamEvent, collect};
use llm::codecs::mistral::Mistral as Codec;
use llm::dialects::openai_chat::OpenAiChat as Dialect;
use llm::{ChatCodec, ChatDialect, Incoming, ReplyForm, SseFramer, Target};

fuzz_target!(|bytes: &[u8]| {
    let bytes = Bytes::copy_from_slice(bytes);
    if let Ok(request) = Dialect.decode_request(Incoming::of(bytes.clone()))
        && let Ok(wire) = Codec.encode_request(&request, &Target::new("m"))
    {
        let body = wire.body.concat();
        serde_json::from_slice::<&serde_json::value::RawValue>(&body).expect("JSON");
    }
    let body = Bytes::from_static(br#"{"model":"m","messages":[],"stream":true}"#);
    let request = Dialect
        .decode_request(Incoming::of(body))
        .expect("a request");
    let form = ReplyForm::default();
    if let Ok(response) = Codec.decode_response(&request, &form, bytes.clone()) {
        assert_eq!(collect(&response.events()), response);
        assert!(response.raw.is_none());
        let _ = Dialect.encode_response(&request, &response);
    }
    let mut framer = SseFramer::new();
    let mut decoder = Codec.stream_decoder(&request, &form);
    let mut events = Vec::new();
    framer.push(bytes);
    while let Some(mut frame) = framer
        .next()
        .expect("below the limit")
        .or_else(|| framer.finish())
    {
        if decoder.decode(&mut frame, &mut events).is_err() {
            return;
        }
    }
    if decoder.finish(&mut events).is_ok() {
        assert!(matches!(events[0], StreamEvent::Started { .. }));
    }
});

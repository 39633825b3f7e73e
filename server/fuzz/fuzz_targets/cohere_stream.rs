//! A reply from nowhere never panics, and what is read of it can be told.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use llm::chat::{StreamEvent, collect};
use llm::codecs::cohere::Cohere as Codec;
use llm::dialects::openai_chat::OpenAiChat as Dialect;
use llm::{ChatCodec, ChatDialect, Incoming, ReplyForm, SseFramer};

fuzz_target!(|stream: &[u8]| {
    let body = Bytes::from_static(br#"{"model":"m","messages":[],"stream":true}"#);
    let request = Dialect
        .decode_request(Incoming::of(body))
        .expect("a request");
    let form = ReplyForm::default();
    let stream = Bytes::copy_from_slice(stream);
    if let Ok(response) = Codec.decode_response(&request, &form, stream.clone()) {
        assert_eq!(collect(&response.events()), response);
        let _ = Dialect.encode_response(&request, &response);
    }
    let mut framer = SseFramer::new();
    let mut decoder = Codec.stream_decoder(&request, &form);
    let mut events = Vec::new();
    framer.push(stream);
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
        let whole = collect(&events);
        assert!(whole.choices[0].finish.is_some());
        assert_eq!(collect(&whole.events()), whole);
    }
});

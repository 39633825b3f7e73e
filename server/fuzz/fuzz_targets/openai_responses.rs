//! Replies and requests of OpenAI Responses from nowhere never panic, and what is made of a stream is one that ends well.

#![no_main]

use bytes::{Bytes, BytesMut};
use libfuzzer_sys::fuzz_target;
use llm::chat::collect;
use llm::codecs::openai_chat::OpenAiChat;
use llm::codecs::openai_responses::OpenAiResponses as Codec;
use llm::dialects::openai_responses::OpenAiResponses as Dialect;
use llm::{ChatCodec, ChatDialect, Incoming, ReplyForm, SseFramer, Target};

const CODEC: Codec = Codec::USUAL;

fuzz_target!(|bytes: &[u8]| {
    let bytes = Bytes::copy_from_slice(bytes);
    if let Ok(request) = Dialect.decode_request(Incoming::of(bytes.clone())) {
        let target = Target {
            system_prompt: Some("x"),
            ..Target::new("m")
        };
        let _ = OpenAiChat::OPENAI.encode_request(&request, &target);
        if let Ok(wire) = CODEC.encode_request(&request, &target) {
            let again = Dialect.decode_request(Incoming::of(wire.body.concat()));
            assert_eq!(again.expect("it was one").model.as_deref(), Some("m"));
        }
    }
    let body = Bytes::from_static(br#"{"model":"m","input":"x","stream":true}"#);
    let request = Dialect
        .decode_request(Incoming::of(body))
        .expect("a request");
    let form = ReplyForm::default();
    if let Ok(response) = CODEC.decode_response(&request, &form, bytes.clone()) {
        assert_eq!(collect(&response.events()), response);
        let _ = Dialect.encode_response(&request, &response);
    }
    let Some(events) = read(&request, bytes) else {
        return;
    };
    let mut made = Dialect.stream_encoder(&request);
    let mut out = BytesMut::new();
    made.encode(None, &events, &mut out);
    made.finish(&mut out);
    assert!(read(&request, out.freeze()).is_some());
});

/// The events of a stream that ended well.
fn read(request: &llm::chat::ChatRequest, stream: Bytes) -> Option<Vec<llm::chat::StreamEvent>> {
    let mut framer = SseFramer::new();
    let mut decoder = CODEC.stream_decoder(request, &ReplyForm::default());
    let mut carried = Dialect.stream_encoder(request);
    let (mut events, mut out) = (Vec::new(), BytesMut::new());
    framer.push(stream);
    while let Some(mut frame) = framer
        .next()
        .expect("below the limit")
        .or_else(|| framer.finish())
    {
        let from = events.len();
        decoder.decode(&mut frame, &mut events).ok()?;
        carried.encode(Some(&frame), &events[from..], &mut out);
    }
    decoder.finish(&mut events).ok()?;
    Some(events)
}

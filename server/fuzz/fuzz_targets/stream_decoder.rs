//! A stream from nowhere never panics, and no event comes before the reply has begun.

#![no_main]

use bytes::{Bytes, BytesMut};
use libfuzzer_sys::fuzz_target;
use llm::chat::{StreamEvent, collect};
use llm::codecs::openai_chat::OpenAiChat as Codec;
use llm::dialects::openai_chat::OpenAiChat as Dialect;
use llm::{ChatCodec, ChatDialect, Incoming, ReplyForm, SseFramer};

const CODEC: Codec = Codec::OPENAI;

fuzz_target!(|stream: &[u8]| {
    let body = Bytes::from_static(br#"{"model":"m","messages":[],"stream":true,"n":2}"#);
    let request = Dialect
        .decode_request(Incoming::of(body))
        .expect("a request");
    let stream = Bytes::copy_from_slice(stream);
    if let Ok(response) = CODEC.decode_response(&request, &ReplyForm::default(), stream.clone()) {
        assert_eq!(collect(&response.events()), response);
        let _ = Dialect.encode_response(&request, &response);
    }
    let mut framer = SseFramer::new();
    let mut decoder = CODEC.stream_decoder(&request, &ReplyForm::default());
    let mut carried = Dialect.stream_encoder(&request);
    let mut made = Dialect.stream_encoder(&request);
    let (mut events, mut out) = (Vec::new(), BytesMut::new());
    framer.push(stream);
    loop {
        let Some(mut frame) = framer
            .next()
            .expect("below the limit")
            .or_else(|| framer.finish())
        else {
            break;
        };
        let from = events.len();
        if decoder.decode(&mut frame, &mut events).is_err() {
            return;
        }
        carried.encode(Some(&frame), &events[from..], &mut out);
        made.encode(None, &events[from..], &mut out);
    }
    if decoder.finish(&mut events).is_ok() {
        assert!(matches!(events[0], StreamEvent::Started { .. }));
        let started = |event: &&StreamEvent| matches!(event, StreamEvent::Started { .. });
        assert_eq!(events.iter().filter(started).count(), 1);
        made.finish(&mut out);
    }
});

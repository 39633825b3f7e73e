//! A body from nowhere is carried as it is, told as a chat, or refused; a reply from nowhere never panics.

#![no_main]

use bytes::{Bytes, BytesMut};
use libfuzzer_sys::fuzz_target;
use llm::chat::collect;
use llm::codecs::openai_completions::OpenAiCompletions as Codec;
use llm::dialects::openai_completions::OpenAiCompletions as Dialect;
use llm::{ChatCodec, ChatDialect, Incoming, ReplyForm, SseFramer, Target};

fuzz_target!(|bytes: &[u8]| {
    let bytes = Bytes::copy_from_slice(bytes);
    if let Ok(request) = Dialect.decode_request(Incoming::of(bytes.clone())) {
        let _ = request.prompt();
        let target = Target {
            system_prompt: Some("Be kind."),
            ..Target::new("m")
        };
        if let Ok(wire) = Codec::USUAL.encode_request(&request, &target) {
            let body = wire.body.concat();
            serde_json::from_slice::<&serde_json::value::RawValue>(&body).expect("JSON");
        }
    }
    let body = Bytes::from_static(br#"{"model":"m","prompt":["a","b"],"stream":true}"#);
    let request = Dialect
        .decode_request(Incoming::of(body))
        .expect("a request");
    let form = ReplyForm {
        carried: true,
        answer_tool: None,
    };
    if let Ok(response) = Codec::USUAL.decode_response(&request, &form, bytes.clone()) {
        assert_eq!(collect(&response.events()), response);
        let _ = Dialect.encode_response(&request, &response);
    }
    let mut framer = SseFramer::new();
    let mut decoder = Codec::USUAL.stream_decoder(&request, &form);
    let mut carried = Dialect.stream_encoder(&request);
    let mut made = Dialect.stream_encoder(&request);
    let (mut events, mut out) = (Vec::new(), BytesMut::new());
    framer.push(bytes);
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
        made.encode(None, &events[from..], &mut out);
    }
});

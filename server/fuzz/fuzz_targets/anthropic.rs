//! Anthropic's replies from nowhere: no panic, and a stream that ended well is one when it is written anew.

#![no_main]

use bytes::{Bytes, BytesMut};
use libfuzzer_sys::fuzz_target;
use llm::chat::collect;
use llm::codecs::anthropic::Anthropic as Codec;
use llm::dialects::anthropic::Anthropic as Dialect;
use llm::{ApiError, ChatCodec, ChatDialect, Incoming, ReplyForm, SseFramer};

fuzz_target!(|stream: &[u8]| {
    let stream = Bytes::copy_from_slice(stream);
    if let Ok(request) = Dialect.decode_request(Incoming::of(stream.clone())) {
        let _ = request.prompt();
    }
    let form = ReplyForm {
        carried: false,
        answer_tool: Some("answer"),
    };
    let body = Bytes::from_static(br#"{"model":"m","messages":[],"stream":true}"#);
    let request = Dialect
        .decode_request(Incoming::of(body))
        .expect("a request");
    if let Ok(response) = Codec.decode_response(&request, &form, stream.clone()) {
        assert_eq!(collect(&response.events()), response);
        let _ = Dialect.encode_response(&request, &response);
    }
    let read = |stream: Bytes| -> Result<Bytes, ApiError> {
        let mut framer = SseFramer::new();
        let mut decoder = Codec.stream_decoder(&request, &form);
        let mut encoder = Dialect.stream_encoder(&request);
        let (mut events, mut out) = (Vec::new(), BytesMut::new());
        framer.push(stream);
        while let Some(mut frame) = framer.next()?.or_else(|| framer.finish()) {
            let from = events.len();
            decoder.decode(&mut frame, &mut events)?;
            encoder.encode(None, &events[from..], &mut out);
        }
        decoder.finish(&mut events)?;
        encoder.finish(&mut out);
        Ok(out.freeze())
    };
    if let Ok(written) = read(stream) {
        read(written).expect("what was written can be read");
    }
});

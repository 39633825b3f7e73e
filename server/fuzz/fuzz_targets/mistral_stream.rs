//! A reply from nowhere never panics, and what is read of it can be told; a request from nowhere can be sent or is refused.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use llm::codecs::mistral::Mistral;
use llm::dialects::openai_chat::OpenAiChat;
use llm::{ChatCodec, ChatDialect, Framer, Incoming, SseFramer, Target};

fuzz_target!(|bytes: &[u8]| {
    let bytes = Bytes::copy_from_slice(bytes);
    if let Ok(request) = OpenAiChat.decode_request(Incoming::of(bytes.clone()))
        && let Ok(wire) = Mistral.encode_request(&request, &Target::new("m"))
    {
        let body = wire.body.concat();
        serde_json::from_slice::<&serde_json::value::RawValue>(&body).expect("JSON");
    }
    let read = fuzz::reply(&Mistral, Framer::Sse(SseFramer::new()), &bytes);
    if let Some(response) = read.response {
        assert!(response.raw.is_none());
    }
});

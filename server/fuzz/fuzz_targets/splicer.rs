//! A changed request is JSON and says what was asked for; the scanner agrees with serde_json.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use llm::codecs::openai_chat::OpenAiChat as Codec;
use llm::dialects::openai_chat::OpenAiChat as Dialect;
use llm::json::{Object, Scanner, quote};
use llm::{ChatCodec, ChatDialect, Incoming, Target};
use serde_json::value::RawValue;

const CODEC: Codec = Codec::OPENAI;

fuzz_target!(|body: &[u8]| {
    // serde_json has no limit to the nesting of what it does not look at.
    let nested = body
        .iter()
        .filter(|byte| matches!(byte, b'{' | b'['))
        .count();
    if nested < 100 {
        let scanned = Scanner::from_utf8(body).and_then(|mut scanner| {
            scanner.skip_value()?;
            scanner.end()
        });
        let parsed = serde_json::from_slice::<&RawValue>(body);
        assert_eq!(scanned.is_ok(), parsed.is_ok());
    }

    let body = Bytes::copy_from_slice(body);
    if let Ok(mut object) = Object::scan(body.clone()) {
        object.set("model", quote("other"));
        object.remove("stream");
        let object = Object::scan(object.finish().concat()).expect("still an object");
        assert_eq!(object.get("model"), Some(&b"\"other\""[..]));
        assert_eq!(object.get("stream"), None);
    }
    if let Ok(request) = Dialect.decode_request(Incoming::of(body)) {
        let target = Target {
            model: "other",
            system_prompt: Some("a \"prompt\""),
            api_version: None,
        };
        let sent = CODEC
            .encode_request(&request, &target)
            .expect("the same protocol")
            .body
            .concat();
        let again = Dialect
            .decode_request(Incoming::of(sent))
            .expect("still a request");
        assert_eq!(again.model.as_deref(), Some("other"));
    }
});

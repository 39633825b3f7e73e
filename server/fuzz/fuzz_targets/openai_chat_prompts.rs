//! A request from nowhere is read in full or refused, and what is written of it is JSON.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use llm::chat::Protocol;
use llm::codecs::openai_chat::{
    EffortField, OpenAiChat as Codec, OutputFormat, Quirks, Thoughts, TokenLimit,
};
use llm::dialects::openai_chat::OpenAiChat as Dialect;
use llm::{ChatCodec, ChatDialect, Incoming, Target};

const RICH: Codec = Codec::new(Quirks {
    takes: &["top_k", "min_p", "cache_control", "document_url"],
    thoughts: Thoughts::ReasoningDetails,
    effort: EffortField::Reasoning,
    ..Quirks::COMPATIBLE
});

const POOR: Codec = Codec::new(Quirks {
    token_limit: TokenLimit::OnlyMaxTokens,
    developer_role: false,
    stream_options: false,
    refuses: &["n", "seed", "logprobs", "user"],
    output: OutputFormat::Text,
    media: &[],
    content_parts: false,
    ..Quirks::COMPATIBLE
});

fuzz_target!(|body: &[u8]| {
    let body = Bytes::copy_from_slice(body);
    let Ok(mut request) = Dialect.decode_request(Incoming::of(body)) else {
        return;
    };
    let target = Target {
        system_prompt: Some("Be kind."),
        ..Target::new("m")
    };
    for protocol in [Protocol::OpenAiChat, Protocol::Anthropic] {
        request.protocol = protocol;
        for codec in [Codec::OPENAI, RICH, POOR] {
            if let Ok(wire) = codec.encode_request(&request, &target) {
                let sent = wire.body.concat();
                let read: Result<&serde_json::value::RawValue, _> = serde_json::from_slice(&sent);
                assert!(read.is_ok());
            }
        }
    }
});

//! Five megabytes of an image on their way from every dialect to every codec: all of them arrive, and
//! time grows with them, not with their square.

use std::time::{Duration, Instant};

use llm::codecs;
use llm::dialects::{
    anthropic::Anthropic, gemini::Gemini, openai_chat::OpenAiChat,
    openai_responses::OpenAiResponses,
};
use llm::{ChatDialect, Incoming, Target};

/// Base64 whose end can be told from its middle.
fn image() -> String {
    let mut data = "iVBORw0KGgo".repeat(5 * 1024 * 1024 / 11);
    data.truncate(data.len() / 4 * 4 - 4);
    data.push_str("LAST");
    data
}

/// The same request in each dialect's words.
fn requests(data: &str) -> [(&'static dyn ChatDialect, String); 4] {
    [
        (
            &OpenAiChat,
            format!(
                r#"{{"model":"m","messages":[{{"role":"user","content":[{{"type":"image_url","image_url":{{"url":"data:image/png;base64,{data}"}}}}]}}]}}"#
            ),
        ),
        (
            &OpenAiResponses,
            format!(
                r#"{{"model":"m","input":[{{"role":"user","content":[{{"type":"input_image","image_url":"data:image/png;base64,{data}"}}]}}]}}"#
            ),
        ),
        (
            &Anthropic,
            format!(
                r#"{{"model":"m","max_tokens":9,"messages":[{{"role":"user","content":[{{"type":"image","source":{{"type":"base64","media_type":"image/png","data":"{data}"}}}}]}}]}}"#
            ),
        ),
        (
            &Gemini,
            format!(
                r#"{{"contents":[{{"role":"user","parts":[{{"inlineData":{{"mimeType":"image/png","data":"{data}"}}}}]}}]}}"#
            ),
        ),
    ]
}

#[test]
fn five_megabytes_arrive() {
    let data = image();
    for (dialect, body) in requests(&data) {
        let mut incoming = Incoming::of(body);
        incoming.model = Some("m");
        let request = dialect.decode_request(incoming).unwrap();
        for codec in codecs::all() {
            let pair = format!("{:?} to {:?}", dialect.protocol(), codec.protocol());
            let began = Instant::now();
            let wire = match codec.encode_request(&request, &Target::new("m")) {
                Ok(wire) => wire,
                // Legacy Completions take no images, and say so.
                Err(error) => {
                    assert!(!error.message.is_empty(), "{pair}");
                    continue;
                }
            };
            assert!(began.elapsed() < Duration::from_secs(5), "{pair}");
            let sent = wire.body.concat();
            let arrived = memchr::memmem::find(&sent, data.as_bytes()).is_some();
            let named = wire
                .losses
                .dropped
                .iter()
                .any(|what| what.contains("image"));
            assert!(arrived != named, "{pair}: arrived {arrived}, named {named}");
        }
    }
}

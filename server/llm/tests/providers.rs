//! What holds for every provider, and what each is sent.

use std::fs;
use std::path::Path;

use http::Uri;
use llm::chat::Protocol;
use llm::dialects::anthropic::Anthropic;
use llm::dialects::openai_chat::OpenAiChat;
use llm::providers::{Provider, all};
use llm::{ChatDialect, Incoming, Target};
use serde_json::{Value, json};

#[test]
fn ids_are_sorted_unique_and_plain() {
    let ids: Vec<&str> = all().iter().map(|provider| provider.id).collect();
    assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "{ids:?}");
    for id in ids {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        assert!(!id.is_empty() && id.bytes().all(plain), "{id}");
    }
}

#[test]
fn addresses_are_safe() {
    for provider in all() {
        if let Some(url) = provider.base_url {
            let uri: Uri = url.parse().unwrap();
            let host = uri.host().unwrap();
            match uri.scheme_str() {
                Some("https") => assert!(provider.key_needed, "{}", provider.id),
                Some("http") => {
                    assert_eq!(host, "127.0.0.1", "{}", provider.id);
                    assert!(!provider.key_needed, "{}", provider.id);
                }
                other => panic!("{}: {other:?}", provider.id),
            }
            assert!(!url.ends_with('/') && uri.query().is_none(), "{url}");
        }
        let docs: Uri = provider.docs_url.parse().unwrap();
        assert_eq!(docs.scheme_str(), Some("https"), "{}", provider.id);
        assert!(!provider.title.is_empty());
    }
}

#[test]
fn keys_have_variables() {
    for provider in all() {
        for variable in provider.key_variables {
            let upper =
                |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
            assert!(variable.bytes().all(upper), "{variable}");
        }
        // One that serves nobody without a key says where the key may come from.
        assert_eq!(
            provider.key_needed && provider.auth.header_name().is_some(),
            provider.key_needed,
            "{}",
            provider.id
        );
        assert!(
            !provider.key_needed || !provider.key_variables.is_empty(),
            "{}",
            provider.id
        );
    }
}

#[test]
fn each_speaks_a_protocol_once() {
    for provider in all() {
        let spoken: Vec<Protocol> = provider
            .codecs
            .iter()
            .map(|codec| codec.protocol())
            .collect();
        assert!(!spoken.is_empty(), "{}", provider.id);
        for protocol in &spoken {
            let times = spoken.iter().filter(|other| *other == protocol).count();
            assert_eq!(times, 1, "{}: {protocol:?}", provider.id);
        }
        // Whoever is asked first must be able to be asked anything.
        assert_ne!(spoken[0], Protocol::OpenAiCompletions, "{}", provider.id);
    }
}

/// A chat that has what providers differ in.
fn chat() -> Value {
    json!({
        "model": "assistant",
        "messages": [
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "name": "ann", "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
            ]},
            {"role": "assistant", "content": null, "reasoning_content": "Look.", "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "call_1", "content": "A cat."},
        ],
        "tools": [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}],
        "max_completion_tokens": 100,
        "reasoning_effort": "minimal",
        "response_format": {"type": "json_object"},
        "temperature": 0.5, "seed": 7, "n": 2, "logprobs": true, "top_logprobs": 2, "logit_bias": {"1": 2},
        "presence_penalty": 0.5, "frequency_penalty": 0.5, "user": "u", "metadata": {"a": "b"},
        "stream": true,
    })
}

/// The same from a client of Anthropic's protocol, for what is never carried.
fn foreign_chat() -> Value {
    json!({
        "model": "assistant", "max_tokens": 4096, "stream": true, "top_k": 40, "temperature": 0.5,
        "thinking": {"type": "enabled", "budget_tokens": 2000},
        "stop_sequences": ["END"], "metadata": {"user_id": "u"},
        "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
                {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}},
            ]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "Look.", "signature": "c2lnbmVk"},
                {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "is_error": true, "content": "Too dark."},
            ]},
        ],
        "tools": [{"name": "look", "input_schema": {"type": "object"}}],
        "tool_choice": {"type": "tool", "name": "look"},
    })
}

/// Where it goes and what it says, without anybody's key.
fn shown(provider: &Provider, dialect: &dyn ChatDialect, body: &Value) -> Value {
    let request = dialect
        .decode_request(Incoming::of(body.to_string()))
        .unwrap();
    let codec = provider.codec_for(request.protocol);
    let wire = codec
        .encode_request(&request, &Target::new("their-model"))
        .unwrap();
    let key = provider.auth.header("KEY").unwrap();
    let mut headers: Vec<String> = wire
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    headers.extend(key.map(|(name, value)| {
        assert!(value.is_sensitive());
        format!("{name}: {}", value.to_str().unwrap())
    }));
    let sent: Value = serde_json::from_slice(&wire.body.concat()).unwrap();
    json!({
        "url": format!("{} {}{}", wire.method, provider.base_url.unwrap_or("BASE_URL"), wire.path),
        "headers": headers,
        "body": sent,
        "dropped": wire.losses.dropped,
        "emulated": wire.losses.emulated,
    })
}

/// Those that have a protocol to themselves have golden files of their own: tests/anthropic.rs, ….
#[test]
fn what_each_is_sent() {
    for provider in all().iter().filter(|provider| provider.modalities.chat) {
        let mut usual = shown(provider, &OpenAiChat, &chat());
        let protocol = provider.codecs[0].protocol();
        if !matches!(protocol, Protocol::OpenAiChat | Protocol::Mistral) {
            for name in ["body", "dropped", "emulated"] {
                usual.as_object_mut().unwrap().remove(name);
            }
            insta::assert_snapshot!(provider.id, serde_json::to_string_pretty(&usual).unwrap());
            continue;
        }
        let foreign = shown(provider, &Anthropic, &foreign_chat());
        let both = json!({"from an OpenAI client": usual, "from an Anthropic client": foreign});
        insta::assert_snapshot!(provider.id, serde_json::to_string_pretty(&both).unwrap());
    }
}

#[test]
fn the_example_in_the_documents_is_real() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = fs::read_to_string(root.join("../../ARCHITECTURE.md")).unwrap();
    let file = fs::read_to_string(root.join("src/providers/huggingface.rs")).unwrap();
    assert!(document.contains(&format!("```rust\n{file}```")));
}

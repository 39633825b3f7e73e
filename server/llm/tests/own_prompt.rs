//! The client's own system prompt, with an operator's before it or without it, in each dialect.

use llm::ChatCodec;
use llm::chat::{ChatRequest, Prompt, Role};
use llm::codec::Target;
use llm::codecs;
use llm::dialect::{ChatDialect, Incoming};
use llm::dialects::OwnPrompt::{self, After, Removed};
use llm::dialects::{
    anthropic::Anthropic, gemini::Gemini, openai_chat::OpenAiChat,
    openai_completions::OpenAiCompletions, openai_responses::OpenAiResponses,
};

fn read(dialect: &dyn ChatDialect, body: &str) -> ChatRequest {
    let incoming = Incoming {
        model: (!body.contains("\"model\"")).then_some("m"),
        ..Incoming::of(body.to_owned())
    };
    dialect.decode_request(incoming).unwrap()
}

fn changed(dialect: &dyn ChatDialect, body: &str, own: OwnPrompt<'_>) -> String {
    let request = read(dialect, body).with_own_prompt(own).unwrap();
    String::from_utf8(request.body.to_vec()).unwrap()
}

/// Each: before, with `Be "kind".` before it, without it.
const CASES: &[(&dyn ChatDialect, &str, &str, &str)] = &[
    (
        &OpenAiChat,
        r#"{"model":"m", "messages":[{"role":"system","content":"S"}, {"role":"user","content":"U","x":1.0},{"role":"developer","content":"D"}],"y":[ ]}"#,
        r#"{"model":"m", "messages":[{"role":"system","content":"Be \"kind\"."},{"role":"system","content":"S"}, {"role":"user","content":"U","x":1.0},{"role":"developer","content":"D"}],"y":[ ]}"#,
        r#"{"model":"m", "messages":[{"role":"user","content":"U","x":1.0}],"y":[ ]}"#,
    ),
    (
        &OpenAiChat,
        r#"{"model":"m","messages":[{"role":"system","content":"S"}]}"#,
        r#"{"model":"m","messages":[{"role":"system","content":"Be \"kind\"."},{"role":"system","content":"S"}]}"#,
        r#"{"model":"m","messages":[]}"#,
    ),
    (
        &OpenAiChat,
        r#"{"messages":[],"model":"m"}"#,
        r#"{"messages":[{"role":"system","content":"Be \"kind\"."}],"model":"m"}"#,
        r#"{"messages":[],"model":"m"}"#,
    ),
    (
        &Anthropic,
        r#"{"model":"m","system":"S","messages":[{"role":"user","content":"U"}],"z":{}}"#,
        r#"{"model":"m","system":"Be \"kind\".\n\nS","messages":[{"role":"user","content":"U"}],"z":{}}"#,
        r#"{"model":"m","messages":[{"role":"user","content":"U"}],"z":{}}"#,
    ),
    (
        &Anthropic,
        r#"{"system":[ {"type":"text","text":"S","cache_control":{"type":"ephemeral"}}],"model":"m","messages":[{"role":"user","content":"U"},{"role":"system","content":"M"}]}"#,
        r#"{"system":[{"type":"text","text":"Be \"kind\"."}, {"type":"text","text":"S","cache_control":{"type":"ephemeral"}}],"model":"m","messages":[{"role":"user","content":"U"},{"role":"system","content":"M"}]}"#,
        r#"{"model":"m","messages":[{"role":"user","content":"U"}]}"#,
    ),
    (
        &Anthropic,
        r#"{"model":"m","messages":[]}"#,
        r#"{"system":"Be \"kind\".","model":"m","messages":[]}"#,
        r#"{"model":"m","messages":[]}"#,
    ),
    (
        &Anthropic,
        r#"{"model":"m","system":[],"messages":[]}"#,
        r#"{"model":"m","system":"Be \"kind\".","messages":[]}"#,
        r#"{"model":"m","messages":[]}"#,
    ),
    (
        &Gemini,
        r#"{"systemInstruction":{"parts":[{"text":"S"}],"role":"x"},"contents":[{"parts":[{"text":"U"}]}]}"#,
        r#"{"systemInstruction":{"parts":[{"text":"Be \"kind\"."},{"text":"S"}],"role":"x"},"contents":[{"parts":[{"text":"U"}]}]}"#,
        r#"{"contents":[{"parts":[{"text":"U"}]}]}"#,
    ),
    (
        &Gemini,
        r#"{"contents":[{"parts":[{"text":"U"}]}],"system_instruction":{"parts":{"text":"S"}}}"#,
        r#"{"contents":[{"parts":[{"text":"U"}]}],"system_instruction":{"parts":[{"text":"Be \"kind\"."},{"text":"S"}]}}"#,
        r#"{"contents":[{"parts":[{"text":"U"}]}]}"#,
    ),
    (
        &Gemini,
        r#"{"contents":[],"systemInstruction":"S"}"#,
        r#"{"contents":[],"systemInstruction":{"parts":[{"text":"Be \"kind\"."},{"text":"S"}]}}"#,
        r#"{"contents":[]}"#,
    ),
    (
        &Gemini,
        r#"{"contents":[]}"#,
        r#"{"systemInstruction":{"parts":[{"text":"Be \"kind\"."}]},"contents":[]}"#,
        r#"{"contents":[]}"#,
    ),
    (
        &OpenAiResponses,
        r#"{"model":"m","instructions":"S","input":[{"role":"developer","content":"D"},{"role":"user","content":"U"}]}"#,
        r#"{"model":"m","instructions":"Be \"kind\".\n\nS","input":[{"role":"developer","content":"D"},{"role":"user","content":"U"}]}"#,
        r#"{"model":"m","input":[{"role":"user","content":"U"}]}"#,
    ),
    (
        &OpenAiResponses,
        r#"{"model":"m","input":"U"}"#,
        r#"{"instructions":"Be \"kind\".","model":"m","input":"U"}"#,
        r#"{"model":"m","input":"U"}"#,
    ),
    (
        &OpenAiCompletions,
        r#"{"model":"m","prompt":"U"}"#,
        r#"{"model":"m","prompt":"U"}"#,
        r#"{"model":"m","prompt":"U"}"#,
    ),
];

#[test]
fn nothing_else_of_the_body_changes() {
    for (dialect, body, before, without) in CASES {
        assert_eq!(changed(*dialect, body, After("Be \"kind\".")), *before);
        assert_eq!(changed(*dialect, body, Removed), *without);
    }
}

/// What the system says, piece by piece.
fn system(prompt: &Prompt) -> Vec<String> {
    let messages = prompt.messages.iter();
    let texts = messages.filter(|message| message.role == Role::System);
    let parts = texts.flat_map(|message| &message.parts);
    parts
        .filter_map(|part| match &part.content {
            llm::chat::PartContent::Text { text, .. } => Some(text.to_string()),
            _ => None,
        })
        .collect()
}

#[test]
fn every_protocol_is_told_in_that_order() {
    let codecs: [&dyn ChatCodec; 7] = [
        &codecs::openai_chat::OpenAiChat::OPENAI,
        &codecs::openai_responses::OpenAiResponses::USUAL,
        &codecs::anthropic::Anthropic,
        &codecs::gemini::Gemini,
        &codecs::ollama::Ollama,
        &codecs::cohere::Cohere,
        &codecs::mistral::Mistral,
    ];
    for (dialect, body, ..) in CASES {
        let Ok(own) = read(*dialect, body).prompt().map(system) else {
            continue;
        };
        if dialect.protocol() == llm::chat::Protocol::OpenAiCompletions || !body.contains("\"U\"") {
            continue;
        }
        for (change, first) in [(After("BEFORE"), "BEFORE"), (Removed, "AFTER")] {
            let request = read(*dialect, body).with_own_prompt(change).unwrap();
            let target = Target {
                system_prompt: Some("AFTER"),
                ..Target::new("m")
            };
            for codec in codecs {
                let wire = codec.encode_request(&request, &target).unwrap();
                let sent = String::from_utf8(wire.body.concat().to_vec()).unwrap();
                let at = |text: &str| sent.find(text);
                assert!(at("AFTER") >= at(first) && at(first).is_some(), "{sent}");
                for text in own.iter().map(|text| format!("{text}\"")) {
                    let kept = sent.contains(&text) || sent.contains(&text.replace('"', "\\n"));
                    assert_eq!(kept, change != Removed, "{codec:?} {text} {sent}");
                }
            }
        }
    }
}

#[test]
fn what_the_path_says_stays() {
    let incoming = Incoming {
        model: Some("gemini-x"),
        stream: Some(true),
        ..Incoming::of(r#"{"contents":[]}"#)
    };
    let request = Gemini.decode_request(incoming).unwrap();
    let changed = request.with_own_prompt(After("x")).unwrap();
    assert_eq!(changed.model.as_deref(), Some("gemini-x"));
    assert!(changed.stream);
    assert_eq!(changed.stamp, request.stamp);
}

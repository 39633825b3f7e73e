//! Legacy Completions: carried to upstreams that have it, a chat with all others.

mod cases;

use bytes::{Bytes, BytesMut};
use llm::carried::Paths;
use llm::chat::{
    Block, ChatResponse, Choice, Content, FinishReason, Protocol, TokenLogprob, Usage,
};
use llm::codecs::mistral::Mistral;
use llm::codecs::openai_chat::OpenAiChat;
use llm::codecs::openai_completions::OpenAiCompletions as Codec;
use llm::dialects::openai_completions::OpenAiCompletions as Dialect;
use llm::json::Json;
use llm::{ChatCodec, ChatDialect, Incoming, SseFramer, Target};
use proptest::prelude::*;
use serde_json::{Value, json};

fn request(body: &Value) -> llm::chat::ChatRequest {
    Dialect
        .decode_request(Incoming::of(body.to_string()))
        .unwrap()
}

#[test]
fn a_body_is_carried() {
    let body = r#"{ "model":"m", "prompt" : "a\u0062", "echo":true,"unheard":{"x":1.0} }"#;
    let request = Dialect.decode_request(Incoming::of(body)).unwrap();
    let wire = Codec::USUAL
        .encode_request(&request, &Target::new("m"))
        .unwrap();
    assert_eq!(wire.body.concat(), body);
    assert_eq!(wire.path, "/completions");
    assert!(wire.form.carried && wire.losses.is_empty());
    let wire = Codec::USUAL
        .encode_request(&request, &Target::new("x"))
        .unwrap();
    assert_eq!(wire.body.concat(), body.replace("\"m\"", "\"x\""));
}

#[test]
fn usage_is_asked_for_in_streams() {
    for (options, expected) in [
        (Value::Null, json!({"include_usage": true})),
        (json!({"x": 1}), json!({"include_usage": true, "x": 1})),
        (
            json!({"include_usage": false}),
            json!({"include_usage": true}),
        ),
        (
            json!({"include_usage": true, "y": 2}),
            json!({"include_usage": true, "y": 2}),
        ),
    ] {
        let body = json!({"model": "m", "prompt": "a", "stream": true, "stream_options": options});
        let wire = Codec::USUAL
            .encode_request(&request(&body), &Target::new("m"))
            .unwrap();
        let sent: Value = serde_json::from_slice(&wire.body.concat()).unwrap();
        assert_eq!(sent["stream_options"], expected);
    }
}

#[test]
fn an_operators_prompt_goes_before_the_text() {
    let target = Target {
        system_prompt: Some("Be kind."),
        ..Target::new("m")
    };
    let sent = |prompt: Value| {
        let body = json!({"model": "m", "prompt": prompt});
        let wire = Codec::USUAL.encode_request(&request(&body), &target)?;
        let sent: Value = serde_json::from_slice(&wire.body.concat()).unwrap();
        Ok::<_, llm::ApiError>(sent["prompt"].clone())
    };
    assert_eq!(sent(json!("a")).unwrap(), "Be kind.\n\na");
    assert_eq!(
        sent(json!(["a", "b"])).unwrap(),
        json!(["Be kind.\n\na", "Be kind.\n\nb"])
    );
    assert_eq!(sent(Value::Null).unwrap(), "Be kind.");
    assert_eq!(
        sent(json!([1, 2])).unwrap_err().param.as_deref(),
        Some("prompt")
    );
}

#[test]
fn a_deployment_is_in_the_path() {
    let codec = Codec::at(Paths::Deployments {
        api_version: "2024-10-21",
    });
    let target = Target {
        api_version: Some("2025-01-01-preview"),
        ..Target::new("my model")
    };
    let request = request(&json!({"model": "m", "prompt": "a"}));
    let path = |target: &Target<'_>| codec.encode_request(&request, target).unwrap().path;
    assert_eq!(
        path(&Target::new("d")),
        "/deployments/d/completions?api-version=2024-10-21"
    );
    assert_eq!(
        path(&target),
        "/deployments/my%20model/completions?api-version=2025-01-01-preview"
    );
}

#[test]
fn prompts_are_counted() {
    let count = |prompt: Value, n: u32| request(&json!({"prompt": prompt, "n": n})).choices;
    assert_eq!(count(json!("a"), 1), 1);
    assert_eq!(count(json!(["a", "b"]), 2), 4);
    assert_eq!(count(json!([1, 2, 3]), 1), 1);
    assert_eq!(count(json!([[1], [2, 3]]), 1), 2);
    assert_eq!(count(Value::Null, 1), 1);
}

#[test]
fn mistakes_name_the_parameter() {
    for (body, param) in [
        (json!({"prompt": 7}), "prompt"),
        (json!({"prompt": []}), "prompt"),
        (json!({"prompt": ["a", 1]}), "prompt"),
        (json!({"prompt": "a", "n": 0}), "n"),
        (json!({"prompt": "a", "stream": "yes"}), "stream"),
        (json!({"prompt": "a", "model": 1}), "model"),
    ] {
        let error = Dialect
            .decode_request(Incoming::of(body.to_string()))
            .unwrap_err();
        assert_eq!(error.param.as_deref(), Some(param), "{body}");
    }
    for (body, param) in [
        (json!({}), "prompt"),
        (json!({"prompt": [1, 2]}), "prompt"),
        (json!({"prompt": ["a", "b"]}), "prompt"),
        (json!({"prompt": "a", "logprobs": true}), "logprobs"),
        (json!({"prompt": "a", "stop": 1}), "stop"),
    ] {
        let error = request(&body).prompt().unwrap_err();
        assert_eq!(error.param.as_deref(), Some(param), "{body}");
        assert_eq!(error.status(), 400);
    }
}

#[test]
fn a_text_becomes_a_chat() {
    let all = json!({
        "model": "m", "prompt": ["Once upon"], "suffix": "the end", "echo": true, "best_of": 3, "n": 1,
        "logprobs": 2, "max_tokens": 16, "temperature": 0.2, "top_p": 1, "seed": 3, "stop": "\n",
        "presence_penalty": 0, "frequency_penalty": 0.1, "logit_bias": {"1": 2}, "user": "u", "stream": true,
    });
    let mut text = String::new();
    let codecs: [&dyn ChatCodec; 2] = [&OpenAiChat::OPENAI, &Mistral];
    for codec in codecs {
        let wire = codec
            .encode_request(&request(&all), &Target::new("x"))
            .unwrap();
        let body: Value = serde_json::from_slice(&wire.body.concat()).unwrap();
        let sent = json!({
            "protocol": codec.protocol().as_str(), "path": wire.path, "body": body,
            "dropped": wire.losses.dropped, "emulated": wire.losses.emulated,
        });
        text += &serde_json::to_string_pretty(&sent).unwrap();
        text.push('\n');
    }
    let nothing =
        json!({"prompt": "a", "suffix": "", "echo": false, "best_of": 1, "logit_bias": {}, "n": 1});
    let wire = OpenAiChat::OPENAI
        .encode_request(&request(&nothing), &Target::new("x"))
        .unwrap();
    assert!(wire.losses.is_empty(), "{:?}", wire.losses);
    insta::assert_snapshot!(text);
}

#[test]
fn a_chats_reply_becomes_a_text() {
    let body = json!({"model": "assistant", "prompt": "a", "stream": true, "stream_options": {"include_usage": true}});
    let request = request(&body);
    let token = |token: &str, top: Vec<(&str, &str)>| TokenLogprob {
        token: token.into(),
        logprob: Json::of_valid("-0.50".into()),
        top: top
            .into_iter()
            .map(|(token, logprob)| (token.into(), Json::of_valid(logprob.into())))
            .collect(),
    };
    let response = ChatResponse {
        model: "upstream".into(),
        choices: vec![Choice {
            index: 0,
            blocks: vec![
                Content::new(Block::Reasoning, "hm".into()),
                Content::new(Block::Text, "Hé!".into()),
            ],
            logprobs: vec![
                token("Hé", vec![("Hé", "-0.50"), ("Ha", "-3")]),
                token("!", vec![]),
            ],
            finish: Some(FinishReason::Stop),
        }],
        usage: Some(Usage {
            input_tokens: 3,
            output_tokens: 2,
            ..Usage::default()
        }),
        ..ChatResponse::default()
    };
    let whole = Dialect.encode_response(&request, &response).concat();
    let mut stream = BytesMut::new();
    let mut encoder = Dialect.stream_encoder(&request);
    encoder.encode(None, &response.events(), &mut stream);
    encoder.finish(&mut stream);
    let whole: Value = serde_json::from_slice(&whole).unwrap();
    let text = format!(
        "{}\n\n{}",
        serde_json::to_string_pretty(&whole).unwrap(),
        std::str::from_utf8(&stream).unwrap()
    );
    insta::assert_snapshot!(text);
}

#[test]
fn a_reply_is_carried_with_the_clients_name() {
    for case in cases::of(
        Protocol::OpenAiCompletions,
        &["request.json", "response.json"],
    ) {
        let mut request = case.request();
        let raw = String::from_utf8(case.read("response.json").unwrap().to_vec()).unwrap();
        let response = Codec::USUAL
            .decode_response(&request, &case.form(), Bytes::from(raw.clone()))
            .unwrap();
        let written = Dialect.encode_response(&request, &response).concat();
        assert_eq!(
            written,
            raw.replace(&case.upstream_model(), "\"assistant\"")
        );
        request.model = None;
        let read = case.run(&request, [case.stream()]);
        assert_eq!(read.written, case.stream(), "{}", case.name);
        request.model = Some("assistant".to_owned());
        let stream = String::from_utf8(case.stream().to_vec()).unwrap();
        let read = case.run(&request, [case.stream()]);
        assert_eq!(
            read.written,
            stream.replace(&case.upstream_model(), "\"assistant\"")
        );
    }
}

#[test]
fn nothing_follows_an_error() {
    let mut encoder = Dialect.stream_encoder(&request(&json!({"prompt": "a"})));
    let mut out = BytesMut::new();
    encoder.encode_error(&llm::ApiError::invalid("no"), &mut out);
    let written = out.clone();
    assert!(written.starts_with(b"data: {\"error\""));
    encoder.finish(&mut out);
    assert_eq!(out, written);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn broken_bodies_never_panic(at in any::<prop::sample::Index>(), with in any::<u8>(), end in any::<prop::sample::Index>()) {
        for case in cases::of(Protocol::OpenAiCompletions, &["request.json", "stream"]) {
            let mangle = |bytes: &Bytes| {
                let mut bytes = bytes.to_vec();
                let place = at.index(bytes.len());
                bytes[place] = with;
                bytes.truncate(end.index(bytes.len()) + 1);
                Bytes::from(bytes)
            };
            let body = mangle(&case.read("request.json").unwrap());
            if let Ok(request) = Dialect.decode_request(Incoming::of(body)) {
                let _ = request.prompt();
                let _ = Codec::USUAL.encode_request(&request, &Target::new("m"));
            }
            let request = case.request();
            let stream = mangle(&case.stream());
            let _ = Codec::USUAL.decode_response(&request, &case.form(), stream.clone());
            let mut framer = SseFramer::new();
            let mut decoder = Codec::USUAL.stream_decoder(&request, &case.form());
            let (mut events, mut out) = (Vec::new(), BytesMut::new());
            let mut encoder = Dialect.stream_encoder(&request);
            framer.push(stream);
            while let Ok(Some(mut frame)) = framer.next() {
                if decoder.decode(&mut frame, &mut events).is_err() {
                    break;
                }
                encoder.encode(Some(&frame), &events, &mut out);
            }
        }
    }
}

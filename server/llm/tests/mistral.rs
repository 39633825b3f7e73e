//! What is sent to Mistral, and what it costs to be strict.

mod cases;

use bytes::Bytes;
use llm::chat::{Protocol, Seal, StreamEvent, collect};
use llm::codecs::mistral::Mistral;
use llm::dialects::openai_chat::OpenAiChat;
use llm::{ChatCodec, ChatDialect, Incoming, SseFramer, Target, WireRequest};
use proptest::prelude::*;
use serde_json::{Value, json};

fn encode(body: &Value, target: &Target<'_>) -> WireRequest {
    let request = OpenAiChat
        .decode_request(Incoming::of(body.to_string()))
        .unwrap();
    Mistral.encode_request(&request, target).unwrap()
}

fn golden(wire: &WireRequest) -> String {
    let body: Value = serde_json::from_slice(&wire.body.concat()).unwrap();
    let sent = json!({
        "path": wire.path,
        "body": body,
        "dropped": wire.losses.dropped,
        "emulated": wire.losses.emulated,
    });
    serde_json::to_string_pretty(&sent).unwrap()
}

fn of(body: Value) -> String {
    golden(&encode(&body, &Target::new("mistral-large-latest")))
}

#[test]
fn every_parameter() {
    insta::assert_snapshot!(of(json!({
        "model": "m",
        "messages": [
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": "Hi", "name": "ann"},
        ],
        "stream": true, "stream_options": {"include_usage": true},
        "temperature": 2, "top_p": 0.90, "top_k": 40, "min_p": 0.05, "seed": 7, "n": 2,
        "max_completion_tokens": 100, "stop": ["a", "b"], "presence_penalty": 0.5, "frequency_penalty": -0.5,
        "logprobs": true, "top_logprobs": 3, "logit_bias": {"50256": -100}, "user": "u1", "store": true,
        "metadata": {"team": "a"}, "safe_prompt": true, "prompt_cache_key": "k", "random_seed": null,
        "prediction": {"type": "content", "content": "Hello"}, "reasoning_effort": "low",
        "web_search_options": {}, "verbosity": "low",
    })));
}

#[test]
fn tools_and_their_results() {
    insta::assert_snapshot!(of(json!({
        "messages": [
            {"role": "user", "content": "Weather in Paris and Rome?"},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "call_a", "type": "function", "function": {"name": "weather", "arguments": "{\"city\":\"Paris\"}"}},
                {"id": "D681PevKs", "type": "function", "function": {"name": "now", "arguments": ""}},
                {"id": "call_c", "type": "custom", "custom": {"name": "shell", "input": "ls \"x\""}},
            ]},
            {"role": "tool", "tool_call_id": "call_a", "content": "12 °C"},
            {"role": "tool", "tool_call_id": "D681PevKs", "content": [{"type": "text", "text": "9"}, {"type": "text", "text": "am"}]},
            {"role": "tool", "tool_call_id": "call_c", "content": ""},
        ],
        "tools": [
            {"type": "function", "function": {"name": "weather", "description": "d", "strict": true,
                "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}},
            {"type": "function", "function": {"name": "now"}},
            {"type": "custom", "custom": {"name": "shell"}},
        ],
        "tool_choice": "required", "parallel_tool_calls": false,
    })));
}

#[test]
fn tool_choices() {
    let choice = |choice: Value| {
        let tool = |name: &str| json!({"type": "function", "function": {"name": name}});
        let body = json!({
            "messages": [{"role": "user", "content": "x"}],
            "tools": [tool("a"), tool("b")],
            "tool_choice": choice,
        });
        let wire = encode(&body, &Target::new("m"));
        let sent: Value = serde_json::from_slice(&wire.body.concat()).unwrap();
        let tools = sent["tools"].as_array().unwrap().len();
        (sent["tool_choice"].clone(), tools, wire.losses.is_empty())
    };
    assert_eq!(choice(json!("auto")), (json!("auto"), 2, true));
    assert_eq!(choice(json!("none")), (json!("none"), 2, true));
    assert_eq!(choice(json!("required")), (json!("any"), 2, true));
    let named = json!({"type": "function", "function": {"name": "b"}});
    assert_eq!(choice(named.clone()), (named, 2, true));
    let among = |mode: &str| {
        json!({"type": "allowed_tools", "allowed_tools": {"mode": mode,
            "tools": [{"type": "function", "function": {"name": "b"}}]}})
    };
    assert_eq!(choice(among("required")), (json!("any"), 1, false));
    assert_eq!(choice(among("auto")), (json!("auto"), 1, false));
}

#[test]
fn content_of_every_kind() {
    insta::assert_snapshot!(of(json!({
        "messages": [{"role": "user", "content": [
            {"type": "text", "text": "What are these?", "cache_control": {"type": "ephemeral"}},
            {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}},
            {"type": "image_url", "image_url": {"url": "data:image/webp;base64,AAAA"}},
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,BBBB"}},
            {"type": "file", "file": {"file_id": "file-1"}},
            {"type": "input_audio", "input_audio": {"data": "CCCC", "format": "mp3"}},
            {"type": "video_url", "video_url": {"url": "https://example.com/a.mp4"}},
        ]}],
        "response_format": {"type": "json_schema", "json_schema": {
            "name": "things", "strict": true, "schema": {"type": "object", "x": 1.0}}},
    })));
}

#[test]
fn turns_in_an_order_that_is_taken() {
    let target = Target {
        system_prompt: Some("The operator's."),
        ..Target::new("magistral-small-latest")
    };
    let body = json!({
        "messages": [
            {"role": "system", "content": "One."},
            {"role": "system", "content": "Two."},
            {"role": "user", "content": "a"},
            {"role": "user", "content": "b"},
            {"role": "assistant", "content": "c", "reasoning_content": "thought"},
            {"role": "system", "content": "Late."},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "call_2", "type": "function", "function": {"name": "g", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "call_1", "content": "1"},
            {"role": "tool", "tool_call_id": "call_2", "content": "2"},
            {"role": "user", "content": "never mind"},
            {"role": "assistant", "content": "As I was"},
        ],
        "reasoning_effort": "high",
    });
    insta::assert_snapshot!(golden(&encode(&body, &target)));
}

/// The same for every model: `reasoning_effort`, `prompt_mode`, what is dropped and emulated.
#[test]
fn efforts() {
    let mut table = String::new();
    for model in [
        "mistral-small-latest",
        "mistral-large-latest",
        "magistral-medium-latest",
        "codestral-2508",
    ] {
        for effort in ["none", "minimal", "low", "medium", "high", "xhigh"] {
            let body =
                json!({"messages": [{"role": "user", "content": "x"}], "reasoning_effort": effort});
            let wire = encode(&body, &Target::new(model));
            let sent: Value = serde_json::from_slice(&wire.body.concat()).unwrap();
            table.push_str(&format!(
                "{model} {effort}: effort {}, mode {}, dropped {:?}, emulated {:?}\n",
                sent["reasoning_effort"],
                sent["prompt_mode"],
                wire.losses.dropped,
                wire.losses.emulated
            ));
        }
    }
    insta::assert_snapshot!(table);
}

/// Mistral's own thoughts go back to it; another protocol's do not, signed as they are.
#[test]
fn thoughts_of_earlier_turns() {
    let thought = |text: &str, protocol| {
        let seal = Seal {
            protocol,
            data: "c2lnbmVk".into(),
            encrypted: false,
            id: "".into(),
        };
        json!({"type": "reasoning.text", "text": text, "signature": seal.token()})
    };
    insta::assert_snapshot!(of(json!({
        "messages": [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": "b", "reasoning_details": [
                thought("mine", Protocol::Mistral),
                thought("another's", Protocol::Anthropic),
            ]},
            {"role": "user", "content": "c"},
            {"role": "assistant", "content": "d", "reasoning_content": "nobody's"},
            {"role": "user", "content": "e"},
        ],
    })));
}

/// An OpenAI client sends the call's id and the signed thought back as it got them.
#[test]
fn a_second_turn_carries_ids_and_signatures() {
    let case = cases::of(Protocol::Mistral, &["response.json"])
        .into_iter()
        .find(|case| case.name == "mistral/signed_thoughts")
        .unwrap();
    let request = case.request();
    let response = Mistral
        .decode_response(&request, &case.form(), case.read("response.json").unwrap())
        .unwrap();
    let reply = OpenAiChat.encode_response(&request, &response).concat();
    let reply: Value = serde_json::from_slice(&reply).unwrap();
    let answer = reply["choices"][0]["message"].clone();
    let id = answer["tool_calls"][0]["id"].clone();
    let body = json!({
        "messages": [
            {"role": "user", "content": "x"},
            answer,
            {"role": "tool", "tool_call_id": id, "content": "12 °C"},
        ],
    });
    let wire = encode(&body, &Target::new("mistral-medium-3-5"));
    let sent: Value = serde_json::from_slice(&wire.body.concat()).unwrap();
    assert_eq!(sent["messages"][1]["tool_calls"][0]["id"], "Qw3rTy7u8");
    assert_eq!(sent["messages"][2]["tool_call_id"], "Qw3rTy7u8");
    let thought = json!({
        "type": "thinking", "signature": "c2lnbmVkIQ==",
        "thinking": [{"type": "text", "text": "Look it up."}],
    });
    assert_eq!(sent["messages"][1]["content"], json!([thought]));
    assert!(wire.losses.is_empty(), "{:?}", wire.losses);
}

#[test]
fn an_openai_client_never_sees_mistrals_bytes() {
    for case in cases::of(Protocol::Mistral, &["request.json", "response.json"]) {
        if case.read("failure.json").is_some() {
            continue;
        }
        let request = case.request();
        let body = case.read("response.json").unwrap();
        let response = Mistral
            .decode_response(&request, &case.form(), body)
            .unwrap();
        let reply = OpenAiChat.encode_response(&request, &response).concat();
        let reply: Value = serde_json::from_slice(&reply).unwrap();
        for choice in reply["choices"].as_array().unwrap() {
            let content = &choice["message"]["content"];
            assert!(content.is_string() || content.is_null(), "{}", case.name);
            assert_ne!(choice["finish_reason"], "model_length");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn broken_replies_never_panic(at in any::<prop::sample::Index>(), with in any::<u8>(), end in any::<prop::sample::Index>()) {
        for case in cases::of(Protocol::Mistral, &["request.json", "stream"]) {
            let request = case.request();
            let mut stream = case.stream().to_vec();
            let place = at.index(stream.len());
            stream[place] = with;
            stream.truncate(end.index(stream.len()) + 1);
            let _ = Mistral.decode_response(&request, &case.form(), Bytes::from(stream.clone()));
            let mut framer = SseFramer::new();
            let mut decoder = Mistral.stream_decoder(&request, &case.form());
            let mut events = Vec::new();
            framer.push(Bytes::from(stream));
            while let Ok(Some(mut frame)) = framer.next() {
                if decoder.decode(&mut frame, &mut events).is_err() {
                    break;
                }
            }
            if decoder.finish(&mut events).is_ok() {
                let started = |event: &&StreamEvent| matches!(event, StreamEvent::Started { .. });
                prop_assert_eq!(events.iter().filter(started).count(), 1);
                let _ = collect(&events);
            }
        }
    }
}

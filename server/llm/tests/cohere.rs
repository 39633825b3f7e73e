//! What is sent to Cohere, and what is read of it.

mod canonical;

use bytes::Bytes;
use canonical::{anthropic, golden, openai, tool_choice};
use llm::chat::{StreamEvent, collect};
use llm::codecs::cohere::Cohere;
use llm::{ChatCodec, ReplyForm, SseFramer, Target};
use proptest::prelude::*;
use serde_json::{Value, json};

fn of(body: &Value) -> String {
    golden(&Cohere, &openai(body), &Target::new("command-a-03-2025"))
}

fn sent(body: &Value, model: &str) -> (Value, Vec<String>, Vec<String>) {
    let wire = Cohere
        .encode_request(&openai(body), &Target::new(model))
        .unwrap();
    let words = |list: Vec<std::borrow::Cow<'static, str>>| list.into_iter().map(Into::into);
    (
        serde_json::from_slice(&wire.body.concat()).unwrap(),
        words(wire.losses.dropped).collect(),
        words(wire.losses.emulated).collect(),
    )
}

#[test]
fn every_parameter() {
    insta::assert_snapshot!(of(&canonical::every_parameter()));
}

#[test]
fn tools_and_their_results() {
    let target = Target {
        system_prompt: Some("The operator's."),
        ..Target::new("command-a-03-2025")
    };
    let request = openai(&canonical::tools_and_their_results());
    insta::assert_snapshot!(golden(&Cohere, &request, &target));
}

#[test]
fn content_of_every_kind() {
    insta::assert_snapshot!(of(&canonical::content_of_every_kind()));
}

#[test]
fn thoughts_and_failures() {
    let request = anthropic(&canonical::thoughts_and_failures());
    let thinks = Target::new("command-a-reasoning-08-2025");
    insta::assert_snapshot!(golden(&Cohere, &request, &thinks));
}

#[test]
fn thoughts_and_failures_with_a_model_that_does_not_think() {
    let request = anthropic(&canonical::thoughts_and_failures());
    let target = Target::new("command-a-03-2025");
    insta::assert_snapshot!(golden(&Cohere, &request, &target));
}

#[test]
fn tool_choices() {
    let all = canonical::choices().map(|choice| tool_choice(&Cohere, choice));
    let sent = all
        .each_ref()
        .map(|(choice, tools, _, _)| (choice.as_str().unwrap_or("-"), *tools));
    let expected = [
        ("-", 2),
        ("NONE", 2),
        ("REQUIRED", 2),
        ("REQUIRED", 1),
        ("-", 1),
        ("REQUIRED", 1),
    ];
    assert_eq!(sent, expected);
    assert!(all.iter().all(|(_, _, dropped, _)| dropped.is_empty()));
    let emulated = all.each_ref().map(|(_, _, _, emulated)| emulated.len());
    assert_eq!(emulated, [0, 0, 0, 1, 1, 1]);
}

/// <https://docs.cohere.com/docs/structured-outputs>: not beside tools.
#[test]
fn a_format_beside_tools_is_asked_for_in_words() {
    let mut body = json!({
        "messages": [{"role": "system", "content": "One."}, {"role": "user", "content": "x"}],
        "response_format": {"type": "json_object"},
    });
    let (alone, _, emulated) = sent(&body, "m");
    assert_eq!(alone["response_format"], json!({"type": "json_object"}));
    assert!(emulated.is_empty());
    body["tools"] = json!([{"type": "function", "function": {"name": "f"}}]);
    let (beside, _, emulated) = sent(&body, "m");
    assert!(beside.get("response_format").is_none());
    assert_eq!(emulated, ["response_format"]);
    // In the one system message that there may be.
    assert_eq!(beside["messages"][0]["content"][0]["text"], "One.");
    let told = beside["messages"][0]["content"][1]["text"].as_str();
    assert!(told.unwrap().contains("JSON"), "{told:?}");
    assert_eq!(beside["messages"][1]["role"], "user");
}

#[test]
fn what_is_out_of_range_is_brought_into_it() {
    let body = json!({"messages": [], "top_p": 0.0, "presence_penalty": -2, "frequency_penalty": 1.5,
                      "stop": ["1", "2", "3", "4"], "reasoning_effort": "none"});
    let (sent, dropped, emulated) = sent(&body, "m");
    assert_eq!(sent["p"], 0.01);
    assert_eq!(sent["presence_penalty"], 0);
    assert_eq!(sent["frequency_penalty"], 1);
    assert!(sent.get("k").is_none());
    assert_eq!(sent["stop_sequences"].as_array().unwrap().len(), 4);
    assert_eq!(sent["thinking"], json!({"type": "disabled"}));
    assert!(dropped.is_empty());
    assert_eq!(emulated, ["top_p", "presence_penalty", "frequency_penalty"]);
}

/// An event that looks like Cohere's.
fn event() -> impl Strategy<Value = String> {
    let event = proptest::sample::select(vec![
        r#"{"type":"message-start","id":"i","delta":{"message":{"role":"assistant"}}}"#,
        r#"{"type":"content-start","index":0,"delta":{"message":{"content":{"type":"text","text":""}}}}"#,
        r#"{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"a"}}}}"#,
        r#"{"type":"content-delta","index":1,"delta":{"message":{"content":{"thinking":"t","text":"u"}}},"logprobs":{"text":"t","logprobs":[-1,-2]}}"#,
        r#"{"type":"content-delta","index":-1,"delta":{"message":{"content":{"text":"a"}}}}"#,
        r#"{"type":"tool-plan-delta","delta":{"message":{"tool_plan":"p"}}}"#,
        r#"{"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"c","function":{"name":"f","arguments":""}}}}}"#,
        r#"{"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"{}"}}}}}"#,
        r#"{"type":"tool-call-delta","index":7,"delta":{"message":{"tool_calls":{"function":{"arguments":"{}"}}}}}"#,
        r#"{"type":"citation-start","index":0,"delta":{"message":{"citations":{"start":0,"end":1,"sources":[{"id":"s"}]}}}}"#,
        r#"{"type":"citation-start","index":0,"delta":{"message":{"citations":[{"start":9,"content_index":1}]}}}"#,
        r#"{"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{"tokens":{"input_tokens":1}}}}"#,
        r#"{"type":"message-end","delta":{"finish_reason":"ERROR","error":"e"}}"#,
        r#"{"type":"message-end"}"#,
        r#"{"type":1}"#,
        r#"{"message":"e"}"#,
        "[DONE]",
        "{",
        "",
    ]);
    event.prop_map(|event| format!("data: {event}\n\n"))
}

proptest! {
    #[test]
    fn any_events_are_read_without_a_panic(events in proptest::collection::vec(event(), 0..10), odd in ".{0,60}") {
        let request = openai(&json!({"messages": []}));
        let stream = events.concat() + &odd;
        let _ = Cohere.decode_response(&request, &ReplyForm::default(), Bytes::from(odd));
        let mut framer = SseFramer::new();
        framer.push(Bytes::from(stream.clone()));
        let mut decoder = Cohere.stream_decoder(&request, &ReplyForm::default());
        let mut events = Vec::new();
        let mut good = true;
        while let Some(mut frame) = framer.next().unwrap().or_else(|| framer.finish()) {
            good &= decoder.decode(&mut frame, &mut events).is_ok();
            if !good {
                break;
            }
        }
        if good && decoder.finish(&mut events).is_ok() {
            let started = matches!(events[0], StreamEvent::Started { .. });
            prop_assert!(started, "{}", stream);
            let whole = collect(&events);
            prop_assert!(whole.choices[0].finish.is_some());
            prop_assert_eq!(collect(&whole.events()), whole);
        }
    }
}

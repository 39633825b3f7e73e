//! What is sent to Ollama, and what is read of it.

mod canonical;

use bytes::Bytes;
use canonical::{anthropic, golden, openai, tool_choice};
use llm::chat::{StreamEvent, collect};
use llm::codecs::ollama::Ollama;
use llm::{ChatCodec, NdjsonFramer, ReplyForm, Target};
use proptest::prelude::*;
use serde_json::{Value, json};

fn of(body: &Value) -> String {
    golden(&Ollama, &openai(body), &Target::new("qwen3"))
}

#[test]
fn every_parameter() {
    insta::assert_snapshot!(of(&canonical::every_parameter()));
}

#[test]
fn tools_and_their_results() {
    let target = Target {
        system_prompt: Some("The operator's."),
        ..Target::new("qwen3")
    };
    let request = openai(&canonical::tools_and_their_results());
    insta::assert_snapshot!(golden(&Ollama, &request, &target));
}

#[test]
fn content_of_every_kind() {
    insta::assert_snapshot!(of(&canonical::content_of_every_kind()));
}

#[test]
fn thoughts_and_failures() {
    let request = anthropic(&canonical::thoughts_and_failures());
    insta::assert_snapshot!(golden(&Ollama, &request, &Target::new("gpt-oss:20b")));
}

#[test]
fn tool_choices_are_reached_by_what_is_offered_or_named_as_lost() {
    let all = canonical::choices().map(|choice| tool_choice(&Ollama, choice));
    let tools = all.each_ref().map(|(_, tools, _, _)| *tools);
    assert_eq!(tools, [2, 0, 2, 1, 1, 1]);
    let lost = ["tool_choice".to_owned()];
    let dropped = all.each_ref().map(|(_, _, dropped, _)| *dropped == lost);
    assert_eq!(dropped, [false, false, true, true, false, true]);
    let emulated = all.each_ref().map(|(_, _, _, emulated)| *emulated == lost);
    assert_eq!(emulated, [false, true, false, false, true, false]);
    assert!(all.iter().all(|(choice, ..)| choice.is_null()));
}

#[test]
fn how_much_is_thought_is_said_in_levels() {
    let think = |effort: &str| {
        let body = json!({"messages": [], "reasoning_effort": effort});
        let wire = Ollama
            .encode_request(&openai(&body), &Target::new("m"))
            .unwrap();
        let sent: Value = serde_json::from_slice(&wire.body.concat()).unwrap();
        (sent["think"].clone(), wire.losses.emulated.len())
    };
    assert_eq!(think("none"), (json!(false), 0));
    assert_eq!(think("minimal"), (json!("low"), 1));
    assert_eq!(think("medium"), (json!("medium"), 0));
    assert_eq!(think("high"), (json!("high"), 0));
    assert_eq!(think("xhigh"), (json!("max"), 0));
}

#[test]
fn options_that_are_none_are_named_as_lost() {
    let body = json!({"messages": [], "options": [1]});
    let wire = Ollama
        .encode_request(&openai(&body), &Target::new("m"))
        .unwrap();
    assert_eq!(wire.losses.dropped, ["options"]);
    let sent: Value = serde_json::from_slice(&wire.body.concat()).unwrap();
    assert!(sent.get("options").is_none());
}

/// Ids that the gateway makes are not the same in the next turn.
#[test]
fn calls_without_ids_get_their_own() {
    let ids = |stamp: u128| {
        let mut request = openai(&json!({"messages": []}));
        request.stamp.id = stamp;
        let call = r#"{"function":{"name":"f","arguments":{}}}"#;
        let body = format!(r#"{{"message":{{"tool_calls":[{call},{call}]}},"done":true}}"#);
        let form = ReplyForm::default();
        let reply = Ollama.decode_response(&request, &form, Bytes::from(body));
        let blocks = &reply.unwrap().choices[0].blocks;
        let id = |block: &llm::chat::Block| match block {
            llm::chat::Block::ToolCall { id, .. } => id.to_string(),
            other => panic!("{other:?}"),
        };
        blocks
            .iter()
            .map(|content| id(&content.block))
            .collect::<Vec<_>>()
    };
    let all = [ids(1), ids(2)].concat();
    let distinct: std::collections::HashSet<_> = all.iter().collect();
    assert_eq!(distinct.len(), 4);
    assert!(all.iter().all(|id| id.len() <= 40), "{all:?}");
}

/// A line that looks like Ollama's.
fn line() -> impl Strategy<Value = String> {
    let piece = proptest::sample::select(vec![
        r#""model":"m""#,
        r#""created_at":"2026-11-20T14:13:43Z""#,
        r#""created_at":"x""#,
        r#""message":{"role":"assistant","content":"a"}"#,
        r#""message":{"thinking":"t","content":""}"#,
        r#""message":{"tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}]}"#,
        r#""message":{"tool_calls":[{"id":"i","function":{"name":"f","arguments":"x"}}]}"#,
        r#""message":{"tool_calls":[{}]}"#,
        r#""message":[]"#,
        r#""done":true"#,
        r#""done":false"#,
        r#""done":1"#,
        r#""done_reason":"length""#,
        r#""eval_count":3"#,
        r#""prompt_eval_count":-1"#,
        r#""logprobs":[{"token":"a","logprob":-1}]"#,
        r#""error":"e""#,
    ]);
    proptest::collection::vec(piece, 0..5).prop_map(|pieces| format!("{{{}}}", pieces.join(",")))
}

proptest! {
    #[test]
    fn any_lines_are_read_without_a_panic(lines in proptest::collection::vec(line(), 0..8), odd in ".{0,60}") {
        let request = openai(&json!({"messages": []}));
        for stream in [lines.join("\n"), lines.join("\r\n") + &odd, odd.clone()] {
            let mut framer = NdjsonFramer::new();
            framer.push(Bytes::from(stream.clone()));
            let mut decoder = Ollama.stream_decoder(&request, &ReplyForm::default());
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
}

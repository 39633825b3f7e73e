//! Anthropic Messages: what is sent upstream, what clients are told, and what is carried between.

mod cases;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue};
use llm::chat::{
    Block, ChatRequest, ChatResponse, Choice, Citation, Content, FinishReason, Protocol, Seal,
    Stamp, StreamEvent, ToolKind, Usage, collect,
};
use llm::codecs::anthropic::{self, Anthropic as Codec};
use llm::codecs::openai_chat::OpenAiChat as OpenAiCodec;
use llm::dialects::anthropic::{Anthropic, count_tokens};
use llm::dialects::gemini::Gemini;
use llm::dialects::openai_chat::OpenAiChat;
use llm::{
    ApiError, ChatCodec, ChatDialect, ErrorKind, ErrorSource, Incoming, ReplyForm, SseFramer,
    Target, WireRequest,
};
use proptest::prelude::*;
use serde_json::{Value, json};

const SONNET: &str = "claude-sonnet-4-5";

fn pretty(wire: &WireRequest) -> String {
    let body: Value = serde_json::from_slice(&wire.body.concat()).unwrap();
    let sent = json!({
        "path": wire.path,
        "body": body,
        "dropped": wire.losses.dropped,
        "emulated": wire.losses.emulated,
        "answer_tool": wire.form.answer_tool,
    });
    serde_json::to_string_pretty(&sent).unwrap()
}

fn openai(body: &Value) -> ChatRequest {
    OpenAiChat
        .decode_request(Incoming::of(body.to_string()))
        .unwrap()
}

fn client(body: &Value) -> ChatRequest {
    Anthropic
        .decode_request(Incoming::of(body.to_string()))
        .unwrap()
}

/// What an OpenAI client's request becomes.
fn sent_to(model: &str, body: &Value) -> WireRequest {
    Codec
        .encode_request(&openai(body), &Target::new(model))
        .unwrap()
}

fn body_of(wire: &WireRequest) -> Value {
    serde_json::from_slice(&wire.body.concat()).unwrap()
}

/// What an Anthropic client's request becomes for an OpenAI upstream.
fn heard(body: &Value) -> String {
    let wire = OpenAiCodec::OPENAI.encode_request(&client(body), &Target::new("gpt"));
    pretty(&wire.unwrap())
}

mod upstream {
    //! From another protocol.

    use super::*;

    #[test]
    fn every_parameter() {
        insta::assert_snapshot!(pretty(&sent_to(
            SONNET,
            &json!({
                "model": "m",
                "messages": [
                    {"role": "developer", "content": "Be brief."},
                    {"role": "user", "content": "Hi", "name": "ann"},
                ],
                "stream": true,
                "temperature": 1.7, "top_p": 0.9, "top_k": 40, "min_p": 0.1, "seed": 7, "n": 2,
                "max_completion_tokens": 100, "stop": ["a", "\n"], "presence_penalty": 0.5, "frequency_penalty": -0.5,
                "logprobs": true, "top_logprobs": 3, "logit_bias": {"50256": -100}, "user": "u1", "store": true,
            })
        )));
    }

    #[test]
    fn tools_and_their_results() {
        insta::assert_snapshot!(pretty(&sent_to(
            SONNET,
            &json!({
                "messages": [
                    {"role": "user", "content": "Weather in Paris and Rome?"},
                    {"role": "assistant", "content": "", "tool_calls": [
                        {"id": "call.a:1", "type": "function", "function": {"name": "weather", "arguments": "{\"city\":\"Paris\"}"}},
                        {"id": "call_b", "type": "function", "function": {"name": "now", "arguments": ""}},
                        {"id": "call_c", "type": "custom", "custom": {"name": "shell", "input": "ls \"x\""}},
                    ]},
                    {"role": "user", "content": "And hurry."},
                    {"role": "tool", "tool_call_id": "call.a:1", "content": "12 °C"},
                    {"role": "tool", "tool_call_id": "call_b", "content": [{"type": "text", "text": "9"}, {"type": "text", "text": "am"}]},
                    {"role": "tool", "tool_call_id": "call_c", "content": ""},
                ],
                "tools": [
                    {"type": "function", "function": {"name": "weather", "description": "d", "strict": true,
                        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": false}}},
                    {"type": "function", "function": {"name": "open", "strict": true, "parameters": {"type": "object", "properties": {}}}},
                    {"type": "function", "function": {"name": "now"}},
                    {"type": "custom", "custom": {"name": "shell", "description": "Runs a command"}},
                ],
                "tool_choice": "required", "parallel_tool_calls": false,
            })
        )));
    }

    #[test]
    fn content_of_every_kind() {
        insta::assert_snapshot!(pretty(&sent_to(
            SONNET,
            &json!({
                "messages": [
                    {"role": "user", "content": [
                        {"type": "text", "text": "Look"},
                        {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "high"}},
                        {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,/9j/4A=="}},
                        {"type": "image_url", "image_url": {"url": "data:image/tiff;base64,SUkqAA=="}},
                        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}},
                        {"type": "file", "file": {"filename": "a.txt", "file_data": "data:text/plain;base64,aGVsbG8="}},
                        {"type": "file", "file": {"file_id": "file-1"}},
                        {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
                        {"type": "text", "text": "  "},
                    ]},
                    {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
                    {"role": "user", "content": "Why?"},
                    {"role": "assistant", "content": "Because \n"},
                ],
            })
        )));
    }

    #[test]
    fn marks_for_the_cache() {
        let marked = |text: &str| json!({"type": "text", "text": text, "cache_control": {"type": "ephemeral"}});
        let wire = sent_to(
            SONNET,
            &json!({
                "messages": [
                    {"role": "system", "content": [marked("one"), {"type": "text", "text": "two", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]},
                    {"role": "user", "content": [marked("three")]},
                    {"role": "assistant", "content": "ok"},
                    {"role": "user", "content": [marked("four"), marked("five")]},
                ],
            }),
        );
        let body = wire.body.concat();
        let body = std::str::from_utf8(&body).unwrap();
        assert_eq!(body.matches("cache_control").count(), 4, "{body}");
        assert!(body.contains(r#"{"type":"text","text":"one"}"#), "{body}");
        assert!(
            body.contains(r#""text":"two","cache_control":{"type":"ephemeral","ttl":"1h"}"#),
            "{body}"
        );
        assert_eq!(wire.losses.dropped, ["cache_control"]);
    }

    #[test]
    fn structured_output() {
        let ask = |schema: Value| {
            json!({
                "messages": [{"role": "user", "content": "Who?"}],
                "response_format": {"type": "json_schema", "json_schema": {"name": "person", "schema": schema}},
            })
        };
        let closed = json!({"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"], "additionalProperties": false});
        let open =
            json!({"type": "object", "properties": {"age": {"type": "integer", "minimum": 0}}});
        insta::assert_snapshot!(
            "schema_held_to",
            pretty(&sent_to(SONNET, &ask(closed.clone())))
        );
        insta::assert_snapshot!(
            "schema_by_a_tool",
            pretty(&sent_to(SONNET, &ask(open.clone())))
        );
        insta::assert_snapshot!(
            "schema_by_a_tool_of_an_older_model",
            pretty(&sent_to("claude-3-5-haiku-latest", &ask(closed)))
        );
        insta::assert_snapshot!(
            "schema_by_a_sentence",
            pretty(&sent_to("claude-opus-5-5", &ask(open)))
        );
        let any = json!({"messages": [{"role": "user", "content": "Who?"}], "response_format": {"type": "json_object"},
            "tools": [{"type": "function", "function": {"name": "answer"}}]});
        insta::assert_snapshot!("any_json_beside_tools", pretty(&sent_to(SONNET, &any)));
    }

    #[test]
    fn tool_choices() {
        let choice = |model: &str, choice: Value| {
            let tool = |name: &str| json!({"type": "function", "function": {"name": name}});
            let wire = sent_to(
                model,
                &json!({"messages": [{"role": "user", "content": "Hi"}],
                "tools": [tool("a"), tool("b")], "tool_choice": choice}),
            );
            let body = body_of(&wire);
            let names: Vec<_> = body["tools"]
                .as_array()
                .unwrap()
                .iter()
                .map(|tool| tool["name"].clone())
                .collect();
            (
                body["tool_choice"].clone(),
                names.len(),
                wire.losses.dropped,
                wire.losses.emulated,
            )
        };
        let none: Vec<String> = Vec::new();
        for (given, sent, tools) in [
            (json!("auto"), json!({"type": "auto"}), 2),
            (json!("none"), json!({"type": "none"}), 2),
            (json!("required"), json!({"type": "any"}), 2),
            (
                json!({"type": "function", "function": {"name": "b"}}),
                json!({"type": "tool", "name": "b"}),
                2,
            ),
        ] {
            let (choice, count, dropped, _) = choice(SONNET, given.clone());
            assert_eq!((choice, count), (sent, tools), "{given}");
            assert_eq!(dropped, none, "{given}");
        }
        let among = json!({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "b"}}]}});
        let (sent, count, _, emulated) = choice(SONNET, among);
        assert_eq!((sent, count), (json!({"type": "any"}), 1));
        assert_eq!(emulated, ["tool_choice"]);
        let (sent, _, dropped, _) = choice("claude-opus-5-5", json!("required"));
        assert_eq!(sent, Value::Null);
        assert_eq!(dropped, ["tool_choice"]);
    }

    /// Model, effort, `max_tokens`, whether a tool is forced; what is sent and what is left out.
    #[test]
    fn efforts() {
        let mut told = String::new();
        for model in [
            "claude-3-5-haiku",
            "claude-3-7-sonnet",
            SONNET,
            "claude-opus-4-6",
            "claude-opus-4-8",
            "claude-sonnet-5",
            "claude-sonnet-5-5",
            "claude-opus-5-5",
            "other",
        ] {
            for effort in ["none", "low", "high", "xhigh"] {
                for (max_tokens, forced) in [
                    (None, false),
                    (Some(2_000), false),
                    (Some(1_000), false),
                    (None, true),
                ] {
                    let mut body = json!({"messages": [{"role": "user", "content": "Hi"}], "temperature": 0.5, "top_k": 5,
                        "reasoning_effort": effort, "max_tokens": max_tokens});
                    if forced {
                        body["tools"] = json!([{"type": "function", "function": {"name": "a"}}]);
                        body["tool_choice"] = json!("required");
                    }
                    let wire = sent_to(model, &body);
                    let sent = body_of(&wire);
                    let short = json!([
                        sent["max_tokens"],
                        sent["thinking"],
                        sent["output_config"],
                        sent["temperature"],
                        sent["tool_choice"]["type"]
                    ]);
                    told.push_str(&format!(
                        "{model} {effort} {max_tokens:?}{}: {short} dropped {:?}\n",
                        if forced { " forced" } else { "" },
                        wire.losses.dropped
                    ));
                }
            }
        }
        insta::assert_snapshot!(told);
    }

    #[test]
    fn no_more_is_asked_for_than_the_model_writes() {
        let ask = |model: &str| {
            let body =
                json!({"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 200_000});
            body_of(&sent_to(model, &body))["max_tokens"].clone()
        };
        assert_eq!(ask("claude-3-5-haiku"), 8_192);
        assert_eq!(ask(SONNET), 64_000);
        assert_eq!(ask("claude-opus-4-8"), 128_000);
        assert_eq!(ask("somebody-elses"), 200_000);
    }

    #[test]
    fn a_budget_needs_the_thoughts_that_calls_followed() {
        let body = json!({
            "messages": [
                {"role": "user", "content": "Weather?"},
                {"role": "assistant", "tool_calls": [{"id": "c", "type": "function", "function": {"name": "weather", "arguments": "{}"}}]},
                {"role": "tool", "tool_call_id": "c", "content": "fine"},
            ],
            "tools": [{"type": "function", "function": {"name": "weather"}}],
            "reasoning_effort": "high",
        });
        let wire = sent_to(SONNET, &body);
        assert_eq!(body_of(&wire)["thinking"], Value::Null);
        assert_eq!(wire.losses.dropped, ["reasoning"]);
        let wire = sent_to("claude-opus-4-8", &body);
        assert_eq!(body_of(&wire)["thinking"], json!({"type": "adaptive"}));
    }

    #[test]
    fn instructions_between_turns() {
        let body = json!({"messages": [
            {"role": "system", "content": "a"},
            {"role": "user", "content": "b"},
            {"role": "system", "content": "c"},
            {"role": "assistant", "content": "d"},
            {"role": "user", "content": "e"},
        ]});
        let wire = sent_to(SONNET, &body);
        assert_eq!(
            body_of(&wire)["system"],
            json!([{"type": "text", "text": "a"}, {"type": "text", "text": "c"}])
        );
        assert_eq!(wire.losses.emulated, ["messages.role"]);
        let wire = sent_to("claude-opus-4-8", &body);
        assert_eq!(
            body_of(&wire)["messages"][1],
            json!({"role": "system", "content": "c"})
        );
        assert!(wire.losses.is_empty());
    }

    #[test]
    fn somebody_always_speaks() {
        let wire = sent_to(
            SONNET,
            &json!({"messages": [{"role": "system", "content": "Say hi."}]}),
        );
        assert_eq!(
            body_of(&wire)["messages"],
            json!([{"role": "user", "content": "Say hi."}])
        );
        let nobody = openai(&json!({"messages": [{"role": "user", "content": " "}]}));
        let error = Codec
            .encode_request(&nobody, &Target::new(SONNET))
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidRequest);
        assert_eq!(error.param.as_deref(), Some("messages"));
    }

    #[test]
    fn earlier_calls_need_their_tools() {
        let wire = sent_to(
            SONNET,
            &json!({"messages": [
                {"role": "user", "content": "a"},
                {"role": "assistant", "tool_calls": [{"id": "c", "type": "function", "function": {"name": "weather", "arguments": "{}"}}]},
                {"role": "tool", "tool_call_id": "c", "content": "fine"},
            ]}),
        );
        let body = body_of(&wire);
        assert_eq!(body["tools"][0]["name"], "weather");
        assert_eq!(body["tool_choice"], json!({"type": "none"}));
    }

    #[test]
    fn a_version_is_always_said() {
        let wire = sent_to(
            SONNET,
            &json!({"messages": [{"role": "user", "content": "a"}]}),
        );
        assert_eq!(wire.headers["anthropic-version"], "2023-06-01");
        assert_eq!(wire.headers["content-type"], "application/json");
        let newer = Target {
            api_version: Some("2026-10-21"),
            ..Target::new(SONNET)
        };
        let request =
            openai(&json!({"messages": [{"role": "user", "content": "a"}], "temperature": 0.5}));
        let wire = Codec.encode_request(&request, &newer).unwrap();
        assert_eq!(wire.headers["anthropic-version"], "2026-10-21");
        assert_eq!(body_of(&wire)["temperature"], Value::Null);
        assert_eq!(wire.losses.dropped, ["temperature"]);
    }
}

mod replies {
    //! An upstream's reply that another protocol's client gets.

    use super::*;

    fn decode(request: &ChatRequest, reply: &Value) -> ChatResponse {
        let wire = Codec.encode_request(request, &Target::new(SONNET)).unwrap();
        let body = Bytes::from(reply.to_string());
        Codec.decode_response(request, &wire.form, body).unwrap()
    }

    fn message(content: Value, stop: &str) -> Value {
        json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "x", "content": content,
            "stop_reason": stop, "stop_sequence": null, "usage": {"input_tokens": 1, "output_tokens": 1}})
    }

    #[test]
    fn the_answer_by_a_tool_is_text() {
        let request = openai(
            &json!({"messages": [{"role": "user", "content": "Who?"}], "response_format": {"type": "json_object"}}),
        );
        let call = json!([{"type": "tool_use", "id": "toolu_1", "name": "answer", "input": {"name": "Ann"}}]);
        let response = decode(&request, &message(call, "tool_use"));
        let choice = &response.choices[0];
        assert_eq!(choice.finish, Some(FinishReason::Stop));
        assert_eq!(
            choice.blocks,
            [Content::new(Block::Text, r#"{"name":"Ann"}"#.into())]
        );
        assert!(response.raw.is_none());
    }

    #[test]
    fn free_text_comes_out_of_its_object() {
        let request = openai(&json!({"messages": [{"role": "user", "content": "ls"}],
            "tools": [{"type": "custom", "custom": {"name": "shell"}}]}));
        let call = json!([{"type": "tool_use", "id": "toolu_1", "name": "shell", "input": {"input": "ls \"x\"\n"}}]);
        let response = decode(&request, &message(call, "tool_use"));
        let content = &response.choices[0].blocks[0];
        assert!(matches!(
            &content.block,
            Block::ToolCall {
                kind: ToolKind::Custom,
                ..
            }
        ));
        assert_eq!(content.text, "ls \"x\"\n");
        let wire = Codec
            .encode_request(&request, &Target::new(SONNET))
            .unwrap();
        let mut stream = String::new();
        for event in [
            json!({"type": "message_start", "message": {"id": "m", "model": "x", "content": [], "usage": {}}}),
            json!({"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "t", "name": "shell", "input": {}}}),
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": "{\"input\":\"ls \\"}}),
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": "\"x\\\"\\n\"}"}}),
            json!({"type": "content_block_stop", "index": 0}),
            json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 3}}),
            json!({"type": "message_stop"}),
        ] {
            stream.push_str(&format!("data: {event}\n\n"));
        }
        let events = run(&request, &wire.form, &stream).unwrap();
        assert_eq!(collect(&events).choices[0].blocks[0].text, "ls \"x\"\n");
    }

    #[test]
    fn names_that_the_api_does_not_take_come_back() {
        let request = Gemini
            .decode_request(Incoming::of(
                json!({
                    "contents": [
                        {"role": "user", "parts": [{"text": "Weather?"}]},
                        {"role": "model", "parts": [{"functionCall": {"name": "city.weather", "args": {"a": 1}}}]},
                        {"role": "user", "parts": [{"functionResponse": {"name": "city.weather", "response": {"b": 2}}}]},
                    ],
                    "tools": [{"functionDeclarations": [{"name": "city.weather"}]}],
                })
                .to_string(),
            ))
            .unwrap();
        let wire = Codec
            .encode_request(&request, &Target::new(SONNET))
            .unwrap();
        let body = body_of(&wire);
        assert_eq!(body["tools"][0]["name"], "city_weather");
        let (call, result) = (
            &body["messages"][1]["content"][0],
            &body["messages"][2]["content"][0],
        );
        assert_eq!(call["name"], "city_weather");
        assert_eq!(call["id"], result["tool_use_id"]);
        let called =
            json!([{"type": "tool_use", "id": "toolu_1", "name": "city_weather", "input": {}}]);
        let response = decode(&request, &message(called, "tool_use"));
        let block = &response.choices[0].blocks[0].block;
        assert!(matches!(block, Block::ToolCall { name, .. } if *name == "city.weather"));
    }

    #[test]
    fn cached_tokens_count_once() {
        let case = cases::of(Protocol::Anthropic, &["response.json"])
            .into_iter()
            .find(|case| case.name == "anthropic/cached_usage")
            .unwrap();
        let body = case.read("response.json").unwrap();
        let response = Codec
            .decode_response(&case.request(), &case.form(), body)
            .unwrap();
        assert_eq!(
            response.usage,
            Some(Usage {
                input_tokens: 21 + 1_500 + 188_086,
                cached_tokens: 188_086,
                cache_write_tokens: 1_500,
                output_tokens: 393,
                reasoning_tokens: 0,
            })
        );
    }
}

fn run(
    request: &ChatRequest,
    form: &ReplyForm,
    stream: &str,
) -> Result<Vec<StreamEvent>, ApiError> {
    let mut framer = SseFramer::new();
    let mut decoder = Codec.stream_decoder(request, form);
    let mut events = Vec::new();
    framer.push(Bytes::copy_from_slice(stream.as_bytes()));
    while let Some(mut frame) = framer.next().unwrap().or_else(|| framer.finish()) {
        decoder.decode(&mut frame, &mut events)?;
    }
    decoder.finish(&mut events)?;
    Ok(events)
}

mod carried {
    //! Between a client and an upstream of this protocol.

    use super::*;

    fn sent(body: &str, target: &Target<'_>) -> String {
        let request = Anthropic
            .decode_request(Incoming::of(body.to_owned()))
            .unwrap();
        let wire = Codec.encode_request(&request, target).unwrap();
        assert_eq!(wire.path, "/messages");
        assert!(wire.form.carried && wire.losses.emulated.is_empty());
        let left_out = body.contains("YWlndzEg");
        assert_eq!(wire.losses.dropped.is_empty(), !left_out);
        String::from_utf8(wire.body.concat().to_vec()).unwrap()
    }

    #[test]
    fn only_the_model_is_changed() {
        let body = "{ \"x\":1.0,\t\"model\" : \"a\" ,\n\"messages\":[ {\"role\":\"user\",\"content\":\"\\u00e4\"}], \"y\":{\"model\":\"a\"} } ";
        assert_eq!(
            sent(body, &Target::new("b")),
            body.replacen("\"a\"", "\"b\"", 1)
        );
        assert_eq!(sent(body, &Target::new("a")), body);
        assert_eq!(
            sent(r#"{"messages":[]}"#, &Target::new("b")),
            r#"{"model":"b","messages":[]}"#
        );
    }

    #[test]
    fn the_operators_prompt_goes_last() {
        let ours = Target {
            system_prompt: Some("be \"kind\""),
            ..Target::new("m")
        };
        let with = |system: &str| format!(r#"{{{system}"model":"m","messages":[]}}"#);
        for (given, expected) in [
            ("", r#""system":"be \"kind\"","#),
            (r#""system":null,"#, r#""system":"be \"kind\"","#),
            (r#""system":"","#, r#""system":"be \"kind\"","#),
            (r#""system":[ ],"#, r#""system":"be \"kind\"","#),
            (r#""system":"a\n","#, r#""system":"a\n\n\nbe \"kind\"","#),
            (
                r#""system":[{"type":"text","text":"a","cache_control":{"type":"ephemeral","ttl":"1h"}} ],"#,
                r#""system":[{"type":"text","text":"a","cache_control":{"type":"ephemeral","ttl":"1h"}} ,{"type":"text","text":"be \"kind\""}],"#,
            ),
        ] {
            assert_eq!(sent(&with(given), &ours), with(expected));
        }
    }

    #[test]
    fn thoughts_of_other_upstreams_stay_behind() {
        let token = Seal {
            protocol: Protocol::Gemini,
            data: "sig".into(),
            encrypted: false,
            id: "".into(),
        }
        .token();
        let own = r#"{"type":"thinking","thinking":"b","signature":"EqQB"}"#;
        let foreign = format!(r#"{{"type":"thinking","thinking":"a","signature":"{token}"}}"#);
        let unsigned = r#"{"type":"thinking","thinking":"c","signature" : ""}"#;
        let redacted = format!(r#"{{"type":"redacted_thinking","data":"{token}"}}"#);
        let text = r#"{"type":"text","text":"t","citations":[{"type":"web_search_result_location","url":"u","encrypted_index":""}]}"#;
        let with = |messages: &str| format!(r#"{{"model":"m","messages":[{messages}]}}"#);
        let turn = |blocks: &str| format!(r#"{{"role":"assistant","content":[{blocks}]}}"#);
        let user = r#"{"role":"user","content":"x"}"#;
        let given = [
            user.to_owned(),
            turn(&format!("{foreign}, {own},{unsigned} ,{text}")),
            turn(&format!("{foreign},{redacted}")),
            user.to_owned(),
        ];
        let kept = text.replace(
            r#"{"type":"web_search_result_location","url":"u","encrypted_index":""}"#,
            "",
        );
        let expected = [
            user.to_owned(),
            turn(&format!("{own} ,{kept}")),
            user.to_owned(),
        ];
        assert_eq!(
            sent(&with(&given.join(",")), &Target::new("m")),
            with(&expected.join(","))
        );
        let ours = with(&[user.to_owned(), turn(own)].join(","));
        assert_eq!(sent(&ours, &Target::new("m")), ours);
    }

    #[test]
    fn the_clients_version_and_betas_are_passed_on() {
        let mut headers = HeaderMap::new();
        headers.insert("anthropic-version", HeaderValue::from_static("2026-10-21"));
        headers.append(
            "anthropic-beta",
            HeaderValue::from_static("a-2025-01-01,b-2025-01-01"),
        );
        headers.append("anthropic-beta", HeaderValue::from_static("c-2025-01-01"));
        headers.insert("x-api-key", HeaderValue::from_static("secret"));
        let body = Bytes::from_static(br#"{"model":"m","messages":[]}"#);
        let request = Anthropic
            .decode_request(Incoming::new(body.clone(), &headers, Stamp::default()))
            .unwrap();
        let wire = Codec.encode_request(&request, &Target::new("m")).unwrap();
        assert_eq!(wire.headers.get_all("anthropic-version").iter().count(), 1);
        assert_eq!(wire.headers["anthropic-version"], "2026-10-21");
        assert_eq!(wire.headers.get_all("anthropic-beta").iter().count(), 2);
        assert!(!wire.headers.contains_key("x-api-key"));
        let request = Anthropic.decode_request(Incoming::of(body)).unwrap();
        let wire = Codec.encode_request(&request, &Target::new("m")).unwrap();
        assert_eq!(wire.headers["anthropic-version"], "2023-06-01");
    }

    /// What Claude Code 2.1 sends with every request asks for nothing that is not in the body, too; strictness would
    /// refuse all of them otherwise.
    #[test]
    fn betas_that_another_upstream_knows_nothing_of_are_named() {
        let mut headers = HeaderMap::new();
        let betas = "claude-code-20250219,oauth-2025-04-20,interleaved-thinking-2025-05-14, \
            thinking-token-count-2026-05-13,context-management-2025-06-27,prompt-caching-scope-2026-01-05,\
            mid-conversation-system-2026-04-07,advisor-tool-2026-03-01,effort-2025-11-24,extended-cache-ttl-2025-04-11";
        headers.append("anthropic-beta", HeaderValue::from_static(betas));
        let body = Bytes::from_static(
            br#"{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"Hi"}]}"#,
        );
        let upstream = OpenAiCodec::OPENAI;
        let dropped = |headers: &HeaderMap| {
            let incoming = Incoming::new(body.clone(), headers, Stamp::default());
            let request = Anthropic.decode_request(incoming).unwrap();
            let wire = upstream.encode_request(&request, &Target::new("m"));
            wire.unwrap().losses.dropped
        };
        assert_eq!(dropped(&headers), [""; 0]);
        headers.append(
            "anthropic-beta",
            HeaderValue::from_static("dev-full-thinking-2025-05-14,, clairvoyance-2027-01-01"),
        );
        assert_eq!(
            dropped(&headers),
            [
                "anthropic-beta.dev-full-thinking-2025-05-14",
                "anthropic-beta.clairvoyance-2027-01-01"
            ]
        );
    }

    #[test]
    fn a_large_body_is_not_copied() {
        let body = Bytes::from(format!(
            r#"{{"model":"a","messages":[{{"role":"user","content":"{}"}}]}}"#,
            "x".repeat(100_000)
        ));
        let request = Anthropic
            .decode_request(Incoming::of(body.clone()))
            .unwrap();
        let wire = Codec.encode_request(&request, &Target::new("b")).unwrap();
        let shared = |part: &&Bytes| !body.as_ptr_range().contains(&part.as_ptr());
        let copied: usize = wire
            .body
            .parts()
            .iter()
            .filter(shared)
            .map(Bytes::len)
            .sum();
        assert_eq!(copied, 3);
    }
}

mod clients {
    //! A client's request, as others hear it.

    use super::*;

    #[test]
    fn a_conversation_of_everything() {
        insta::assert_snapshot!(heard(&json!({
            "model": "m", "max_tokens": 1000, "stream": true,
            "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
            "messages": [
                {"role": "user", "content": [
                    {"type": "text", "text": "Look"},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}},
                    {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
                    {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}, "title": "T", "context": "C"},
                    {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "plain"}, "citations": {"enabled": true}},
                    {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "one"}]}},
                    {"type": "search_result", "source": "https://example.com", "title": "S", "content": [{"type": "text", "text": "found"}]},
                    {"type": "container_upload", "file_id": "f"},
                ]},
                {"role": "assistant", "content": [
                    {"type": "thinking", "thinking": "hm", "signature": "EqQB"},
                    {"type": "redacted_thinking", "data": "Emw="},
                    {"type": "text", "text": "I'll look."},
                    {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
                    {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Paris"}},
                    {"type": "tool_use", "id": "toolu_2", "name": "now", "input": {}},
                ]},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": "toolu_1", "content": [
                        {"type": "text", "text": "12"},
                        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}},
                        {"type": "tool_reference", "tool_name": "x"},
                    ]},
                    {"type": "tool_result", "tool_use_id": "toolu_2", "content": "broken", "is_error": true},
                    {"type": "text", "text": "And?"},
                ]},
                {"role": "system", "content": "Hurry."},
            ],
        })));
    }

    #[test]
    fn every_parameter() {
        insta::assert_snapshot!(heard(&json!({
            "model": "m", "max_tokens": 1000, "messages": [{"role": "user", "content": "Hi"}],
            "temperature": 0.50, "top_p": 0.9, "top_k": 5, "stop_sequences": ["a"], "metadata": {"user_id": "u", "x": 1},
            "service_tier": "auto", "container": "c", "mcp_servers": [], "context_management": {"edits": [{}]}, "speed": "standard",
            "thinking": {"type": "enabled", "budget_tokens": 8000}, "output_config": {"task_budget": {"total": 1}},
            "output_format": {"type": "json_schema", "schema": {"type": "object", "properties": {}, "additionalProperties": false}},
            "tools": [
                {"name": "a", "description": "d", "input_schema": {"type": "object", "properties": {}}, "strict": true, "cache_control": {"type": "ephemeral"}, "input_examples": [{}]},
                {"type": "custom", "name": "b", "input_schema": {"type": "object"}, "eager_input_streaming": true, "defer_loading": false, "allowed_callers": ["direct"]},
                {"type": "web_search_20250305", "name": "web_search"},
            ],
            "tool_choice": {"type": "any", "disable_parallel_tool_use": true},
        })));
    }

    #[test]
    fn thinking_is_read() {
        for (thinking, output, effort, budget, visible) in [
            (
                json!({"type": "disabled"}),
                json!(null),
                Some("None"),
                Some(0),
                None,
            ),
            (
                json!({"type": "between_tools"}),
                json!(null),
                Some("None"),
                Some(0),
                None,
            ),
            (
                json!({"type": "enabled", "budget_tokens": 2048}),
                json!(null),
                None,
                Some(2048),
                Some(true),
            ),
            (
                json!({"type": "adaptive"}),
                json!({"effort": "xhigh"}),
                Some("Max"),
                None,
                Some(true),
            ),
            (
                json!({"type": "adaptive", "display": "omitted"}),
                json!(null),
                None,
                None,
                Some(false),
            ),
            (
                json!(null),
                json!({"effort": "low"}),
                Some("Low"),
                None,
                None,
            ),
        ] {
            let request =
                client(&json!({"messages": [], "thinking": thinking, "output_config": output}));
            let reasoning = request.prompt().unwrap().reasoning.clone().unwrap();
            assert_eq!(
                reasoning
                    .effort
                    .map(|effort| format!("{effort:?}"))
                    .as_deref(),
                effort,
                "{thinking}"
            );
            assert_eq!(
                (reasoning.budget_tokens, reasoning.visible),
                (budget, visible),
                "{thinking}"
            );
        }
        assert_eq!(
            client(&json!({"messages": []})).prompt().unwrap().reasoning,
            None
        );
    }

    #[test]
    fn wrong_parameters_are_named() {
        for (body, param) in [
            (r#"{"model":5,"messages":[]}"#, "model"),
            (r#"{"model":"m"}"#, "messages"),
            (r#"{"messages":{}}"#, "messages"),
            (r#"{"messages":[],"stream":"yes"}"#, "stream"),
            (r#"{"messages":[],"system":{}}"#, "system"),
            (r#"{"messages":[],"messages":[]}"#, "messages"),
            (r#"{"messages":[],"model":"a","model":"b"}"#, "model"),
        ] {
            let error = Anthropic.decode_request(Incoming::of(body)).unwrap_err();
            assert_eq!(error.param.as_deref(), Some(param), "{body}: {error}");
        }
        for (body, param) in [
            (
                json!({"messages": [{"role": "robot", "content": "x"}]}),
                "messages[0].role",
            ),
            (
                json!({"messages": [{"role": "user"}]}),
                "messages[0].content",
            ),
            (
                json!({"messages": [{"role": "user", "content": [{"text": "x"}]}]}),
                "messages[0].content[0].type",
            ),
            (
                json!({"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "disk"}}]}]}),
                "messages[0].content[0].source.type",
            ),
            (
                json!({"messages": [], "tools": [{"input_schema": {}}]}),
                "tools[0].name",
            ),
            (
                json!({"messages": [], "tool_choice": {"type": "some"}}),
                "tool_choice.type",
            ),
            (
                json!({"messages": [], "thinking": {"type": "enabled"}}),
                "thinking.budget_tokens",
            ),
            (
                json!({"messages": [], "output_config": {"effort": "lots"}}),
                "output_config.effort",
            ),
            (json!({"messages": [], "max_tokens": "x"}), "max_tokens"),
        ] {
            let error = client(&body).prompt().unwrap_err();
            assert_eq!(error.param.as_deref(), Some(param), "{body}: {error}");
        }
    }
}

mod told {
    //! What clients are told.

    use super::*;

    fn request() -> ChatRequest {
        let headers = HeaderMap::new();
        let body = Bytes::from_static(br#"{"model":"assistant","messages":[],"stream":true}"#);
        let stamp = Stamp { id: 0xabc, at: 7 };
        Anthropic
            .decode_request(Incoming::new(body, &headers, stamp))
            .unwrap()
    }

    fn start(index: u32, block: Block) -> StreamEvent {
        StreamEvent::BlockStarted {
            choice: 0,
            index,
            block,
        }
    }

    fn delta(index: u32, text: &str) -> StreamEvent {
        StreamEvent::BlockDelta {
            choice: 0,
            index,
            text: text.into(),
        }
    }

    fn call(id: &str, name: &str) -> Block {
        Block::ToolCall {
            id: id.into(),
            name: name.into(),
            kind: ToolKind::Function,
        }
    }

    fn started() -> StreamEvent {
        StreamEvent::Started {
            id: "".into(),
            model: "gpt".into(),
            created: Some(1),
        }
    }

    fn finished(reason: FinishReason) -> StreamEvent {
        StreamEvent::Finished { choice: 0, reason }
    }

    fn foreign(data: &str, encrypted: bool) -> Seal {
        Seal {
            protocol: Protocol::OpenAiResponses,
            data: data.into(),
            encrypted,
            id: "rs_1".into(),
        }
    }

    fn streamed(events: &[StreamEvent]) -> String {
        let mut encoder = Anthropic.stream_encoder(&request());
        let mut out = BytesMut::new();
        for event in events {
            encoder.encode(None, std::slice::from_ref(event), &mut out);
        }
        encoder.finish(&mut out);
        String::from_utf8(out.to_vec()).unwrap()
    }

    fn everything() -> Vec<StreamEvent> {
        vec![
            started(),
            start(0, Block::Reasoning),
            delta(0, "Let me "),
            delta(0, "think."),
            StreamEvent::Sealed {
                choice: 0,
                index: 0,
                seal: foreign("enc", true),
            },
            start(1, Block::Reasoning),
            StreamEvent::Sealed {
                choice: 0,
                index: 1,
                seal: foreign("enc2", true),
            },
            start(2, Block::Text),
            delta(2, "Grass is green."),
            StreamEvent::Cited {
                choice: 0,
                index: 2,
                citation: Citation {
                    url: Some("https://example.com".into()),
                    title: Some("Grass".into()),
                    ..Citation::default()
                },
            },
            start(3, call("", "weather")),
            delta(3, "{\"city\":\"Paris\"}"),
            start(4, call("call_2", "now")),
            StreamEvent::Usage(Usage {
                input_tokens: 100,
                cached_tokens: 90,
                cache_write_tokens: 4,
                output_tokens: 20,
                reasoning_tokens: 7,
            }),
            finished(FinishReason::Stop),
        ]
    }

    #[test]
    fn a_stream_of_everything() {
        insta::assert_snapshot!(streamed(&everything()));
    }

    #[test]
    fn a_reply_of_everything() {
        let written = Anthropic.encode_response(&request(), &collect(&everything()));
        let reply: Value = serde_json::from_slice(&written.concat()).unwrap();
        insta::assert_snapshot!(serde_json::to_string_pretty(&reply).unwrap());
    }

    /// Calls whose arguments come in turns are written one after the other; text between them waits for the call
    /// that is open, no longer.
    #[test]
    fn interleaved_calls() {
        insta::assert_snapshot!(streamed(&[
            started(),
            start(0, Block::Text),
            delta(0, "Both."),
            start(1, call("call_1", "weather")),
            start(2, call("call_2", "weather")),
            delta(1, "{\"city\":"),
            delta(2, "{\"city\":\"Ro"),
            delta(0, " Now."),
            delta(1, "\"Paris\"}"),
            delta(2, "me\"}"),
            finished(FinishReason::ToolCalls),
        ]));
    }

    #[test]
    fn a_complete_call_is_told_at_once() {
        let mut encoder = Anthropic.stream_encoder(&request());
        let mut out = BytesMut::new();
        encoder.encode(
            None,
            &[started(), start(0, call("a", "x")), delta(0, "{\"a\":1")],
            &mut out,
        );
        let before = out.len();
        encoder.encode(None, &[start(1, Block::Text), delta(1, "held")], &mut out);
        assert_eq!(out.len(), before);
        encoder.encode(None, &[delta(0, "}")], &mut out);
        let written = String::from_utf8(out.to_vec()).unwrap();
        assert!(written.contains("held"), "{written}");
        assert!(written.find("content_block_stop").unwrap() < written.find("held").unwrap());
    }

    #[test]
    fn usage_that_comes_early_is_told_early() {
        let mut encoder = Anthropic.stream_encoder(&request());
        let mut out = BytesMut::new();
        let usage = Usage {
            input_tokens: 12,
            ..Usage::default()
        };
        encoder.encode(None, &[started(), StreamEvent::Usage(usage)], &mut out);
        let written = String::from_utf8(out.to_vec()).unwrap();
        assert!(
            written.contains(r#""usage":{"input_tokens":12,"#),
            "{written}"
        );
    }

    /// Nothing is guessed at the beginning; what the end tells takes its place, as SDKs do.
    #[test]
    fn usage_that_comes_late_is_told_in_full_at_the_end() {
        let usage = Usage {
            input_tokens: 12,
            cached_tokens: 4,
            output_tokens: 3,
            ..Usage::default()
        };
        let mut encoder = Anthropic.stream_encoder(&request());
        let mut out = BytesMut::new();
        encoder.encode(None, &[started()], &mut out);
        encoder.encode(None, &[StreamEvent::Usage(usage)], &mut out);
        encoder.finish(&mut out);
        let written = String::from_utf8(out.to_vec()).unwrap();
        let (start, end) = written.split_once("event: message_delta").unwrap();
        assert!(start.contains(r#""usage":{"input_tokens":0,"#), "{start}");
        let all = r#""usage":{"input_tokens":8,"cache_creation_input_tokens":0,"cache_read_input_tokens":4,"output_tokens":3}"#;
        assert!(end.contains(all), "{end}");
    }

    #[test]
    fn there_is_one_choice() {
        let second = StreamEvent::BlockStarted {
            choice: 1,
            index: 0,
            block: Block::Text,
        };
        let said = StreamEvent::BlockDelta {
            choice: 1,
            index: 0,
            text: "second".into(),
        };
        let written = streamed(&[
            started(),
            second,
            said,
            start(0, Block::Text),
            delta(0, "first"),
            finished(FinishReason::Stop),
        ]);
        assert!(written.contains("first") && !written.contains("second"));
    }

    /// Ten thousand pieces of two calls, each of which waits for the other.
    #[test]
    fn many_pieces_are_not_moved_again_and_again() {
        let mut events = vec![
            started(),
            start(0, call("a", "x")),
            start(1, call("b", "x")),
        ];
        events.extend([delta(0, "{\"a\":\""), delta(1, "{\"b\":\"")]);
        for _ in 0..10_000 {
            events.extend([delta(0, "a"), delta(1, "b")]);
        }
        events.extend([
            delta(0, "\"}"),
            delta(1, "\"}"),
            finished(FinishReason::ToolCalls),
        ]);
        let began = std::time::Instant::now();
        let written = streamed(&events);
        assert!(written.len() > 2_000_000);
        // It takes a third of a second without optimisation; a square would take minutes.
        assert!(began.elapsed().as_secs() < 10);
    }

    #[test]
    fn a_refusal_is_explained() {
        let events = [
            started(),
            start(0, Block::Refusal),
            delta(0, "I can't."),
            finished(FinishReason::Stop),
        ];
        let written = streamed(&events);
        let explained = r#""stop_reason":"refusal","stop_sequence":null,"stop_details":{"type":"refusal","category":null,"explanation":"I can't."}"#;
        assert!(written.contains(explained), "{written}");
        let whole = Anthropic
            .encode_response(&request(), &collect(&events))
            .concat();
        let whole = String::from_utf8(whole.to_vec()).unwrap();
        assert!(whole.contains(explained), "{whole}");
        assert!(whole.contains(r#""content":[]"#), "{whole}");
    }

    #[test]
    fn arguments_that_are_none_are_an_empty_object() {
        for arguments in ["", "null", "\"x\"", "[1]", "{\"a\":", "{\"a\":}"] {
            let response = ChatResponse {
                choices: vec![Choice {
                    index: 0,
                    blocks: vec![Content::new(call("a", "x"), arguments.into())],
                    logprobs: Vec::new(),
                    finish: Some(FinishReason::ToolCalls),
                }],
                ..ChatResponse::default()
            };
            let written = Anthropic.encode_response(&request(), &response).concat();
            let reply: Value = serde_json::from_slice(&written).unwrap();
            assert_eq!(reply["content"][0]["input"], json!({}), "{arguments}");
            assert_eq!(reply["stop_reason"], "tool_use");
        }
    }

    #[test]
    fn errors_have_the_protocols_words_and_statuses() {
        for (kind, origin, word, status) in [
            (
                ErrorKind::InvalidRequest,
                ErrorSource::Caller,
                "invalid_request_error",
                400,
            ),
            (
                ErrorKind::ContextLengthExceeded,
                ErrorSource::Caller,
                "invalid_request_error",
                400,
            ),
            (
                ErrorKind::Authentication,
                ErrorSource::Caller,
                "authentication_error",
                401,
            ),
            (
                ErrorKind::Authentication,
                ErrorSource::Provider,
                "api_error",
                502,
            ),
            (
                ErrorKind::QuotaExceeded,
                ErrorSource::Policy,
                "billing_error",
                402,
            ),
            (
                ErrorKind::PermissionDenied,
                ErrorSource::Policy,
                "permission_error",
                403,
            ),
            (
                ErrorKind::NotFound,
                ErrorSource::Caller,
                "not_found_error",
                404,
            ),
            (
                ErrorKind::RequestTooLarge,
                ErrorSource::Caller,
                "request_too_large",
                413,
            ),
            (
                ErrorKind::RateLimited,
                ErrorSource::Provider,
                "rate_limit_error",
                429,
            ),
            (ErrorKind::Internal, ErrorSource::Gateway, "api_error", 500),
            (
                ErrorKind::Timeout,
                ErrorSource::Provider,
                "timeout_error",
                504,
            ),
            (
                ErrorKind::Overloaded,
                ErrorSource::Provider,
                "overloaded_error",
                529,
            ),
        ] {
            let error = ApiError::new(kind, origin, "no \"such\"").with_code("c");
            let written: Value = serde_json::from_slice(&Anthropic.encode_error(&error)).unwrap();
            let expected = json!({"type": "error", "error": {"type": word, "message": "no \"such\"", "details": {"error_code": "c"}}});
            assert_eq!(written, expected);
            assert_eq!(Anthropic.status(&error), status, "{kind}");
        }
    }

    #[test]
    fn nothing_follows_an_error_in_a_stream() {
        let mut encoder = Anthropic.stream_encoder(&request());
        let mut out = BytesMut::new();
        encoder.encode(
            None,
            &[started(), start(0, Block::Text), delta(0, "x")],
            &mut out,
        );
        let error = ApiError::new(ErrorKind::Overloaded, ErrorSource::Provider, "later");
        encoder.encode_error(&error, &mut out);
        let written = out.clone();
        assert!(written.ends_with(b"event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"later\"}}\n\n"));
        encoder.encode_error(&error, &mut out);
        encoder.encode(None, &[delta(0, "y")], &mut out);
        encoder.finish(&mut out);
        assert_eq!(out, written);
    }

    /// Events of a few blocks in any order that the canonical model allows, and what each block says in all.
    fn interleaved() -> impl Strategy<Value = (Vec<StreamEvent>, Vec<(Block, String)>)> {
        let block = prop_oneof![
            Just(Block::Text),
            Just(Block::Reasoning),
            Just(call("c", "f")),
        ];
        let pieces = prop::collection::vec((0..5_usize, 1..4_usize), 0..40);
        (prop::collection::vec(block, 1..5), pieces).prop_map(|(blocks, pieces)| {
            let mut events = vec![started()];
            let mut said: Vec<(Block, String)> = Vec::new();
            let mut rest: Vec<String> = Vec::new();
            for (number, (which, length)) in pieces.into_iter().enumerate() {
                if which >= said.len() && said.len() < blocks.len() {
                    let index = said.len();
                    let block = blocks[index].clone();
                    events.push(start(u32::try_from(index).unwrap(), block.clone()));
                    rest.push(match block {
                        Block::ToolCall { .. } => format!("{{\"a\":[{{}},\"{{}}\\\"{index}\"]}}"),
                        _ => String::new(),
                    });
                    said.push((block, String::new()));
                    continue;
                }
                if said.is_empty() {
                    continue;
                }
                let index = which % said.len();
                let piece = match &said[index].0 {
                    Block::ToolCall { .. } => {
                        let end = length.min(rest[index].len());
                        rest[index].drain(..end).collect()
                    }
                    _ => format!("<{number}>"),
                };
                if !piece.is_empty() {
                    said[index].1.push_str(&piece);
                    events.push(delta(u32::try_from(index).unwrap(), &piece));
                }
            }
            events.push(finished(FinishReason::Stop));
            (events, said)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

        /// One block is open at a time, numbers have no gaps, and nothing is lost or comes in another order.
        #[test]
        fn any_order_of_events_is_serialised((events, said) in interleaved()) {
            let written = streamed(&events);
            let mut open: Option<u64> = None;
            let mut next = 0;
            let mut texts = [String::new(), String::new()];
            let mut calls = Vec::new();
            let mut over = false;
            for data in written.lines().filter_map(|line| line.strip_prefix("data: ")) {
                let event: Value = serde_json::from_str(data).unwrap();
                let index = event["index"].as_u64();
                prop_assert!(!over);
                match event["type"].as_str().unwrap() {
                    "content_block_start" => {
                        prop_assert_eq!(open, None);
                        prop_assert_eq!(index, Some(next));
                        open = index;
                        next += 1;
                        if event["content_block"]["type"] == "tool_use" {
                            calls.push(String::new());
                        }
                    }
                    "content_block_delta" => {
                        prop_assert_eq!(open, index);
                        let delta = &event["delta"];
                        let text = |key: &str| delta[key].as_str().unwrap().to_owned();
                        match delta["type"].as_str().unwrap() {
                            "text_delta" => texts[0].push_str(&text("text")),
                            "thinking_delta" => texts[1].push_str(&text("thinking")),
                            _ => calls.last_mut().unwrap().push_str(&text("partial_json")),
                        }
                    }
                    "content_block_stop" => {
                        prop_assert_eq!(open, index);
                        open = None;
                    }
                    "message_delta" => prop_assert_eq!(open, None),
                    "message_stop" => over = true,
                    _ => {}
                }
            }
            prop_assert!(over);
            let of = |wanted: &Block| -> Vec<String> {
                let found = said.iter().filter(|(block, _)| block == wanted);
                found.map(|(_, text)| text.clone()).collect()
            };
            prop_assert_eq!(calls, of(&call("c", "f")));
            for (text, block) in texts.iter().zip([Block::Text, Block::Reasoning]) {
                // Each block's pieces are there, in their order.
                let pieces = |text: &str| text.split_inclusive('>').map(str::to_owned).collect::<Vec<_>>();
                let all = pieces(text);
                let mut total = 0;
                for one in of(&block) {
                    let mut at = all.iter();
                    for piece in pieces(&one) {
                        total += 1;
                        prop_assert!(at.any(|found| *found == piece), "{} in {}", piece, text);
                    }
                }
                prop_assert_eq!(total, all.len());
            }
        }
    }
}

mod tokens {
    //! Counting.

    use super::*;

    #[test]
    fn an_upstream_of_the_protocol_is_asked() {
        let request =
            count_tokens::decode_request(Incoming::of(r#"{"model":"a","messages":[],"x":1}"#))
                .unwrap();
        let wire = anthropic::count_tokens::encode_request(&request, &Target::new("b")).unwrap();
        assert_eq!(wire.path, "/messages/count_tokens");
        assert_eq!(
            wire.body.concat(),
            r#"{"model":"b","messages":[],"x":1}"#.as_bytes()
        );
        let count = |body: &'static str| {
            anthropic::count_tokens::decode_response(&Bytes::from_static(body.as_bytes()))
        };
        assert_eq!(count(r#"{"input_tokens":2095}"#).unwrap(), 2095);
        assert_eq!(
            count(r#"{"input_tokens":"x"}"#).unwrap_err().kind,
            ErrorKind::BadReply
        );
        assert_eq!(
            count(r#"{"type":"error","error":{"type":"overloaded_error","message":"m"}}"#)
                .unwrap_err()
                .kind,
            ErrorKind::Overloaded
        );
        assert_eq!(
            count_tokens::encode_response(7),
            r#"{"input_tokens":7}"#.as_bytes()
        );
    }

    #[test]
    fn an_estimate_grows_with_what_is_said() {
        let estimate = |body: &Value| count_tokens::estimate(client(body).prompt().unwrap());
        let said = |text: &str| estimate(&json!({"messages": [{"role": "user", "content": text}]}));
        assert_eq!(estimate(&json!({"messages": []})), 0);
        let fox = said(&"The quick brown fox jumps over the lazy dog. ".repeat(10));
        assert!((90..140).contains(&fox), "{fox}");
        assert!(said("狐狸跳过懒狗") >= 6);
        let image = json!({"type": "image", "source": {"type": "url", "url": "u"}});
        assert!(estimate(&json!({"messages": [{"role": "user", "content": [image]}]})) > 1_500);
        let tool = json!({"name": "weather", "description": "The weather in a city", "input_schema": {"type": "object"}});
        assert!(estimate(&json!({"messages": [], "tools": [tool]})) > 15);
    }
}

/// Bytes with a good chance of being nearly right.
fn nearly() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&'static str> = vec![
        r#"data: {"type":"message_start","message":{"id":"m","model":"x","usage":{"input_tokens":1}}}"#,
        r#"data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
        r#"data: {"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t","name":"answer","input":{}}}"#,
        r#"data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking"}}"#,
        r#"data: {"type":"content_block_start","index":0,"content_block":{"type":"redacted_thinking","data":"d"}}"#,
        r#"data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}}"#,
        r#"data: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"a\""}}"#,
        r#"data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"s"}}"#,
        r#"data: {"type":"content_block_delta","index":0,"delta":{"type":"citations_delta","citation":{"url":"u"}}}"#,
        r#"data: {"type":"content_block_stop","index":0}"#,
        r#"data: {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":18446744073709551615}}"#,
        r#"data: {"type":"message_stop"}"#,
        r#"data: {"type":"error","error":{}}"#,
        "event: ping",
        "event: error",
        "\n\n",
        "\n\n",
        "\n\n",
        "\r\n\r\n",
        "data: ",
        "{\"type\":\"message\",\"content\":[",
        "{\"type\":\"text\",\"text\":\"x\"}",
        "]}",
        "\"usage\":{\"input_tokens\":-1}",
        ",",
        ":",
        "null",
    ];
    let known = prop::sample::select(pieces).prop_map(|piece| piece.as_bytes().to_vec());
    let noise = prop::collection::vec(any::<u8>(), 0..6);
    let piece = prop::strategy::Union::new_weighted(vec![(12, known.boxed()), (1, noise.boxed())]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn streams_and_replies_never_panic(stream in nearly()) {
        let request = openai(&json!({"messages": [{"role": "user", "content": "x"}], "stream": true, "tools": [{"type": "custom", "custom": {"name": "t"}}]}));
        for form in [ReplyForm::default(), ReplyForm { carried: false, answer_tool: Some("answer") }] {
            let _ = Codec.decode_error(500, &HeaderMap::new(), &stream);
            if let Ok(response) = Codec.decode_response(&request, &form, Bytes::from(stream.clone())) {
                prop_assert_eq!(collect(&response.events()), response);
            }
            let mut framer = SseFramer::new();
            let mut decoder = Codec.stream_decoder(&request, &form);
            let mut encoder = Anthropic.stream_encoder(&client(&json!({"messages": []})));
            let (mut events, mut out) = (Vec::new(), BytesMut::new());
            framer.push(Bytes::from(stream.clone()));
            let mut result = Ok(());
            while let Some(mut frame) = framer.next().unwrap().or_else(|| framer.finish()) {
                let from = events.len();
                result = decoder.decode(&mut frame, &mut events);
                encoder.encode(None, &events[from..], &mut out);
                if result.is_err() {
                    break;
                }
            }
            if result.is_ok() && decoder.finish(&mut events).is_ok() {
                encoder.finish(&mut out);
                let starts = events.iter().filter(|event| matches!(event, StreamEvent::Started { .. }));
                prop_assert_eq!(starts.count(), 1);
                let again = run(&request, &form, std::str::from_utf8(&out).unwrap());
                prop_assert!(again.is_ok(), "{:?}", again);
            }
        }
    }

    #[test]
    fn requests_never_panic(body in nearly()) {
        if let Ok(request) = Anthropic.decode_request(Incoming::of(body)) {
            let _ = request.prompt();
            let _ = Codec.encode_request(&request, &Target::new("m"));
        }
    }
}

//! OpenAI Responses: what is sent upstream, what clients are told, and what is carried between.

mod cases;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue};
use llm::chat::{
    Block, ChatRequest, ChatResponse, Choice, Citation, Content, FinishReason, MediaKind,
    PartContent, Protocol, Seal, Stamp, StreamEvent, TokenLogprob, ToolKind, Usage, collect,
};
use llm::codecs::anthropic::Anthropic as AnthropicCodec;
use llm::codecs::openai_chat::OpenAiChat as ChatUpstream;
use llm::codecs::openai_responses::OpenAiResponses as Codec;
use llm::dialects::anthropic::Anthropic;
use llm::dialects::openai_chat::OpenAiChat;
use llm::dialects::openai_responses::OpenAiResponses as Dialect;
use llm::json::Json;
use llm::{
    ApiError, ChatCodec, ChatDialect, ErrorKind, ErrorSource, Incoming, ReplyForm, SseFramer,
    Target, Text, WireRequest,
};
use proptest::prelude::*;
use serde_json::{Value, json};

const CODEC: Codec = Codec::USUAL;

fn pretty(wire: &WireRequest) -> String {
    let sent = json!({
        "path": wire.path,
        "body": body_of(wire),
        "dropped": wire.losses.dropped,
        "emulated": wire.losses.emulated,
    });
    serde_json::to_string_pretty(&sent).unwrap()
}

fn body_of(wire: &WireRequest) -> Value {
    serde_json::from_slice(&wire.body.concat()).unwrap()
}

fn client(body: &Value) -> ChatRequest {
    let stamp = Stamp { id: 0xa1, at: 7 };
    let incoming = Incoming {
        stamp,
        ..Incoming::of(body.to_string())
    };
    Dialect.decode_request(incoming).unwrap()
}

fn refused(body: &Value) -> ApiError {
    Dialect
        .decode_request(Incoming::of(body.to_string()))
        .and_then(|request| ChatUpstream::OPENAI.encode_request(&request, &Target::new("m")))
        .unwrap_err()
}

/// What a chat client's request becomes.
fn sent(body: &Value) -> String {
    let request = OpenAiChat
        .decode_request(Incoming::of(body.to_string()))
        .unwrap();
    let wire = CODEC.encode_request(&request, &Target::new("gpt-5"));
    pretty(&wire.unwrap())
}

/// What a client's request becomes for a chat upstream.
fn heard(body: &Value) -> String {
    let wire = ChatUpstream::OPENAI.encode_request(&client(body), &Target::new("gpt"));
    pretty(&wire.unwrap())
}

mod upstream {
    //! From another protocol.

    use super::*;

    #[test]
    fn every_parameter() {
        insta::assert_snapshot!(sent(&json!({
            "model": "m",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "developer", "content": [{"type": "text", "text": "Be kind."}, {"type": "text", "text": "Be right."}]},
                {"role": "user", "content": "Hi", "name": "ann"},
                {"role": "system", "content": "Now in French."},
            ],
            "stream": true, "stream_options": {"include_usage": true},
            "temperature": 0.70, "top_p": 0.9, "top_k": 40, "min_p": 0.1, "seed": 7, "n": 2,
            "max_completion_tokens": 100, "stop": ["a", "\n"], "presence_penalty": 0.5, "frequency_penalty": -0.5,
            "logprobs": true, "top_logprobs": 3, "logit_bias": {"50256": -100}, "user": "u1", "store": true,
            "metadata": {"a": "b"}, "service_tier": "flex", "prompt_cache_key": "k", "verbosity": "low",
        })));
    }

    #[test]
    fn tools_and_their_results() {
        insta::assert_snapshot!(sent(&json!({
            "messages": [
                {"role": "user", "content": "Weather in Paris and Rome?"},
                {"role": "assistant", "content": "Let me see.", "tool_calls": [
                    {"id": "call_a", "type": "function", "function": {"name": "weather", "arguments": "{\"city\":\"Paris\"}"}},
                    {"id": "call_b", "type": "custom", "custom": {"name": "shell", "input": "ls \"x\""}},
                ]},
                {"role": "tool", "tool_call_id": "call_a", "content": "12 °C"},
                {"role": "tool", "tool_call_id": "call_b", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
            ],
            "tools": [
                {"type": "function", "function": {"name": "weather", "description": "d", "strict": true,
                    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": false}}},
                {"type": "function", "function": {"name": "now"}},
                {"type": "custom", "custom": {"name": "shell", "description": "Runs a command",
                    "format": {"type": "grammar", "grammar": {"syntax": "regex", "definition": ".+"}}}},
            ],
            "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [
                {"type": "function", "function": {"name": "now"}}, {"type": "custom", "custom": {"name": "shell"}}]}},
            "parallel_tool_calls": false,
        })));
    }

    #[test]
    fn functions_of_old_are_given_ids() {
        insta::assert_snapshot!(sent(&json!({
            "messages": [
                {"role": "user", "content": "Weather, twice?"},
                {"role": "assistant", "content": null, "function_call": {"name": "weather", "arguments": "{}"}},
                {"role": "function", "name": "weather", "content": "12 °C"},
                {"role": "assistant", "content": null, "function_call": {"name": "weather", "arguments": "{}"}},
                {"role": "function", "name": "weather", "content": "13 °C"},
            ],
            "functions": [{"name": "weather", "parameters": {"type": "object", "properties": {}}}],
            "function_call": {"name": "weather"},
        })));
    }

    #[test]
    fn content_of_every_kind() {
        insta::assert_snapshot!(sent(&json!({
            "messages": [
                {"role": "user", "content": [
                    {"type": "text", "text": "Look"},
                    {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "high"}},
                    {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,/9j/4A=="}},
                    {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}},
                    {"type": "file", "file": {"filename": "a.txt", "file_data": "data:text/plain;base64,aGVsbG8="}},
                    {"type": "file", "file": {"file_id": "file-1"}},
                    {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
                ]},
                {"role": "assistant", "content": [{"type": "text", "text": "Hm."}, {"type": "refusal", "refusal": "No."}]},
                {"role": "user", "content": "Why?"},
            ],
        })));
    }

    #[test]
    fn thoughts_go_back_to_whom_they_came_from() {
        let seal = |protocol, id: &str| Seal {
            protocol,
            data: Text::from("gAAA"),
            encrypted: true,
            id: Text::from(id),
        };
        let own = seal(Protocol::OpenAiResponses, "rs_1").token();
        let other = seal(Protocol::Anthropic, "").token();
        let body = json!({
            "model": "m", "max_tokens": 4096, "thinking": {"type": "enabled", "budget_tokens": 2048},
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "Think.", "cache_control": {"type": "ephemeral"}}]},
                {"role": "assistant", "content": [
                    {"type": "thinking", "thinking": "Mine.", "signature": own},
                    {"type": "thinking", "thinking": "Of another.", "signature": other},
                    {"type": "tool_use", "id": "toolu_1", "name": "now", "input": {}},
                ]},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": "toolu_1", "is_error": true, "content": [
                        {"type": "text", "text": "no clock"},
                        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBO"}},
                    ]},
                    {"type": "text", "text": "Well?"},
                ]},
            ],
            "tools": [{"name": "now", "input_schema": {"type": "object"}}, {"type": "web_search_20250305", "name": "web_search"}],
            "system": "Be brief.",
        });
        let request = Anthropic
            .decode_request(Incoming::of(body.to_string()))
            .unwrap();
        let target = Target {
            system_prompt: Some("The house speaks."),
            ..Target::new("gpt-5")
        };
        let wire = CODEC.encode_request(&request, &target).unwrap();
        insta::assert_snapshot!(pretty(&wire));
    }

    #[test]
    fn forms_of_the_answer() {
        let ask = |format: &Value, effort: &str| {
            sent(&json!({
                "messages": [{"role": "user", "content": "JSON, please"}],
                "response_format": format, "reasoning_effort": effort,
            }))
        };
        let schema = json!({"type": "json_schema", "json_schema": {
            "name": "a", "description": "d", "strict": true, "schema": {"type": "object"}}});
        let all = [
            ask(&json!({"type": "json_object"}), "none"),
            ask(&schema, "xhigh"),
            ask(&json!({"type": "text"}), "minimal"),
        ];
        insta::assert_snapshot!(all.join("\n"));
    }
}

mod clients {
    //! To another protocol.

    use super::*;

    #[test]
    fn every_parameter() {
        insta::assert_snapshot!(heard(&json!({
            "model": "m", "input": "Hi", "instructions": "Be brief.", "stream": true,
            "stream_options": {"include_obfuscation": false},
            "temperature": 0.70, "top_p": 0.9, "top_logprobs": 2, "max_output_tokens": 100, "max_tool_calls": 3,
            "include": ["reasoning.encrypted_content", "message.output_text.logprobs", "web_search_call.action.sources"],
            "text": {"format": {"type": "json_schema", "name": "a", "schema": {"type": "object"}, "strict": true},
                "verbosity": "low"},
            "reasoning": {"effort": "high", "summary": "auto", "context": "all_turns"},
            "truncation": "auto", "metadata": {"a": "b"}, "user": "u", "safety_identifier": "s", "prompt_cache_key": "k",
            "service_tier": "flex", "store": true, "background": false, "previous_response_id": null,
            "tools": [{"type": "web_search"}, {"type": "function", "name": "f", "parameters": null}],
            "tool_choice": {"type": "web_search_preview"}, "parallel_tool_calls": false, "something_new": 1,
        })));
    }

    #[test]
    fn what_says_nothing_is_not_lost() {
        let request = client(&json!({
            "input": "Hi", "store": false, "truncation": "disabled", "metadata": {}, "service_tier": "auto",
            "text": {"format": {"type": "text"}, "verbosity": "medium"}, "tools": [], "include": [],
            "background": false, "prompt": null, "reasoning": {"effort": null}, "parallel_tool_calls": true,
            "top_logprobs": 0, "stream_options": null,
        }));
        let wire = ChatUpstream::OPENAI.encode_request(&request, &Target::new("m"));
        let wire = wire.unwrap();
        assert_eq!(wire.losses.dropped, Vec::<String>::new());
        assert_eq!(
            body_of(&wire),
            json!({"model": "m", "messages": [{"role": "user", "content": "Hi"}]})
        );
    }

    #[test]
    fn items_of_every_kind() {
        insta::assert_snapshot!(heard(&json!({
            "input": [
                {"role": "developer", "content": "Be brief."},
                {"role": "user", "content": "Weather?"},
                {"type": "message", "role": "user", "content": [
                    {"type": "input_text", "text": "Look", "prompt_cache_breakpoint": {"mode": "explicit"}},
                    {"type": "input_image", "image_url": "https://example.com/a.png", "detail": "high"},
                    {"type": "input_image", "image_url": "data:image/png;base64,iVBO", "detail": "auto"},
                    {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="},
                    {"type": "input_file", "file_id": "file-1"},
                    {"type": "input_file", "file_url": "https://example.com/a.pdf"},
                    {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "mp3"}},
                    {"type": "computer_screenshot", "image_url": "x"},
                ]},
                {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "One."}, {"type": "summary_text", "text": "Two."}],
                    "encrypted_content": "gAAA"},
                {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "phase": "commentary", "content": [
                    {"type": "output_text", "text": "Let me see.", "annotations": [
                        {"type": "url_citation", "url": "https://e.com", "title": "E", "start_index": 0, "end_index": 3}]},
                    {"type": "refusal", "refusal": "No."}]},
                {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}},
                {"type": "function_call", "id": "fc_1", "call_id": "call_a", "name": "weather", "arguments": "{}", "status": "completed"},
                {"type": "custom_tool_call", "id": "ctc_1", "call_id": "call_b", "name": "shell", "input": "ls"},
                {"type": "function_call_output", "call_id": "call_a", "output": "12 °C"},
                {"type": "custom_tool_call_output", "call_id": "call_b", "output": [
                    {"type": "input_text", "text": "a"}, {"type": "input_image", "image_url": "data:image/png;base64,iVBO"}]},
            ],
            "tools": [
                {"type": "function", "name": "weather", "description": "d", "parameters": {"type": "object"}, "strict": true},
                {"type": "custom", "name": "shell", "format": {"type": "grammar", "syntax": "regex", "definition": ".+"}},
            ],
            "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "weather"}]},
        })));
    }

    #[test]
    fn what_leans_on_an_upstreams_memory_is_refused_by_name() {
        for (name, value) in [
            ("previous_response_id", json!("resp_1")),
            ("conversation", json!({"id": "conv_1"})),
            ("prompt", json!({"id": "pmpt_1"})),
            ("background", json!(true)),
        ] {
            let error = refused(&json!({"model": "m", "input": "Hi", name: value}));
            assert_eq!(error.kind, ErrorKind::InvalidRequest, "{name}");
            assert_eq!(error.origin, ErrorSource::Caller, "{name}");
            assert_eq!(error.param.as_deref(), Some(name));
            assert_eq!(error.code.as_deref(), Some("unsupported_parameter"));
            assert!(error.message.contains(name), "{error}");
        }
        for item in [
            json!({"type": "item_reference", "id": "rs_1"}),
            json!({"id": "rs_1"}),
        ] {
            let error = refused(&json!({"input": [{"role": "user", "content": "Hi"}, item]}));
            assert_eq!(error.param.as_deref(), Some("input[1]"));
            assert!(error.message.contains("item_reference") || error.message.contains("refers"));
        }
    }

    #[test]
    fn a_thought_that_is_only_referred_to_is_told() {
        let request = client(&json!({"input": [
            {"role": "user", "content": "Hi"},
            {"type": "item_reference", "id": "rs_aigw01a1fdca0"},
            {"type": "function_call", "call_id": "call_a", "name": "weather", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "call_a", "output": "12 °C"},
        ]}));
        let wire = ChatUpstream::OPENAI.encode_request(&request, &Target::new("m"));
        let wire = wire.unwrap();
        assert_eq!(wire.losses.dropped, ["input.item_reference"]);
        assert_eq!(body_of(&wire)["messages"].as_array().unwrap().len(), 3);
    }

    #[test]
    fn mistakes_are_told_by_their_place() {
        for (body, param) in [
            (json!({"model": "m"}), "input"),
            (json!({"input": 5}), "input"),
            (json!({"input": "Hi", "model": 5}), "model"),
            (json!({"input": "Hi", "stream": "yes"}), "stream"),
            (json!({"input": [5]}), "input[0]"),
            (
                json!({"input": [{"role": "king", "content": ""}]}),
                "input[0].role",
            ),
            (
                json!({"input": [{"role": "user", "content": [{"text": "x"}]}]}),
                "input[0].content[0].type",
            ),
            (
                json!({"input": [{"type": "function_call", "name": "f", "arguments": ""}]}),
                "input[0].call_id",
            ),
            (
                json!({"input": "", "tools": [{"type": "function"}]}),
                "tools[0].name",
            ),
            (
                json!({"input": "", "text": {"format": {"type": "xml"}}}),
                "text.format.type",
            ),
            (
                json!({"input": "", "reasoning": {"effort": "huge"}}),
                "reasoning.effort",
            ),
            (
                json!({"input": "", "tool_choice": "sometimes"}),
                "tool_choice",
            ),
            (
                json!({"input": "", "max_output_tokens": "many"}),
                "max_output_tokens",
            ),
        ] {
            let error = refused(&body);
            assert_eq!(error.param.as_deref(), Some(param), "{body}: {error}");
            assert_eq!(error.status(), 400, "{body}");
        }
        assert_eq!(refused(&json!([])).status(), 400);
        let error = Dialect
            .decode_request(Incoming::of("{\"input\":"))
            .unwrap_err();
        assert_eq!(error.code.as_deref(), Some("invalid_json"));
    }
}

mod told {
    //! Replies of upstreams that speak another protocol.

    use super::*;

    pub(super) fn asked() -> ChatRequest {
        client(&json!({
            "model": "assistant", "input": "Hi", "stream": true, "instructions": "Be\nbrief.", "temperature": 0.5,
            "max_output_tokens": 99, "metadata": {"a": "b"}, "store": true,
            "tools": [{"type": "function", "name": "now", "parameters": {"type": "object"}, "strict": false}],
            "tool_choice": "auto", "reasoning": {"effort": "low", "summary": "auto"},
        }))
    }

    fn content(block: Block, text: &str) -> Content {
        Content::new(block, Text::from(text))
    }

    fn call(id: &str, name: &str, kind: ToolKind) -> Block {
        Block::ToolCall {
            id: Text::from(id),
            name: Text::from(name),
            kind,
        }
    }

    fn everything() -> ChatResponse {
        let number = |text: &'static str| Json::of_valid(Text::from_static(text));
        let mut thought = content(Block::Reasoning, "Two and\ntwo.");
        thought.seal = Some(Seal {
            protocol: Protocol::Anthropic,
            data: Text::from("EqQB"),
            encrypted: false,
            id: Text::default(),
        });
        let mut said = content(Block::Text, "Four 🍎 \"apples\".");
        said.citations = vec![
            Citation {
                url: Some(Text::from("https://example.com")),
                title: Some(Text::from("Apples")),
                range: Some((0, 4)),
                ..Citation::default()
            },
            Citation {
                title: Some(Text::from("apples.pdf")),
                document: Some(1),
                ..Citation::default()
            },
        ];
        let picture = Block::Media {
            kind: MediaKind::Image,
            media_type: Text::from("image/png"),
        };
        ChatResponse {
            id: Text::from("msg_018"),
            model: Text::from("claude"),
            created: None,
            choices: vec![Choice {
                index: 0,
                blocks: vec![
                    thought,
                    said,
                    content(Block::Refusal, "No more."),
                    content(picture, "iVBO"),
                    content(call("toolu_1", "now", ToolKind::Function), "{\"a\":1}"),
                    content(call("", "shell", ToolKind::Custom), "ls"),
                ],
                logprobs: vec![TokenLogprob {
                    token: Text::from("Four"),
                    logprob: number("-0.10"),
                    top: vec![(Text::from("Five"), number("-3"))],
                }],
                finish: Some(FinishReason::ToolCalls),
            }],
            untold: false,
            usage: Some(Usage {
                input_tokens: 10,
                cached_tokens: 4,
                cache_write_tokens: 2,
                output_tokens: 20,
                reasoning_tokens: 5,
            }),
            raw: None,
        }
    }

    pub(super) fn streamed(events: &[StreamEvent]) -> String {
        let mut encoder = Dialect.stream_encoder(&asked());
        let mut out = BytesMut::new();
        encoder.encode(None, events, &mut out);
        encoder.finish(&mut out);
        String::from_utf8(out.to_vec()).unwrap()
    }

    /// The data of each event; checks what holds for every stream.
    pub(super) fn checked(stream: &str) -> Vec<Value> {
        let mut found = Vec::new();
        for (number, event) in stream.split_terminator("\n\n").enumerate() {
            let (name, data) = event.split_once('\n').unwrap();
            let data: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
            assert_eq!(data["type"], name.strip_prefix("event: ").unwrap());
            assert_eq!(data["sequence_number"], number);
            found.push(data);
        }
        let mut open = std::collections::BTreeMap::new();
        let mut texts = std::collections::BTreeMap::<String, String>::new();
        for event in &found {
            let index = event["output_index"].as_u64();
            let key = || {
                format!(
                    "{index:?} {} {}",
                    event["content_index"], event["summary_index"]
                )
            };
            match event["type"].as_str().unwrap() {
                "response.output_item.added" => {
                    assert_eq!(index, Some(open.len() as u64));
                    open.insert(index, (event["item"]["id"].clone(), true));
                }
                "response.output_item.done" => {
                    let (id, is_open) = open.get_mut(&index).expect("it began");
                    assert!(std::mem::take(is_open), "it ends once");
                    assert_eq!(*id, event["item"]["id"]);
                }
                kind if index.is_some() => {
                    let (id, is_open) = &open[&index];
                    assert!(is_open, "{kind}");
                    assert_eq!(*id, event["item_id"], "{kind}");
                    if kind.ends_with(".delta") {
                        let text = texts.entry(key()).or_default();
                        text.push_str(event["delta"].as_str().unwrap());
                    } else if let Some(whole) = ["text", "refusal", "arguments", "input"]
                        .iter()
                        .find_map(|member| event[member].as_str())
                    {
                        assert_eq!(texts.entry(key()).or_default(), whole, "{kind}");
                    }
                }
                _ => {}
            }
        }
        let last = found.last().unwrap();
        let done: Vec<&Value> = found
            .iter()
            .filter(|event| event["type"] == "response.output_item.done")
            .map(|event| &event["item"])
            .collect();
        let mut output: Vec<&Value> = last["response"]["output"]
            .as_array()
            .unwrap()
            .iter()
            .collect();
        assert_eq!(output.len(), open.len());
        if last["type"] != "response.failed" {
            assert!(open.values().all(|(_, is_open)| !is_open));
            output.sort_by_key(|item| done.iter().position(|one| one["id"] == item["id"]));
            assert_eq!(output, done);
        }
        found
    }

    #[test]
    fn a_reply_of_everything() {
        let body = Dialect.encode_response(&asked(), &everything()).concat();
        let body: Value = serde_json::from_slice(&body).unwrap();
        insta::assert_snapshot!(serde_json::to_string_pretty(&body).unwrap());
    }

    #[test]
    fn a_stream_of_everything() {
        let stream = streamed(&everything().events());
        checked(&stream);
        insta::assert_snapshot!(stream);
    }

    fn started() -> StreamEvent {
        StreamEvent::Started {
            id: Text::from("chatcmpl-1"),
            model: Text::from("m"),
            created: Some(5),
        }
    }

    fn begun(index: u32, block: Block) -> StreamEvent {
        StreamEvent::BlockStarted {
            choice: 0,
            index,
            block,
        }
    }

    fn more(index: u32, text: &str) -> StreamEvent {
        StreamEvent::BlockDelta {
            choice: 0,
            index,
            text: Text::from(text),
        }
    }

    fn ended(reason: FinishReason) -> StreamEvent {
        StreamEvent::Finished { choice: 0, reason }
    }

    fn kinds(events: &[Value]) -> Vec<&str> {
        let kinds = events.iter().map(|event| event["type"].as_str().unwrap());
        kinds
            .map(|kind| kind.trim_start_matches("response."))
            .collect()
    }

    #[test]
    fn text_has_its_events_in_order() {
        let events = checked(&streamed(&[
            started(),
            begun(0, Block::Text),
            more(0, "Hel"),
            more(0, "lo"),
            ended(FinishReason::Stop),
        ]));
        assert_eq!(
            kinds(&events),
            [
                "created",
                "in_progress",
                "output_item.added",
                "content_part.added",
                "output_text.delta",
                "output_text.delta",
                "output_text.done",
                "content_part.done",
                "output_item.done",
                "completed",
            ]
        );
        let response = &events[9]["response"];
        assert_eq!(response["status"], "completed");
        assert_eq!(response["created_at"], 5);
        assert_eq!(response["store"], false);
    }

    #[test]
    fn arguments_of_calls_may_come_side_by_side() {
        let events = checked(&streamed(&[
            started(),
            begun(0, call("a", "f", ToolKind::Function)),
            begun(1, call("b", "g", ToolKind::Function)),
            more(0, "{"),
            more(1, "[1"),
            more(0, "}"),
            more(1, "]"),
            ended(FinishReason::ToolCalls),
        ]));
        let output = &events.last().unwrap()["response"]["output"];
        assert_eq!(output[0]["arguments"], "{}");
        assert_eq!(output[1]["arguments"], "[1]");
        assert_ne!(output[0]["id"], output[1]["id"]);
    }

    #[test]
    fn what_goes_on_after_its_end_goes_on_in_another_item() {
        let events = checked(&streamed(&[
            started(),
            begun(0, Block::Reasoning),
            more(0, "a"),
            begun(1, Block::Text),
            more(1, "b"),
            more(0, "c"),
            begun(2, call("a", "f", ToolKind::Function)),
            more(2, "{"),
            more(1, "d"),
            more(2, "}"),
            ended(FinishReason::Stop),
        ]));
        let output = events.last().unwrap()["response"]["output"]
            .as_array()
            .unwrap();
        let said: Vec<String> = output
            .iter()
            .map(|item| {
                let text = item
                    .pointer("/content/0/text")
                    .or(item.pointer("/summary/0/text"));
                let text = text.or(item.get("arguments")).unwrap();
                format!(
                    "{} {}",
                    item["type"].as_str().unwrap(),
                    text.as_str().unwrap()
                )
            })
            .collect();
        assert_eq!(
            said,
            [
                "reasoning a",
                "message b",
                "reasoning c",
                "function_call {}",
                "message d"
            ]
        );
    }

    #[test]
    fn a_reply_that_was_cut_short_is_incomplete() {
        for (reason, word) in [
            (FinishReason::Length, "max_output_tokens"),
            (FinishReason::ContentFilter, "content_filter"),
        ] {
            let events = checked(&streamed(&[
                started(),
                begun(0, Block::Text),
                more(0, "Once"),
                ended(reason),
            ]));
            let last = events.last().unwrap();
            assert_eq!(last["type"], "response.incomplete");
            assert_eq!(last["response"]["status"], "incomplete");
            assert_eq!(last["response"]["incomplete_details"]["reason"], word);
            assert_eq!(last["response"]["output"][0]["status"], "incomplete");
        }
    }

    #[test]
    fn an_error_in_mid_stream_fails_the_response() {
        let mut encoder = Dialect.stream_encoder(&asked());
        let mut out = BytesMut::new();
        let events = [started(), begun(0, Block::Text), more(0, "Hel")];
        encoder.encode(None, &events, &mut out);
        let error = ApiError::new(ErrorKind::RateLimited, ErrorSource::Provider, "Slow\ndown.");
        encoder.encode_error(&error, &mut out);
        let before = out.len();
        encoder.encode(None, &[more(0, "lo")], &mut out);
        encoder.encode_error(&error, &mut out);
        encoder.finish(&mut out);
        assert_eq!(out.len(), before, "nothing follows an error");
        let events = checked(std::str::from_utf8(&out).unwrap());
        let [.., told, failed] = events.as_slice() else {
            panic!("two events end it");
        };
        assert_eq!(told["type"], "error");
        assert_eq!(told["message"], "Slow\ndown.");
        assert_eq!(told["code"], "rate_limit_exceeded");
        assert_eq!(told["error"]["message"], told["message"]);
        assert_eq!(failed["type"], "response.failed");
        assert_eq!(failed["response"]["status"], "failed");
        assert_eq!(failed["response"]["error"]["code"], "rate_limit_exceeded");
        assert_eq!(failed["response"]["output"][0]["content"][0]["text"], "Hel");

        // And its own decoder knows it for an error.
        let stream = Bytes::copy_from_slice(std::str::from_utf8(&out).unwrap().as_bytes());
        let read = cases::read(&cases::OPENAI_RESPONSES, &asked(), [stream]);
        assert_eq!(read.result.unwrap_err().kind, ErrorKind::RateLimited);
    }

    #[test]
    fn thoughts_come_back_to_whom_they_came_from() {
        let body = Dialect.encode_response(&asked(), &everything()).concat();
        let reply: Value = serde_json::from_slice(&body).unwrap();
        let mut input = vec![json!({"role": "user", "content": "Hi"})];
        input.extend(reply["output"].as_array().unwrap()[..2].iter().cloned());
        input.push(json!({"role": "user", "content": "And?"}));
        let next =
            json!({"input": input, "reasoning": {"effort": "low"}, "max_output_tokens": 4096});
        let wire = AnthropicCodec.encode_request(&client(&next), &Target::new("claude-sonnet-4-5"));
        let body = body_of(&wire.unwrap());
        let block = &body["messages"][1]["content"][0];
        assert_eq!(
            *block,
            json!({"type": "thinking", "thinking": "Two and\ntwo.", "signature": "EqQB"})
        );
    }
}

mod referred_to {
    //! Thoughts that a client refers to by their ids, as those do for which the provider keeps what it said.

    use super::told::checked;
    use super::*;

    /// A reply's items as the whole of it has them, and as its stream does.
    fn told(case: &cases::Case, asked: &Value) -> Vec<Vec<Value>> {
        let asked = client(asked);
        let mut outputs = Vec::new();
        if let Some(body) = case.read("response.json") {
            let codec = case.pair.codec;
            let reply = codec.decode_response(&case.request(), &case.form(), body);
            let body = Dialect.encode_response(&asked, &reply.unwrap()).concat();
            let reply: Value = serde_json::from_slice(&body).unwrap();
            outputs.push(reply["output"].as_array().unwrap().clone());
        }
        if case.read("stream").is_some() {
            let events = case.run(&case.request(), [case.stream()]).events;
            let mut encoder = Dialect.stream_encoder(&asked);
            let mut out = BytesMut::new();
            for event in events {
                encoder.encode(None, &[event], &mut out);
            }
            encoder.finish(&mut out);
            let events = checked(std::str::from_utf8(&out).unwrap());
            let last = &events.last().unwrap()["response"]["output"];
            outputs.push(last.as_array().unwrap().clone());
        }
        outputs
    }

    /// The thoughts, calls and texts of the assistant that go on with a conversation.
    fn said(
        output: &[Value],
        thought: impl Fn(&Value) -> Value,
    ) -> (Vec<(Text, Option<Seal>)>, Vec<Text>) {
        let mut input = vec![json!({"role": "user", "content": "Hi"})];
        for item in output {
            input.push(match item["type"].as_str().unwrap() {
                "reasoning" => thought(item),
                _ => item.clone(),
            });
            if item["type"] == "function_call" {
                let id = &item["call_id"];
                input.push(json!({"type": "function_call_output", "call_id": id, "output": "12"}));
            }
        }
        let request = client(&json!({"input": input}));
        let prompt = request.prompt().unwrap();
        let parts = prompt.messages.iter().flat_map(|message| &message.parts);
        let thoughts = parts.filter_map(|part| match &part.content {
            PartContent::Reasoning { text, seal } => Some((text.clone(), seal.clone())),
            _ => None,
        });
        (thoughts.collect(), prompt.others.clone())
    }

    /// The law: what was sealed in the first turn is sealed the same in the second, however the client gives it back.
    #[test]
    fn a_seal_comes_back_by_its_id() {
        let mut sealed = 0;
        for case in cases::with(&["request.json"]) {
            if case.read("failure.json").is_some()
                || case.pair.codec.protocol() == Protocol::OpenAiResponses
            {
                continue;
            }
            let kept = told(&case, &json!({"input": "Hi", "store": false}));
            let referring = told(&case, &json!({"input": "Hi"}));
            for (kept, referring) in kept.iter().zip(&referring) {
                let (whole, _) = said(kept, Value::clone);
                let seals = |thoughts: &[(Text, Option<Seal>)]| -> Vec<(Text, Option<Seal>)> {
                    thoughts
                        .iter()
                        .filter(|thought| thought.1.is_some())
                        .cloned()
                        .collect()
                };
                let (by_id, others) = said(
                    referring,
                    |item| json!({"type": "item_reference", "id": item["id"]}),
                );
                assert_eq!(seals(&by_id), seals(&whole), "{}", case.name);
                let unsealed = whole.iter().any(|(_, seal)| seal.is_none());
                let told = others.iter().any(|other| *other == "input.item_reference");
                assert_eq!(told, unsealed, "{}: {others:?}", case.name);
                // Who sends back all that it was told says nothing twice.
                let (again, _) = said(referring, Value::clone);
                assert_eq!(again, whole, "{}", case.name);
                // As does who takes the ids for all there is to a thought.
                let bare =
                    |item: &Value| json!({"type": "reasoning", "id": item["id"], "summary": []});
                assert_eq!(
                    seals(&said(referring, bare).0),
                    seals(&whole),
                    "{}",
                    case.name
                );
                sealed += seals(&whole).len();
            }
        }
        assert!(sealed >= 8, "{sealed} seals");
    }

    /// What reaches the upstream, from the reply's bytes to the next request's.
    #[test]
    fn the_upstream_gets_its_signature_back() {
        for (name, mark) in [
            ("anthropic/thinking_with_signature", "signature"),
            ("anthropic/redacted_thinking", "redacted_thinking"),
            ("gemini/thoughts_with_signatures", "thoughtSignature"),
        ] {
            let all = cases::with(&["request.json"]);
            let case = all.iter().find(|case| case.name == name).unwrap();
            for output in told(case, &json!({"input": "Hi"})) {
                let mut input = vec![json!({"role": "user", "content": "Hi"})];
                for item in output {
                    input.push(match item["type"].as_str().unwrap() {
                        "reasoning" => json!({"type": "item_reference", "id": item["id"]}),
                        _ => item,
                    });
                }
                let next = client(&json!({"input": input, "reasoning": {"effort": "low"}}));
                let codec = case.pair.codec;
                let wire = codec
                    .encode_request(&next, &Target::new("claude-sonnet-4-5"))
                    .unwrap();
                let body = body_of(&wire).to_string();
                assert!(body.contains(mark), "{name}: {body}");
            }
        }
    }

    #[test]
    fn a_seal_that_is_too_large_is_left_out_and_named() {
        let thought = "x".repeat(20_000);
        let seal = Seal {
            protocol: Protocol::Anthropic,
            data: Text::from("EqQB"),
            encrypted: false,
            id: Text::default(),
        };
        let mut content = Content::new(Block::Reasoning, Text::from(thought));
        content.seal = Some(seal);
        let reply = ChatResponse {
            choices: vec![Choice {
                index: 0,
                blocks: vec![content],
                logprobs: Vec::new(),
                finish: Some(FinishReason::Stop),
            }],
            ..ChatResponse::default()
        };
        let body = Dialect
            .encode_response(&client(&json!({"input": "Hi"})), &reply)
            .concat();
        let reply: Value = serde_json::from_slice(&body).unwrap();
        let output = reply["output"].as_array().unwrap();
        assert!(output[0]["id"].as_str().unwrap().len() < 64);
        let (thoughts, others) = said(
            output,
            |item| json!({"type": "item_reference", "id": item["id"]}),
        );
        assert_eq!(thoughts, []);
        assert_eq!(others, ["input.item_reference"]);
    }

    /// An upstream that speaks the protocol never saw these ids.
    #[test]
    fn another_upstream_is_not_sent_them() {
        let seal = "rs_aigw-YW50aHJvcGljIHMgIDQgVTBsSExldCBtZSB0aGluay4";
        for item in [
            json!({"type": "item_reference", "id": seal}),
            json!({"id": seal}),
        ] {
            let request = client(&json!({"input": [item, {"role": "user", "content": "Hi"}]}));
            let wire = Codec::USUAL
                .encode_request(&request, &Target::new("m"))
                .unwrap();
            assert_eq!(
                body_of(&wire)["input"],
                json!([{"role": "user", "content": "Hi"}])
            );
            assert_eq!(wire.losses.dropped, ["reasoning"]);
        }
    }
}

mod schema {
    //! Replies of every protocol, held against OpenAI's schemas.

    use jsonschema::Validator;

    use super::told::{asked, checked, streamed};
    use super::*;

    /// Made when they are asked for, once.
    struct Schemas {
        document: Value,
        known: std::collections::HashMap<String, Validator>,
    }

    impl Schemas {
        fn read() -> Self {
            let text = include_str!("data/openai_responses.schema.json");
            Self {
                document: serde_json::from_str(text).unwrap(),
                known: std::collections::HashMap::new(),
            }
        }

        fn of(&mut self, name: &str) -> &Validator {
            let document = &self.document;
            self.known.entry(name.to_owned()).or_insert_with(|| {
                let mut schema = document.clone();
                schema["$ref"] = format!("#/components/schemas/{name}").into();
                jsonschema::validator_for(&schema).unwrap()
            })
        }

        /// The schema of an event is the one whose `type` it has.
        fn of_event(&mut self, kind: &Value) -> &Validator {
            let schemas = self.document["components"]["schemas"].as_object().unwrap();
            let (name, _) = schemas
                .iter()
                .find(|(name, schema)| {
                    name.ends_with("Event") && schema["properties"]["type"]["enum"][0] == *kind
                })
                .unwrap_or_else(|| panic!("no schema of {kind}"));
            let name = name.clone();
            self.of(&name)
        }
    }

    fn check(validator: &Validator, value: &Value, name: &str) {
        let wrong: Vec<String> = validator
            .iter_errors(value)
            .map(|error| format!("{error} at {}", error.instance_path()))
            .collect();
        assert!(wrong.is_empty(), "{name}: {wrong:?}\n{value:#}");
    }

    #[test]
    fn replies_of_all_protocols_are_what_it_says() {
        let mut schemas = Schemas::read();
        let mut events = 0;
        for case in cases::with(&["request.json"]) {
            if case.read("failure.json").is_some() {
                continue;
            }
            let mut replies = Vec::new();
            if let Some(body) = case.read("response.json") {
                let reply = case.pair.codec;
                let reply = reply.decode_response(&case.request(), &case.form(), body);
                let mut reply = reply.unwrap();
                reply.raw = None;
                replies.push(reply.events());
                let body = Dialect.encode_response(&asked(), &reply).concat();
                let body: Value = serde_json::from_slice(&body).unwrap();
                check(schemas.of("Response"), &body, &case.name);
            }
            if case.read("stream").is_some() {
                replies.push(case.run(&case.request(), [case.stream()]).events);
            }
            for reply in replies {
                for event in checked(&streamed(&reply)) {
                    check(schemas.of_event(&event["type"]), &event, &case.name);
                    events += 1;
                }
            }
        }
        assert!(events > 1_000, "{events} events");
    }

    #[test]
    fn it_is_not_a_check_that_cannot_fail() {
        let mut schemas = Schemas::read();
        let good = json!({"type": "response.output_text.delta", "item_id": "a", "output_index": 0, "content_index": 0,
            "delta": "", "sequence_number": 0, "logprobs": []});
        let delta = schemas.of_event(&good["type"]);
        assert!(delta.is_valid(&good));
        for member in good.as_object().unwrap().keys() {
            let mut bad = good.clone();
            bad[member] = Value::Null;
            assert!(!delta.is_valid(&bad), "{member}");
        }
    }
}

mod carried {
    //! Within the protocol.

    use super::*;

    fn sent(body: &str, system_prompt: Option<&str>) -> (String, WireRequest) {
        let request = Dialect
            .decode_request(Incoming::of(body.to_owned()))
            .unwrap();
        let target = Target {
            system_prompt,
            ..Target::new("gpt-5")
        };
        let wire = CODEC.encode_request(&request, &target).unwrap();
        let body = String::from_utf8(wire.body.concat().to_vec()).unwrap();
        (body, wire)
    }

    #[test]
    fn only_the_model_changes() {
        let body = "{ \"model\" : \"assistant\",\n\"input\":\"Hi\", \"previous_response_id\":\"resp_1\", \"new\": 1.0 }";
        let (sent, wire) = sent(body, None);
        assert_eq!(sent, body.replace("assistant", "gpt-5"));
        assert!(wire.form.carried && wire.losses.is_empty());
        assert_eq!(wire.path, "/responses");
    }

    #[test]
    fn the_operators_prompt_follows_the_clients_instructions() {
        for (body, instructions) in [
            (r#"{"input":"Hi"}"#, "The house."),
            (r#"{"input":"Hi","instructions":null}"#, "The house."),
            (r#"{"input":"Hi","instructions":""}"#, "The house."),
            (
                r#"{"input":"Hi","instructions":"A\"b\""}"#,
                "A\"b\"\n\nThe house.",
            ),
        ] {
            let (_, wire) = sent(body, Some("The house."));
            assert_eq!(body_of(&wire)["instructions"], instructions, "{body}");
        }
        let request = client(&json!({"input": "Hi", "instructions": []}));
        let target = Target {
            system_prompt: Some("x"),
            ..Target::new("m")
        };
        let error = CODEC.encode_request(&request, &target).unwrap_err();
        assert_eq!(error.param.as_deref(), Some("instructions"));
    }

    #[test]
    fn thoughts_of_other_upstreams_stay_behind() {
        let token = |protocol| {
            Seal {
                protocol,
                data: Text::from("gAAA"),
                encrypted: true,
                id: Text::from("rs_7"),
            }
            .token()
        };
        let thought = |id: &str, data: Option<&str>| json!({"type": "reasoning", "id": id, "summary": [], "encrypted_content": data});
        let said = json!({"role": "user", "content": "rs_aigw"});
        let foreign = thought("rs_aigw1", Some(&token(Protocol::Anthropic)));
        let unsealed = thought("rs_aigw2", None);
        let own = thought("rs_aigw3", Some(&token(Protocol::OpenAiResponses)));
        let untouched = thought("rs_9", Some("gBBB"));
        for (items, left, lost) in [
            (vec![&foreign, &said], vec![said.clone()], true),
            (vec![&foreign, &unsealed, &said], vec![said.clone()], true),
            (vec![&said, &foreign, &unsealed], vec![said.clone()], true),
            (
                vec![&foreign, &said, &unsealed, &untouched],
                vec![said.clone(), untouched.clone()],
                true,
            ),
            (vec![&foreign], vec![], true),
            (
                vec![&own, &said],
                vec![thought("rs_7", Some("gAAA")), said.clone()],
                false,
            ),
            (
                vec![&said, &untouched],
                vec![said.clone(), untouched.clone()],
                false,
            ),
        ] {
            let body = serde_json::to_string_pretty(&json!({"model": "gpt-5", "input": items}));
            let (_, wire) = sent(&body.unwrap(), None);
            assert_eq!(body_of(&wire)["input"], json!(left));
            assert_eq!(!wire.losses.is_empty(), lost, "{:?}", wire.losses);
        }
    }

    #[test]
    fn a_dated_api_is_asked_for_its_version() {
        let request = client(&json!({"input": "Hi"}));
        let codec = Codec::dated("2025-04-01-preview");
        let path = |api_version| {
            let target = Target {
                api_version,
                ..Target::new("m")
            };
            codec.encode_request(&request, &target).unwrap().path
        };
        assert_eq!(path(None), "/responses?api-version=2025-04-01-preview");
        assert_eq!(path(Some("a b")), "/responses?api-version=a%20b");
    }

    #[test]
    fn headers_of_the_protocol_go_with_it() {
        let mut headers = HeaderMap::new();
        headers.insert("openai-beta", HeaderValue::from_static("x=1"));
        headers.insert("authorization", HeaderValue::from_static("Bearer client"));
        let body = Bytes::from_static(br#"{"input":"Hi"}"#);
        let incoming = Incoming::new(body, &headers, Stamp::default());
        let request = Dialect.decode_request(incoming).unwrap();
        let wire = CODEC.encode_request(&request, &Target::new("m")).unwrap();
        assert_eq!(wire.headers.len(), 2);
        assert_eq!(wire.headers["openai-beta"], "x=1");
    }

    #[test]
    fn a_response_that_goes_on_in_the_background_is_passed_on() {
        let body = Bytes::from_static(
            br#"{"id":"resp_1","object":"response","created_at":1.0,"status":"queued","model":"gpt-5","output":[],"error":null}"#,
        );
        let request = client(&json!({"model": "assistant", "input": "Hi", "background": true}));
        let form = ReplyForm::default();
        let response = CODEC.decode_response(&request, &form, body).unwrap();
        assert_eq!(response.created, Some(1));
        assert!(response.choices.is_empty());
        let told = Dialect.encode_response(&request, &response).concat();
        let told: Value = serde_json::from_slice(&told).unwrap();
        assert_eq!(told["status"], "queued");
        assert_eq!(told["model"], "assistant");
    }

    #[test]
    fn a_response_that_was_given_up_is_an_error() {
        let request = client(&json!({"input": "Hi"}));
        for body in [
            r#"{"id":"resp_1","status":"cancelled","output":[]}"#,
            r#"{"error":{"message":"x","code":"server_error"}}"#,
            r#"{"id":"resp_1","status":"completed"}"#,
            "[]",
            "",
        ] {
            let form = ReplyForm::default();
            let error = CODEC.decode_response(&request, &form, Bytes::from(body));
            assert_eq!(error.unwrap_err().origin, ErrorSource::Provider, "{body}");
        }
    }

    #[test]
    fn an_error_in_a_carried_stream_goes_on_counting() {
        let case = cases::of(Protocol::OpenAiResponses, &["stream"])
            .into_iter()
            .find(|case| case.name.ends_with("/cut_before_completed"))
            .unwrap();
        let request = case.request();
        let read = case.run(&request, [case.stream()]);
        let mut encoder = Dialect.stream_encoder(&request);
        let mut framer = SseFramer::new();
        let mut decoder = CODEC.stream_decoder(&request, &case.form());
        let mut out = BytesMut::new();
        framer.push(case.stream());
        let mut count = 0;
        while let Some(mut frame) = framer.next().unwrap() {
            let mut events = Vec::new();
            decoder.decode(&mut frame, &mut events).unwrap();
            encoder.encode(Some(&frame), &events, &mut out);
            count += 1;
        }
        let from = out.len();
        encoder.encode_error(&read.result.unwrap_err(), &mut out);
        let told = String::from_utf8(out[from..].to_vec()).unwrap();
        let events: Vec<Value> = told
            .lines()
            .filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok())
            .collect();
        assert_eq!(events[0]["sequence_number"], count);
        assert_eq!(events[1]["type"], "response.failed");
        assert_eq!(events[1]["response"]["id"], "resp_68a1");
        assert_eq!(events[1]["response"]["model"], "assistant");
    }
}

mod noise {
    //! Arbitrary bytes never panic.

    use super::*;

    fn nearly() -> impl Strategy<Value = Vec<u8>> {
        let pieces: Vec<&'static str> = vec![
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"",
            "null",
            "true",
            "-1",
            "1e9",
            "\n",
            "\n\n",
            "\r\n",
            "data: ",
            "event: error",
            "\"type\":",
            "\"response.created\"",
            "\"response.completed\"",
            "\"response.output_item.added\"",
            "\"response.output_item.done\"",
            "\"response.output_text.delta\"",
            "\"response.output_text.done\"",
            "\"response.function_call_arguments.delta\"",
            "\"response.reasoning_summary_text.delta\"",
            "\"response.output_text.annotation.added\"",
            "\"message\"",
            "\"reasoning\"",
            "\"function_call\"",
            "\"response\":{",
            "\"item\":{",
            "\"part\":{",
            "\"output\":[",
            "\"content\":[",
            "\"summary\":[",
            "\"delta\":\"x\"",
            "\"output_index\":",
            "\"content_index\":",
            "\"item_id\":\"a\"",
            "\"id\":\"a\"",
            "\"text\":\"y\"",
            "\"encrypted_content\":\"YWlndzEg\"",
            "\"model\":\"m\"",
            "\"status\":\"incomplete\"",
            "\"error\":{",
            "\"input\":[",
            "\"role\":\"user\"",
            "\"rs_aigw\"",
            "\"usage\":{",
            "\"instructions\":\"i\"",
            "ä",
            "\u{1f600}",
        ];
        let known = prop::sample::select(pieces).prop_map(|piece| piece.as_bytes().to_vec());
        let piece = prop_oneof![9 => known, 1 => prop::collection::vec(any::<u8>(), 0..6)];
        prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    /// An event of a known kind, with members that fit it or do not.
    fn event() -> impl Strategy<Value = String> {
        let kinds = prop::sample::select(vec![
            "response.created",
            "response.output_item.added",
            "response.output_item.done",
            "response.content_part.added",
            "response.content_part.done",
            "response.output_text.delta",
            "response.output_text.done",
            "response.refusal.delta",
            "response.output_text.annotation.added",
            "response.function_call_arguments.delta",
            "response.custom_tool_call_input.done",
            "response.reasoning_summary_text.delta",
            "response.reasoning_text.delta",
            "response.completed",
            "response.incomplete",
            "response.new",
        ]);
        let items = prop::sample::select(vec![
            json!({"id": "a", "type": "message", "content": [{"type": "output_text", "text": "t", "annotations": [{"type": "url_citation", "url": "u"}],
                "logprobs": [{"token": "t", "logprob": -1}]}]}),
            json!({"id": "b", "type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}),
            json!({"id": "c", "type": "reasoning", "summary": [{"text": "s"}, {"text": ""}], "encrypted_content": "e"}),
            json!({"id": "d", "type": "image_generation_call", "result": "iVBO"}),
            json!({"type": "custom_tool_call"}),
            json!(7),
        ]);
        (kinds, items, prop::option::of(0..3_u8), 0..3_u8, any::<bool>()).prop_map(
            |(kind, item, output, piece, said)| {
                let event = json!({
                    "type": kind, "item": item, "output_index": output, "content_index": piece, "summary_index": piece,
                    "item_id": item["id"], "delta": if said { "d" } else { "" }, "text": "dd",
                    "part": {"type": "refusal", "refusal": "r"}, "annotation": {"type": "url_citation", "url": "u"},
                });
                let mut event = event;
                if kind == "response.created" || kind.ends_with("ed") && kind.matches('.').count() == 1 {
                    event["response"] = json!({"id": "resp_1", "model": "m", "output": [item], "status": "completed"});
                }
                format!("data: {event}\n\n")
            },
        )
    }

    /// Reads a stream, and writes it carried and anew.
    fn read(stream: Bytes) {
        let request = client(&json!({"model": "assistant", "input": "Hi", "stream": true}));
        let form = ReplyForm::default();
        if let Ok(response) = CODEC.decode_response(&request, &form, stream.clone()) {
            assert_eq!(collect(&response.events()), response);
            let _ = Dialect.encode_response(&request, &response);
        }
        let mut framer = SseFramer::new();
        let mut decoder = CODEC.stream_decoder(&request, &form);
        let mut encoders = [
            Dialect.stream_encoder(&request),
            Dialect.stream_encoder(&request),
        ];
        let (mut events, mut out) = (Vec::new(), BytesMut::new());
        framer.push(stream);
        while let Some(mut frame) = framer.next().unwrap().or_else(|| framer.finish()) {
            let from = events.len();
            if decoder.decode(&mut frame, &mut events).is_err() {
                return;
            }
            encoders[0].encode(Some(&frame), &events[from..], &mut out);
            encoders[1].encode(None, &events[from..], &mut out);
        }
        if decoder.finish(&mut events).is_err() {
            return;
        }
        assert!(matches!(events[0], StreamEvent::Started { .. }));
        out.clear();
        encoders[1].finish(&mut out);
        // What was made of it says the same, but for what only it can say.
        let mut made = Dialect.stream_encoder(&request);
        out.clear();
        made.encode(None, &events, &mut out);
        made.finish(&mut out);
        let again = cases::read(&cases::OPENAI_RESPONSES, &request, [out.freeze()]);
        assert_eq!(again.result, Ok(()));
        let texts = |events: &[StreamEvent]| -> usize {
            let texts = events.iter().map(|event| match event {
                StreamEvent::BlockDelta { text, .. } => text.len(),
                _ => 0,
            });
            texts.sum()
        };
        assert_eq!(texts(&again.events), texts(&events));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

        #[test]
        fn streams_and_replies(stream in nearly()) {
            read(Bytes::from(stream));
        }

        #[test]
        fn events_in_any_order(events in prop::collection::vec(event(), 0..12), ends in any::<bool>()) {
            let mut stream = events.concat();
            if ends {
                stream.push_str("data: {\"type\":\"response.completed\",\"response\":{\"status\":\"completed\"}}\n\n");
            }
            read(Bytes::from(stream));
        }

        #[test]
        fn requests(body in nearly(), prompt in any::<Option<String>>()) {
            let body = [&b"{\"input\":["[..], &body, b"]}"].concat();
            for body in [body.clone(), body[10..].to_vec()] {
                let Ok(request) = Dialect.decode_request(Incoming::of(body)) else { continue };
                let target = Target { system_prompt: prompt.as_deref(), ..Target::new("other") };
                let _ = ChatUpstream::OPENAI.encode_request(&request, &target);
                if let Ok(wire) = CODEC.encode_request(&request, &target) {
                    let again = Dialect.decode_request(Incoming::of(wire.body.concat())).unwrap();
                    prop_assert_eq!(again.model.as_deref(), Some("other"));
                }
            }
        }
    }
}

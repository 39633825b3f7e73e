//! What is sent to Gemini, what its clients get, and that neither is lost on the way.

mod cases;

use bytes::{Bytes, BytesMut};
use cases::{Case, Pair, of};
use http::HeaderMap;
use llm::chat::{
    Block, ChatRequest, ChatResponse, Choice, Citation, Content, FinishReason, MediaKind, Protocol,
    Seal, Stamp, StreamEvent, TokenLogprob, ToolKind, Usage, Variant, collect,
};
use llm::codecs::gemini::Gemini as Codec;
use llm::dialects::anthropic::Anthropic;
use llm::dialects::gemini::Gemini as Dialect;
use llm::dialects::openai_chat::OpenAiChat;
use llm::dialects::openai_responses::OpenAiResponses;
use llm::json::Json;
use llm::{
    ApiError, ChatCodec, ChatDialect, ErrorKind, ErrorSource, Incoming, ReplyForm, SseFramer,
    Target, Text, WireRequest,
};
use proptest::prelude::*;
use serde_json::{Value, json};

fn foreign(body: &Value) -> ChatRequest {
    OpenAiChat
        .decode_request(Incoming::of(body.to_string()))
        .unwrap()
}

fn own(body: &Value) -> ChatRequest {
    let headers = HeaderMap::new();
    let mut incoming = Incoming::new(Bytes::from(body.to_string()), &headers, Stamp::default());
    incoming.model = Some("assistant");
    incoming.stream = Some(true);
    Dialect.decode_request(incoming).unwrap()
}

fn sent(body: &Value, model: &str) -> WireRequest {
    Codec
        .encode_request(&foreign(body), &Target::new(model))
        .unwrap()
}

fn golden(body: &Value, model: &str) -> String {
    let wire = sent(body, model);
    let body: Value = serde_json::from_slice(&wire.body.concat()).unwrap();
    let sent = json!({
        "path": wire.path,
        "body": body,
        "dropped": wire.losses.dropped,
        "emulated": wire.losses.emulated,
    });
    serde_json::to_string_pretty(&sent).unwrap()
}

mod requests {
    use super::*;

    #[test]
    fn every_parameter() {
        insta::assert_snapshot!(golden(
            &json!({
                "model": "m",
                "messages": [
                    {"role": "developer", "content": "Be brief."},
                    {"role": "user", "content": "Hi", "name": "ann"},
                    {"role": "system", "content": "Be kind."},
                    {"role": "user", "content": [{"type": "text", "text": "There?"}]},
                ],
                "stream": true, "stream_options": {"include_usage": true},
                "temperature": 0.70, "top_p": 0.90, "top_k": 40, "min_p": 0.05, "seed": 7, "n": 2,
                "max_completion_tokens": 100, "stop": ["a", "b"], "presence_penalty": 0.5,
                "frequency_penalty": -0.5, "logprobs": true, "top_logprobs": 3,
                "logit_bias": {"50256": -100}, "user": "u1", "store": true,
                "reasoning_effort": "low", "verbosity": "low",
            }),
            "gemini-2.5-pro",
        ));
    }

    #[test]
    fn tools_and_their_results() {
        insta::assert_snapshot!(golden(
            &json!({
                "messages": [
                    {"role": "user", "content": "Weather in Paris and Rome?"},
                    {"role": "assistant", "content": "I look.", "tool_calls": [
                        {"id": "call_a", "type": "function", "function": {"name": "weather", "arguments": "{\"city\": \"Paris\"}"},
                         "extra_content": {"google": {"thought_signature": "c2lnbmVk"}}},
                        {"id": "call_b", "type": "function", "function": {"name": "now", "arguments": ""}},
                    ]},
                    {"role": "tool", "tool_call_id": "call_a", "content": "{\"degrees\": 21}"},
                    {"role": "tool", "tool_call_id": "call_b", "content": [
                        {"type": "text", "text": "12:"}, {"type": "text", "text": "00"},
                    ]},
                    {"role": "user", "content": "And now?"},
                ],
                "tools": [
                    {"type": "function", "function": {"name": "weather", "description": "Weather of a city", "strict": true, "parameters": {
                        "type": "object", "properties": {"city": {"$ref": "#/$defs/City"}}, "required": ["city"],
                        "$defs": {"City": {"type": ["string", "null"]}}, "additionalProperties": false,
                    }}},
                    {"type": "function", "function": {"name": "now"}},
                    {"type": "custom", "custom": {"name": "shell"}},
                ],
                "tool_choice": {"type": "function", "function": {"name": "now"}},
                "parallel_tool_calls": false,
            }),
            "gemini-3-pro-preview",
        ));
    }

    #[test]
    fn pictures_and_files() {
        insta::assert_snapshot!(golden(
            &json!({
                "messages": [{"role": "user", "content": [
                    {"type": "text", "text": "What are these?"},
                    {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,/9j/4AAQ", "detail": "low"}},
                    {"type": "image_url", "image_url": {"url": "https://example.com/a%20cat.webp?size=9"}},
                    {"type": "image_url", "image_url": {"url": "https://example.com/unknown"}},
                    {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0xLjQ="}},
                    {"type": "file", "file": {"file_id": "file-abc"}},
                    {"type": "input_audio", "input_audio": {"data": "UklGRgAA", "format": "wav"}},
                ]}],
            }),
            "gemini-2.5-flash",
        ));
    }

    #[test]
    fn old_models_fetch_nothing_and_do_not_think() {
        let wire = sent(
            &json!({
                "messages": [{"role": "user", "content": [
                    {"type": "text", "text": "What is it?"},
                    {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
                ]}],
                "reasoning_effort": "high",
            }),
            "gemini-2.0-flash",
        );
        assert_eq!(wire.losses.dropped, ["image", "reasoning"]);
        assert_eq!(
            wire.body.concat(),
            r#"{"contents":[{"role":"user","parts":[{"text":"What is it?"}]}]}"#
        );
    }

    #[test]
    fn structured_output() {
        insta::assert_snapshot!(golden(
            &json!({
                "messages": [{"role": "system", "content": "Only instructions."}],
                "response_format": {"type": "json_schema", "json_schema": {
                    "name": "person", "strict": true,
                    "schema": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
                }},
                "tool_choice": "required",
            }),
            "gemini-flash-latest",
        ));
    }

    #[test]
    fn thoughts_of_others_are_left_out_and_named() {
        let body = json!({
            "messages": [
                {"role": "user", "content": "a"},
                {"role": "assistant", "content": "b", "reasoning_content": "hm"},
                {"role": "user", "content": "c"},
            ],
        });
        assert_eq!(sent(&body, "gemini-3-flash").losses.dropped, ["reasoning"]);
    }

    #[test]
    fn the_operators_prompt_comes_last() {
        let request = foreign(&json!({"messages": [
            {"role": "system", "content": "a"}, {"role": "user", "content": "b"},
        ]}));
        let target = Target {
            system_prompt: Some("c"),
            ..Target::new("m")
        };
        let wire = Codec.encode_request(&request, &target).unwrap();
        assert!(
            wire.body
                .concat()
                .starts_with(br#"{"systemInstruction":{"parts":[{"text":"a"},{"text":"c"}]},"#)
        );
    }
}

mod carried {
    use super::*;

    fn carried(body: &str, target: &Target<'_>) -> String {
        let request = Dialect
            .decode_request(Incoming::of(body.to_owned()))
            .unwrap();
        let wire = Codec.encode_request(&request, target).unwrap();
        assert!(wire.form.carried);
        assert!(wire.losses.is_empty());
        String::from_utf8(wire.body.concat().to_vec()).unwrap()
    }

    #[test]
    fn the_bytes_are_the_clients() {
        let body =
            "{ \"contents\" : [ {\"parts\":[{\"text\":\"\\u0041\"}]} ], \"new_field\":1.0 } ";
        assert_eq!(carried(body, &Target::new("gemini-2.5-pro")), body);
    }

    #[test]
    fn a_model_in_the_body_is_the_upstreams() {
        let body = r#"{"model":"models/assistant","contents":[]}"#;
        let expected = body.replace("assistant", "gemini-2.5-pro");
        assert_eq!(carried(body, &Target::new("gemini-2.5-pro")), expected);
    }

    #[test]
    fn the_operators_prompt_is_appended() {
        let target = Target {
            system_prompt: Some("be \"kind\""),
            ..Target::new("m")
        };
        let ours = r#"{"text":"be \"kind\""}"#;
        for (given, expected) in [
            ("", format!(r#""systemInstruction":{{"parts":[{ours}]}},"#)),
            (
                r#""systemInstruction": {"role":"user","parts": [ {"text":"a"} ]},"#,
                format!(
                    r#""systemInstruction": {{"role":"user","parts": [ {{"text":"a"}} ,{ours}]}},"#
                ),
            ),
            (
                r#""system_instruction":{"parts":{"text":"a"}},"#,
                format!(r#""system_instruction":{{"parts":[{{"text":"a"}},{ours}]}},"#),
            ),
            (
                r#""system_instruction":{"parts":[]},"#,
                format!(r#""system_instruction":{{"parts":[{ours}]}},"#),
            ),
            (
                r#""systemInstruction":{"role":"system"},"#,
                format!(r#""systemInstruction":{{"parts":[{ours}],"role":"system"}},"#),
            ),
            (
                r#""systemInstruction":"a","#,
                format!(r#""systemInstruction":{{"parts":[{{"text":"a"}},{ours}]}},"#),
            ),
            (
                r#""systemInstruction":null,"#,
                format!(r#""systemInstruction":{{"parts":[{ours}]}},"#),
            ),
        ] {
            let body = format!(r#"{{{given}"contents":[]}}"#);
            let expected = format!(r#"{{{expected}"contents":[]}}"#);
            assert_eq!(carried(&body, &target), expected);
        }
    }

    #[test]
    fn the_path_says_model_and_streaming() {
        let mut request = own(&json!({"contents": []}));
        assert_eq!(request.model.as_deref(), Some("assistant"));
        let path = |request: &ChatRequest, model: &str| {
            let wire = Codec.encode_request(request, &Target::new(model)).unwrap();
            assert_eq!(wire.method, http::Method::POST);
            wire.path
        };
        assert_eq!(
            path(&request, "gemini-2.5-pro"),
            "/models/gemini-2.5-pro:streamGenerateContent?alt=sse"
        );
        request.stream = false;
        assert_eq!(
            path(&request, "tunedModels/mine"),
            "/tunedModels/mine:generateContent"
        );
    }
}

mod clients {
    use super::*;

    fn prompt(body: &Value) -> String {
        format!("{:#?}", own(body).prompt().unwrap())
    }

    #[test]
    fn every_parameter() {
        insta::assert_snapshot!(prompt(&json!({
            "system_instruction": {"parts": {"text": "Be brief."}},
            "contents": [{"parts": [{"text": "Hi"}]}],
            "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
            "cachedContent": "cachedContents/x", "labels": {"team": "a"}, "model": "models/x",
            "generation_config": {
                "temperature": 0.70, "top_p": 0.9, "topK": 40.0, "candidateCount": 2,
                "max_output_tokens": 100, "stopSequences": ["a"], "seed": 7,
                "presencePenalty": 0.5, "frequencyPenalty": -0.5, "responseLogprobs": true, "logprobs": 3,
                "responseMimeType": "application/json",
                "responseSchema": {"type": "OBJECT", "properties": {"a": {"type": "STRING", "nullable": true}}},
                "thinkingConfig": {"thinkingBudget": 512, "includeThoughts": true},
                "responseModalities": ["TEXT"], "speechConfig": {}, "mediaResolution": "MEDIA_RESOLUTION_LOW",
            },
            "tools": [
                {"function_declarations": [
                    {"name": "f", "description": "d", "parameters": {"type": "OBJECT"}},
                    {"name": "g", "parametersJsonSchema": {"type": "object"}, "behavior": "BLOCKING"},
                ]},
                {"google_search": {}}, {"urlContext": {}},
            ],
            "tool_config": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f", "g"]}},
        })));
    }

    #[test]
    fn a_conversation() {
        insta::assert_snapshot!(prompt(&json!({
            "contents": [
                {"role": "user", "parts": [
                    {"text": "Look:"},
                    {"inlineData": {"mimeType": "image/png", "data": "iVBO-_8", "displayName": "a.png"}},
                    {"file_data": {"file_uri": "https://example.com/a.mp4", "mime_type": "video/mp4"}, "videoMetadata": {"fps": 1}},
                    {"fileData": {"fileUri": "https://generativelanguage.googleapis.com/v1beta/files/abc", "mimeType": "application/pdf"}},
                ]},
                // As a chat keeps what came in a stream.
                {"role": "model", "parts": [{"text": "I ", "thought": true}]},
                {"role": "model", "parts": [{"text": "think.", "thought": true, "thoughtSignature": "QUJD"}]},
                {"role": "model", "parts": [{"text": "A "}]},
                {"role": "model", "parts": [{"text": "cat."}]},
                {"role": "model", "parts": [
                    {"functionCall": {"name": "f", "args": {"a": 1}}, "thought_signature": "REVG-_8="},
                    {"functionCall": {"name": "f"}},
                    {"functionCall": {"id": "own", "name": "g", "args": {}}},
                    {"executableCode": {"language": "PYTHON", "code": "1"}},
                ]},
                {"role": "user", "parts": [
                    {"functionResponse": {"name": "g", "response": {"result": [1, 2]}}},
                    {"functionResponse": {"name": "f", "response": {"error": "no"}, "scheduling": "SILENT"}},
                    {"functionResponse": {"name": "f", "response": {"a": 1, "b": 2}, "parts": [
                        {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
                    ]}},
                    {"text": "Go on."},
                ]},
            ],
        })));
    }

    /// What google-genai 3.4 for Python sends in the second turn of a chat that streamed.
    #[test]
    fn a_chat_of_the_python_sdk() {
        let body: Value =
            serde_json::from_slice(include_bytes!("golden/gemini/python_chat.json")).unwrap();
        insta::assert_snapshot!(prompt(&body));
    }

    #[test]
    fn tool_choices() {
        for (config, expected) in [
            (json!({"mode": "AUTO"}), "Some(Auto)"),
            (json!({"mode": "NONE"}), "Some(None)"),
            (json!({"mode": "ANY"}), "Some(Required)"),
            (
                json!({"mode": "any", "allowed_function_names": ["f"]}),
                "Some(Tool(\"f\"))",
            ),
            (json!({"mode": "MODE_UNSPECIFIED"}), "None"),
            (
                json!({"mode": "VALIDATED", "allowedFunctionNames": ["f"]}),
                "Some(Among { names: [\"f\"], required: false })",
            ),
        ] {
            let request =
                own(&json!({"contents": [], "toolConfig": {"functionCallingConfig": config}}));
            let choice = &request.prompt().unwrap().tool_choice;
            assert_eq!(format!("{choice:?}"), expected);
        }
    }

    #[test]
    fn wrong_parameters_are_named() {
        for (body, param) in [
            (json!({}), "contents"),
            (json!({"contents": "hi"}), "contents"),
            (
                json!({"contents": [], "generationConfig": {"candidateCount": 0}}),
                "generationConfig.candidateCount",
            ),
        ] {
            let error = Dialect
                .decode_request(Incoming::of(body.to_string()))
                .unwrap_err();
            assert_eq!(error.kind, ErrorKind::InvalidRequest);
            assert_eq!(error.param.as_deref(), Some(param), "{body}");
        }
        for (body, param) in [
            (
                json!({"contents": [{"role": "assistant"}]}),
                "contents[0].role",
            ),
            (
                json!({"contents": [{"parts": [7]}]}),
                "contents[0].parts[0]",
            ),
            (
                json!({"contents": [{"role": "model", "parts": [{"functionCall": {"args": {}}}]}]}),
                "contents[0].parts[0].functionCall.name",
            ),
            (
                json!({"contents": [], "generation_config": {"top_p": "x"}}),
                "generation_config.top_p",
            ),
            (
                json!({"contents": [], "tools": [{"functionDeclarations": [{}]}]}),
                "tools[0].functionDeclarations[0].name",
            ),
        ] {
            let error = own(&body).prompt().unwrap_err();
            assert_eq!(error.param.as_deref(), Some(param), "{body}: {error}");
        }
    }
}

mod replies {
    use super::*;

    fn text(content: &str) -> Content {
        Content::new(Block::Text, Text::from(content))
    }

    fn call(id: &str, name: &str, arguments: &str) -> Content {
        let block = Block::ToolCall {
            id: Text::from(id),
            name: Text::from(name),
            kind: ToolKind::Function,
        };
        Content::new(block, Text::from(arguments))
    }

    fn thought(content: &str, protocol: Protocol, seal: &str) -> Content {
        Content {
            seal: Some(Seal {
                protocol,
                data: Text::from(seal),
                encrypted: false,
                id: Text::default(),
            }),
            ..Content::new(Block::Reasoning, Text::from(content))
        }
    }

    /// Everything that a reply of another protocol may hold.
    fn reply() -> ChatResponse {
        let cited = Content {
            citations: vec![
                Citation {
                    url: Some(Text::from("https://example.com/zürich")),
                    title: Some(Text::from("Zürich")),
                    range: Some((0, 6)),
                    ..Citation::default()
                },
                Citation {
                    title: Some(Text::from("A document")),
                    quoted: Some(Text::from("It is so.")),
                    ..Citation::default()
                },
            ],
            ..text("Zürich is so.")
        };
        let logprob = |token: &str, logprob: &str| {
            (Text::from(token), Json::parse(Text::from(logprob)).unwrap())
        };
        let (token, first) = logprob("Zürich", "-0.50");
        ChatResponse {
            id: Text::default(),
            model: Text::from("claude"),
            created: Some(7),
            choices: vec![
                Choice {
                    index: 0,
                    blocks: vec![
                        thought("Let me see.", Protocol::Anthropic, "EqQB"),
                        cited,
                        thought("", Protocol::Gemini, "c2lnbmVk"),
                        call("call_1", "weather", r#"{"city":"Zürich"}"#),
                        call("call_2", "now", ""),
                        call("call_3", "broken", r#"{"city":"#),
                        text("Wait."),
                        Content::new(
                            Block::Media {
                                kind: MediaKind::Image,
                                media_type: Text::from("image/png"),
                            },
                            Text::from("iVBORw=="),
                        ),
                    ],
                    logprobs: vec![TokenLogprob {
                        token,
                        logprob: first,
                        top: vec![logprob("Zürich", "-0.50"), logprob("Bern", "-2")],
                    }],
                    finish: Some(FinishReason::ToolCalls),
                },
                Choice {
                    index: 1,
                    blocks: vec![Content::new(Block::Refusal, Text::from("No."))],
                    logprobs: Vec::new(),
                    finish: Some(FinishReason::Other(Text::from("pause_turn"))),
                },
            ],
            usage: Some(Usage {
                input_tokens: 100,
                cached_tokens: 80,
                cache_write_tokens: 10,
                output_tokens: 30,
                reasoning_tokens: 12,
            }),
            untold: false,
            raw: None,
        }
    }

    fn stream(request: &ChatRequest, response: &ChatResponse) -> String {
        let mut encoder = Dialect.stream_encoder(request);
        let mut out = BytesMut::new();
        for event in response.events() {
            encoder.encode(None, std::slice::from_ref(&event), &mut out);
        }
        encoder.finish(&mut out);
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn a_reply_of_another_protocol() {
        let body = Dialect.encode_response(&own(&json!({"contents": []})), &reply());
        let body: Value = serde_json::from_slice(&body.concat()).unwrap();
        insta::assert_snapshot!(serde_json::to_string_pretty(&body).unwrap());
    }

    #[test]
    fn a_stream_of_another_protocol() {
        let written = stream(&own(&json!({"contents": []})), &reply());
        insta::assert_snapshot!(written.replace("\r\n\r\n", "\n"));
    }

    #[test]
    fn interleaved_calls_are_written_whole() {
        let start = |index, name: &str| StreamEvent::BlockStarted {
            choice: 0,
            index,
            block: call(&format!("call_{index}"), name, "").block,
        };
        let delta = |index, text: &str| StreamEvent::BlockDelta {
            choice: 0,
            index,
            text: Text::from(text),
        };
        let events = [
            StreamEvent::Started {
                id: Text::from("x"),
                model: Text::from("m"),
                created: None,
            },
            start(0, "f"),
            start(1, "g"),
            delta(1, "{\"b\":"),
            delta(0, "{\"a\":"),
            delta(1, "2}"),
            delta(0, "1}"),
            StreamEvent::Finished {
                choice: 0,
                reason: FinishReason::ToolCalls,
            },
        ];
        let mut encoder = Dialect.stream_encoder(&own(&json!({"contents": []})));
        let mut out = BytesMut::new();
        encoder.encode(None, &events, &mut out);
        encoder.finish(&mut out);
        let written = String::from_utf8(out.to_vec()).unwrap();
        let first = written.split("\r\n\r\n").next().unwrap();
        let chunk: Value = serde_json::from_str(first.strip_prefix("data: ").unwrap()).unwrap();
        assert_eq!(
            chunk["candidates"][0]["content"]["parts"],
            json!([
                {"functionCall": {"id": "call_0", "name": "f", "args": {"a": 1}}},
                {"functionCall": {"id": "call_1", "name": "g", "args": {"b": 2}}},
            ])
        );
        assert_eq!(written.matches("functionCall").count(), 2);
    }

    #[test]
    fn a_stream_may_be_an_array() {
        let mut request = own(&json!({"contents": []}));
        request.variant = Variant::JsonArray;
        assert_eq!(
            Dialect.stream_content_type(&request),
            "application/json; charset=UTF-8"
        );
        let written = stream(&request, &reply());
        let chunks: Vec<Value> = serde_json::from_str(&written).unwrap();
        request.variant = Variant::Usual;
        let events = stream(&request, &reply());
        let framed: Vec<Value> = events
            .split("\r\n\r\n")
            .filter_map(|event| event.strip_prefix("data: "))
            .map(|data| serde_json::from_str(data).unwrap())
            .collect();
        assert_eq!(chunks, framed);
    }

    /// Frames, too, are put into the array, under the client's name of the model.
    #[test]
    fn a_carried_stream_may_be_an_array() {
        for case in of(Protocol::Gemini, &["request.json", "stream.sse"]) {
            let mut request = case.request();
            request.variant = Variant::JsonArray;
            let read = case.run(&request, [case.stream()]);
            if read.result.is_err() {
                continue;
            }
            let chunks: Vec<Value> = serde_json::from_slice(&read.written)
                .unwrap_or_else(|error| panic!("{}: {error}", case.name));
            let stream = String::from_utf8(case.stream().to_vec()).unwrap();
            let sent = stream.matches("data: {").count();
            assert_eq!(chunks.len(), sent, "{}", case.name);
            for chunk in chunks {
                assert_eq!(chunk["modelVersion"], "assistant", "{}", case.name);
            }
        }
    }

    #[test]
    fn an_error_ends_either_form() {
        let error = ApiError::new(ErrorKind::Overloaded, ErrorSource::Provider, "busy");
        for (variant, begun) in [
            (Variant::Usual, true),
            (Variant::JsonArray, true),
            (Variant::JsonArray, false),
        ] {
            let mut request = own(&json!({"contents": []}));
            request.variant = variant;
            let mut encoder = Dialect.stream_encoder(&request);
            let mut out = BytesMut::new();
            if begun {
                let events = reply().events();
                encoder.encode(None, &events[..4], &mut out);
            }
            encoder.encode_error(&error, &mut out);
            let written = out.clone();
            encoder.encode(None, &reply().events(), &mut out);
            encoder.encode_error(&error, &mut out);
            encoder.finish(&mut out);
            assert_eq!(out, written);
            let written = String::from_utf8(written.to_vec()).unwrap();
            let last: Value = match variant {
                Variant::JsonArray => {
                    let chunks: Vec<Value> = serde_json::from_str(&written).unwrap();
                    chunks.last().unwrap().clone()
                }
                Variant::Usual => {
                    let last = written.trim_end().rsplit("data: ").next().unwrap();
                    serde_json::from_str(last).unwrap()
                }
            };
            assert_eq!(
                last,
                json!({"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}})
            );
        }
    }

    #[test]
    fn an_empty_stream_is_still_json() {
        let mut request = own(&json!({"contents": []}));
        request.variant = Variant::JsonArray;
        let mut out = BytesMut::new();
        Dialect.stream_encoder(&request).finish(&mut out);
        assert_eq!(&out[..], b"[]");
    }

    #[test]
    fn errors_are_written_as_sdks_read_them() {
        let error = ApiError::invalid("no such thing")
            .with_param("contents[0]")
            .with_retry_after(std::time::Duration::from_millis(1_500));
        let written: Value = serde_json::from_slice(&Dialect.encode_error(&error)).unwrap();
        assert_eq!(
            written,
            json!({"error": {
                "code": 400, "message": "no such thing", "status": "INVALID_ARGUMENT",
                "details": [
                    {"@type": "type.googleapis.com/google.rpc.BadRequest",
                     "fieldViolations": [{"field": "contents[0]", "description": "no such thing"}]},
                    {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1.5s"},
                ],
            }})
        );
        let retried = Codec.decode_error(429, &HeaderMap::new(), &Dialect.encode_error(&error));
        assert_eq!(retried.retry_after, error.retry_after);
        assert_eq!(retried.param, error.param);
    }
}

fn case(name: &str) -> Case {
    let mut cases = cases::all();
    cases.retain(|case| case.name == name);
    cases.pop().unwrap()
}

fn decoded(case: &Case, request: &ChatRequest) -> ChatResponse {
    let body = case.read("response.json").unwrap();
    Codec
        .decode_response(request, &ReplyForm::default(), body)
        .unwrap()
}

#[test]
fn calls_without_ids_get_their_own() {
    let case = case("gemini/parallel_tool_calls");
    let ids = |stamp: u128| -> Vec<String> {
        let mut request = case.request();
        request.stamp.id = stamp;
        let response = decoded(&case, &request);
        let blocks = response.choices[0].blocks.iter();
        blocks
            .filter_map(|content| match &content.block {
                Block::ToolCall { id, .. } => Some(id.to_string()),
                _ => None,
            })
            .collect()
    };
    let (first, second) = (ids(1), ids(2));
    assert_eq!(first, ids(1));
    let all: std::collections::HashSet<_> = first.iter().chain(&second).collect();
    assert_eq!(all.len(), 6);
    assert!(all.iter().all(|id| id.len() <= 40), "{all:?}");
}

/// What a model thought and called comes back to it as it was, through a client of any other protocol.
#[test]
fn signatures_return_to_what_they_signed() {
    let asked = |body: &Value, dialect: &dyn ChatDialect| {
        dialect
            .decode_request(Incoming::of(body.to_string()))
            .unwrap()
    };
    // A dialect, what its client asks, and what it asks in the next turn with the reply in it.
    type Next = fn(&Value) -> Value;
    let clients: [(&dyn ChatDialect, Value, Next); 3] = [
        (
            &OpenAiChat,
            json!({"messages": [{"role": "user", "content": "a"}]}),
            |reply| {
                let message = &reply["choices"][0]["message"];
                json!({"messages": [{"role": "user", "content": "a"}, message]})
            },
        ),
        (
            &Anthropic,
            json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "a"}]}),
            |reply| {
                let message = json!({"role": "assistant", "content": reply["content"]});
                json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "a"}, message]})
            },
        ),
        (
            &OpenAiResponses,
            json!({"model": "m", "input": "a"}),
            |reply| {
                let mut input = vec![json!({"role": "user", "content": "a"})];
                input.extend_from_slice(reply["output"].as_array().unwrap());
                json!({"model": "m", "input": input, "include": ["reasoning.encrypted_content"]})
            },
        ),
    ];
    for name in ["thoughts_with_signatures", "signature_after_text"] {
        let case = case(&format!("gemini/{name}"));
        let said = case.json("response.json").unwrap();
        let said = said["candidates"][0]["content"]["parts"]
            .as_array()
            .unwrap();
        for (dialect, first, next) in &clients {
            let who = format!("{name} by {:?}", dialect.protocol());
            let request = asked(first, *dialect);
            let mut response = decoded(&case, &request);
            response.raw = None;
            let reply = dialect.encode_response(&request, &response).concat();
            let reply: Value = serde_json::from_slice(&reply).unwrap();
            let wire = Codec
                .encode_request(
                    &asked(&next(&reply), *dialect),
                    &Target::new("gemini-3-pro"),
                )
                .unwrap();
            let body: Value = serde_json::from_slice(&wire.body.concat()).unwrap();
            let back = body["contents"][1]["parts"].as_array().unwrap();
            let calls = |parts: &[Value]| -> Vec<Value> {
                let calls = parts
                    .iter()
                    .filter(|part| part.get("functionCall").is_some());
                calls
                    .map(|part| {
                        json!([
                            part["functionCall"]["name"],
                            part["functionCall"]["args"],
                            part["thoughtSignature"]
                        ])
                    })
                    .collect()
            };
            assert_eq!(calls(back), calls(said), "{who}");
            let signatures = |parts: &[Value]| -> Vec<String> {
                let signatures = parts
                    .iter()
                    .filter_map(|part| part["thoughtSignature"].as_str());
                signatures.map(str::to_owned).collect()
            };
            assert_eq!(signatures(back), signatures(said), "{who}: {back:#?}");
        }
    }
}

#[test]
fn bytes_of_sources_are_characters() {
    let case = case("gemini/grounding_counts_bytes");
    let response = decoded(&case, &case.request());
    let content = &response.choices[0].blocks[0];
    let said: Vec<_> = content.text.chars().collect();
    let cited: Vec<_> = content
        .citations
        .iter()
        .map(|citation| {
            let range = citation
                .range
                .map(|(from, to)| said[from as usize..to as usize].iter().collect::<String>());
            (citation.title.as_ref().unwrap().to_string(), range)
        })
        .collect();
    let (zurich, bern) = ("Zürich zählt 447’000 Einwohner.", "Bern ist kleiner.");
    assert_eq!(
        cited,
        [
            ("stadt-zuerich.ch".to_owned(), Some(zurich.to_owned())),
            ("stadt-zuerich.ch".to_owned(), Some(bern.to_owned())),
            ("bern.ch".to_owned(), Some(bern.to_owned())),
            ("unused.ch".to_owned(), None),
        ]
    );
}

#[test]
fn every_finish_reason_is_known() {
    for (word, expected) in [
        ("STOP", FinishReason::Stop),
        ("MAX_TOKENS", FinishReason::Length),
        ("SAFETY", FinishReason::ContentFilter),
        ("RECITATION", FinishReason::ContentFilter),
        ("LANGUAGE", FinishReason::ContentFilter),
        ("BLOCKLIST", FinishReason::ContentFilter),
        ("PROHIBITED_CONTENT", FinishReason::ContentFilter),
        ("SPII", FinishReason::ContentFilter),
        ("IMAGE_SAFETY", FinishReason::ContentFilter),
        (
            "MALFORMED_FUNCTION_CALL",
            FinishReason::Other(Text::from("MALFORMED_FUNCTION_CALL")),
        ),
        ("OTHER", FinishReason::Other(Text::from("OTHER"))),
    ] {
        let body = json!({"candidates": [{"finishReason": word}]}).to_string();
        let request = own(&json!({"contents": []}));
        let response = Codec
            .decode_response(&request, &ReplyForm::default(), Bytes::from(body))
            .unwrap();
        assert_eq!(response.choices[0].finish, Some(expected.clone()));
        let mut response = response;
        response.raw = None;
        let written = Dialect.encode_response(&request, &response).concat();
        let again = Codec
            .decode_response(&request, &ReplyForm::default(), written)
            .unwrap();
        assert_eq!(again.choices[0].finish, Some(expected));
    }
}

/// A picture of five megabytes and ten thousand chunks take time in proportion.
#[test]
fn long_replies_are_not_copied_again_and_again() {
    let request = own(&json!({"contents": []}));
    let picture = "iVBORw0K".repeat(650_000);
    let chunk = json!({"candidates": [{"content": {"parts": [
        {"inlineData": {"mimeType": "image/png", "data": picture}},
    ]}, "finishReason": "STOP"}]});
    let words = "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"word \"}],\"role\":\"model\"}}]}\r\n\r\n";
    let stream = words.repeat(10_000) + "data: " + &chunk.to_string() + "\r\n\r\n";
    let pair = Pair {
        dialect: &Dialect,
        codec: &Codec,
        stream_file: "stream.sse",
    };
    let read = cases::read(&pair, &request, [Bytes::from(stream)]);
    assert_eq!(read.result, Ok(()));
    let response = collect(&read.events);
    assert_eq!(response.choices[0].blocks[0].text.len(), 50_000);
    assert_eq!(response.choices[0].blocks[1].text, picture.as_str());
    let mut encoder = Dialect.stream_encoder(&request);
    let mut out = BytesMut::new();
    encoder.encode(None, &read.events, &mut out);
    encoder.finish(&mut out);
    assert!(out.len() > picture.len());
}

/// Bytes with a good chance of being nearly right.
fn nearly() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&'static [u8]> = vec![
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"\"",
        b"\\",
        b"null",
        b"true",
        b"7",
        b"-1.5",
        b"\"candidates\":[{",
        b"\"content\":{",
        b"\"parts\":[{",
        b"\"text\":\"a\xc3\xa4\"",
        b"\"thought\":true",
        b"\"thoughtSignature\":\"QUJD\"",
        b"\"functionCall\":{",
        b"\"name\":\"f\"",
        b"\"args\":{ }",
        b"\"inlineData\":{",
        b"\"data\":\"AA-_\"",
        b"\"index\":4294967296",
        b"\"index\":1",
        b"\"finishReason\":\"STOP\"",
        b"\"usageMetadata\":{",
        b"\"promptTokenCount\":18446744073709551615",
        b"\"thoughtsTokenCount\":9",
        b"\"groundingMetadata\":{",
        b"\"groundingChunks\":[{}]",
        b"\"groundingSupports\":[{",
        b"\"segment\":{\"startIndex\":1,\"endIndex\":2}",
        b"\"groundingChunkIndices\":[0]",
        b"\"logprobsResult\":{",
        b"\"chosenCandidates\":[{}]",
        b"\"error\":{",
        b"\"promptFeedback\":{\"blockReason\":\"SAFETY\"}",
        b"\"modelVersion\":\"m\"",
        b"\"contents\":[{",
        b"\"role\":\"model\"",
        b"\"functionResponse\":{",
        b"\"response\":{}",
        b"\"generationConfig\":{",
        b"\"systemInstruction\":",
        b"\"tools\":[{",
        b"\"functionDeclarations\":[{",
        b"\"parameters\":{",
        b"\"type\":\"OBJECT\"",
        b"\"nullable\":true",
        b"data: ",
        b"\r\n\r\n",
        b"\n\n",
        b"\xf0\x9f",
        b" ",
    ];
    let known = prop::sample::select(pieces).prop_map(<[u8]>::to_vec);
    let noise = prop::collection::vec(any::<u8>(), 0..6);
    let piece = prop_oneof![9 => known, 1 => noise];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// A reply in which pieces come in any order and often enough are right.
fn chunk() -> impl Strategy<Value = Value> {
    let part = prop_oneof![
        Just(json!({"text": "Zürich"})),
        Just(json!({"text": ""})),
        Just(json!({"text": "hm", "thought": true})),
        Just(json!({"text": "", "thought": true, "thoughtSignature": "QUJD"})),
        Just(json!({"text": "", "thoughtSignature": "REVG"})),
        Just(json!({"text": "ü", "thoughtSignature": "REVG"})),
        Just(json!({"functionCall": {"name": "f", "args": {"a": [1, "ä"]}}})),
        Just(json!({"functionCall": {"name": "f", "id": "x"}, "thoughtSignature": "REVG"})),
        Just(json!({"inlineData": {"mimeType": "image/png", "data": "AAAA"}})),
        Just(json!({"executableCode": {"code": "1"}})),
        Just(json!({})),
    ];
    let parts = prop::collection::vec(part, 0..6);
    (parts, 0..2_u32, any::<bool>()).prop_map(|(parts, index, last)| {
        let mut candidate = json!({"content": {"parts": parts, "role": "model"}, "index": index});
        if last {
            candidate["finishReason"] = "STOP".into();
        }
        json!({"candidates": [candidate], "modelVersion": "m", "responseId": "r"})
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

    #[test]
    fn requests_never_panic(body in nearly(), prompt in any::<Option<String>>()) {
        let _ = foreign(&json!({"messages": []}));
        if let Ok(request) = Dialect.decode_request(Incoming::of(body)) {
            let _ = request.prompt();
            let target = Target { system_prompt: prompt.as_deref(), ..Target::new("other") };
            let sent = Codec.encode_request(&request, &target).unwrap().body.concat();
            prop_assert!(Dialect.decode_request(Incoming::of(sent)).is_ok());
        }
    }

    #[test]
    fn replies_never_panic(body in nearly()) {
        let request = own(&json!({"contents": []}));
        let _ = Codec.decode_error(500, &HeaderMap::new(), &body);
        if let Ok(response) = Codec.decode_response(&request, &ReplyForm::default(), Bytes::from(body)) {
            prop_assert_eq!(&collect(&response.events()), &response);
            let _ = Dialect.encode_response(&request, &response);
        }
    }

    #[test]
    fn streams_never_panic(chunks in prop::collection::vec(nearly(), 0..6)) {
        let pair = Pair { dialect: &Dialect, codec: &Codec, stream_file: "stream.sse" };
        let request = own(&json!({"contents": []}));
        let _ = cases::read(&pair, &request, chunks.into_iter().map(Bytes::from));
    }

    /// What a client is told of a stream, written anew, is what was said, however it was cut into chunks.
    #[test]
    fn what_is_written_anew_is_what_was_said(chunks in prop::collection::vec(chunk(), 0..6)) {
        let mut request = own(&json!({"contents": []}));
        request.model = None;
        let mut decoder = Codec.stream_decoder(&request, &ReplyForm::default());
        let mut events = Vec::new();
        let mut framer = SseFramer::new();
        for chunk in &chunks {
            framer.push(Bytes::from(format!("data: {chunk}\n\n")));
            while let Some(mut frame) = framer.next().unwrap() {
                decoder.decode(&mut frame, &mut events).unwrap();
            }
        }
        let finished = decoder.finish(&mut events).is_ok();
        let mut encoder = Dialect.stream_encoder(&request);
        let mut out = BytesMut::new();
        for event in &events {
            encoder.encode(None, std::slice::from_ref(event), &mut out);
        }
        encoder.finish(&mut out);
        let mut again = Codec.stream_decoder(&request, &ReplyForm::default());
        let mut heard = Vec::new();
        framer.push(out.freeze());
        while let Some(mut frame) = framer.next().unwrap() {
            again.decode(&mut frame, &mut heard).unwrap();
        }
        prop_assert_eq!(again.finish(&mut heard).is_ok(), finished);
        if finished {
            let mut said = collect(&events);
            said.untold = false;
            prop_assert_eq!(collect(&heard), said);
        }
    }
}

/// <https://ai.google.dev/api/tokens>
mod tokens {
    use llm::codecs::gemini::count_tokens as upstream;
    use llm::dialects::gemini::count_tokens as client;

    use super::*;

    fn sent(body: &Value, system_prompt: Option<&str>) -> (String, Value) {
        let mut incoming = Incoming::of(body.to_string());
        incoming.model = Some("ours");
        let request = client::decode_request(incoming).unwrap();
        let target = Target {
            system_prompt,
            ..Target::new("gemini-up")
        };
        let wire = upstream::encode_request(&request, &target).unwrap();
        let body = serde_json::from_slice(&wire.body.concat()).unwrap();
        (wire.path, body)
    }

    #[test]
    fn an_upstream_is_asked_for_all_that_counts() {
        let contents = json!([{"role": "user", "parts": [{"text": "Hi"}]}]);
        let plain = json!({"contents": contents});
        let path = "/models/gemini-up:countTokens".to_owned();
        assert_eq!(sent(&plain, None), (path.clone(), plain.clone()));
        let whole = json!({"generateContentRequest": {"model": "models/ours", "contents": contents,
            "tools": [{"functionDeclarations": [{"name": "f"}]}]}});
        let mut expected = whole.clone();
        expected["generateContentRequest"]["model"] = json!("models/gemini-up");
        assert_eq!(sent(&whole, None), (path.clone(), expected));
        let expected = json!({"generateContentRequest": {"model": "models/gemini-up", "contents": contents,
            "systemInstruction": {"parts": [{"text": "Be kind."}]}}});
        assert_eq!(sent(&plain, Some("Be kind.")), (path, expected));
    }

    #[test]
    fn the_answer_is_read_and_written() {
        let reply =
            |body: &str| upstream::decode_response(&Bytes::copy_from_slice(body.as_bytes()));
        assert_eq!(
            reply(r#"{"totalTokens": 31, "promptTokensDetails": []}"#).unwrap(),
            31
        );
        assert_eq!(reply("{}").unwrap(), 0);
        assert_eq!(reply("[").unwrap_err().kind, ErrorKind::BadReply);
        let error = reply(
            r#"{"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}"#,
        );
        assert_eq!(error.unwrap_err().kind, ErrorKind::Overloaded);
        assert_eq!(&client::encode_response(31)[..], br#"{"totalTokens":31}"#);
    }

    #[test]
    fn a_request_without_contents_is_refused() {
        for body in [json!({}), json!({"generateContentRequest": {}})] {
            let error = client::decode_request(Incoming::of(body.to_string())).unwrap_err();
            assert_eq!(error.param.as_deref(), Some("contents"), "{body}");
        }
    }
}

//! The simulated provider, read by the codec that reads real ones.

mod cases;

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use llm::chat::{Block, ChatResponse, FinishReason, collect};
use llm::codecs::openai_chat::OpenAiChat as Codec;
use llm::dialects::openai_chat::OpenAiChat as Dialect;
use llm::simulated::{Fault, SimulatedReply, SimulatedSettings, Step, Unconnected, reply};
use llm::{ChatCodec, ChatDialect, ErrorKind, Incoming, ReplyForm};
use serde_json::{Value, json};

const CODEC: Codec = Codec::OPENAI;

const NOW: i64 = 1_741_569_952;
const LATE: Step = Step::Wait(SimulatedSettings::DELAY);

fn ask(request: &Value) -> SimulatedReply {
    reply(
        "/chat/completions",
        request.to_string().as_bytes(),
        &SimulatedSettings::default(),
        NOW,
    )
}

fn body(reply: &SimulatedReply) -> Bytes {
    let mut body = BytesMut::new();
    for step in &reply.steps {
        if let Step::Send(bytes) = step {
            body.extend_from_slice(bytes);
        }
    }
    body.freeze()
}

/// The answer in one and in chunks, which must be the same.
fn answer(mut request: Value) -> ChatResponse {
    let decode = |request: &Value| {
        Dialect
            .decode_request(Incoming::of(Bytes::from(request.to_string())))
            .unwrap()
    };
    let whole = CODEC
        .decode_response(
            &decode(&request),
            &ReplyForm::default(),
            body(&ask(&request)),
        )
        .unwrap();
    request["stream"] = true.into();
    request["stream_options"] = json!({"include_usage": true});
    let reply = ask(&request);
    assert_eq!(
        reply.headers["content-type"],
        "text/event-stream; charset=utf-8"
    );
    let read = cases::read(&cases::OPENAI_CHAT, &decode(&request), [body(&reply)]);
    assert_eq!(read.result, Ok(()));
    let mut streamed = collect(&read.events);
    assert_ne!(streamed.id, whole.id, "another request has another id");
    streamed.id = whole.id.clone();
    if let (Some(Block::ToolCall { .. }), 1) = (
        whole.choices[0]
            .blocks
            .first()
            .map(|content| &content.block),
        whole.choices.len(),
    ) {
        // The call's id is made from the reply's.
        streamed.choices[0].blocks[0].block = whole.choices[0].blocks[0].block.clone();
    }
    assert_eq!(streamed, whole);
    whole
}

fn text(response: &ChatResponse) -> &str {
    let content = &response.choices[0].blocks[0];
    assert_eq!(content.block, Block::Text);
    content.text.as_str()
}

fn user(text: &str) -> Value {
    json!([{"role": "user", "content": text}])
}

#[test]
fn it_says_what_it_is_and_echoes() {
    let response = answer(json!({"model": "simulated", "messages": user("What is \"up\"?")}));
    assert_eq!(
        text(&response),
        "This is a simulated reply: no model was asked. You said: What is \"up\"?"
    );
    assert_eq!(response.created, Some(NOW));
    assert_eq!(response.choices[0].finish, Some(FinishReason::Stop));
    let usage = response.usage.unwrap();
    assert_eq!(usage.output_tokens, 18);
    assert!(usage.input_tokens > 4);
}

#[test]
fn the_same_request_gets_the_same_bytes() {
    let request = json!({"messages": user("hi"), "stream": true});
    assert_eq!(body(&ask(&request)), body(&ask(&request)));
    assert!(!String::from_utf8_lossy(&body(&ask(&request))).contains("usage"));
}

#[test]
fn it_calls_the_chosen_tool_and_then_answers() {
    let tool = |name: &str| {
        json!({"type": "function", "function": {"name": name, "parameters": {
            "type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 2}}, "required": ["city"],
        }}})
    };
    let mut request = json!({"messages": user("hi"), "tools": [tool("first"), tool("second")]});
    let called = |response: &ChatResponse| {
        assert_eq!(response.choices[0].finish, Some(FinishReason::ToolCalls));
        let content = response.choices[0].blocks[0].clone();
        assert_eq!(
            serde_json::from_str::<Value>(&content.text).unwrap(),
            json!({"city": "simulated", "days": 2})
        );
        match content.block {
            Block::ToolCall { name, .. } => name.to_string(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(called(&answer(request.clone())), "first");
    request["tool_choice"] = json!({"type": "function", "function": {"name": "second"}});
    assert_eq!(called(&answer(request.clone())), "second");
    request["tool_choice"] = "none".into();
    assert!(text(&answer(request.clone())).contains("You said: hi"));
    request["tool_choice"] = "auto".into();
    request["messages"] = json!([
        {"role": "user", "content": "hi"},
        {"role": "assistant", "tool_calls": [{"id": "c", "type": "function", "function": {"name": "first", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "c", "content": "21 degrees"},
    ]);
    assert!(text(&answer(request)).ends_with("The tool answered: 21 degrees"));
}

#[test]
fn structured_output_fits_its_schema() {
    let schema =
        json!({"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]});
    let format = json!({"type": "json_schema", "json_schema": {"name": "x", "schema": schema}});
    let response = answer(json!({"messages": user("hi"), "response_format": format}));
    assert_eq!(text(&response), r#"{"ok":true}"#);
    let response =
        answer(json!({"messages": user("hi"), "response_format": {"type": "json_object"}}));
    assert_eq!(
        serde_json::from_str::<Value>(text(&response)).unwrap()["echo"],
        "hi"
    );
}

#[test]
fn images_choices_limits_and_stops_are_honoured() {
    let image = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}});
    let parts =
        json!([{"role": "user", "content": [{"type": "text", "text": "Look"}, image, image]}]);
    assert!(
        text(&answer(json!({"messages": parts}))).contains("You sent 2 images. You said: Look")
    );

    let response = answer(json!({"messages": user("hi"), "n": 3}));
    assert_eq!(response.choices.len(), 3);
    assert!(response.choices[2].blocks[0].text.contains("number 3 of 3"));

    let response = answer(json!({"messages": user("hi"), "max_tokens": 4}));
    assert_eq!(text(&response), "This is a simula");
    assert_eq!(response.choices[0].finish, Some(FinishReason::Length));
    assert_eq!(response.usage.unwrap().output_tokens, 4);

    let response = answer(json!({"messages": user("hi"), "stop": ["never", " simulated"]}));
    assert_eq!(text(&response), "This is a");
    assert_eq!(response.choices[0].finish, Some(FinishReason::Stop));
}

#[test]
fn faults_are_what_they_are_called() {
    for stream in [false, true] {
        for fault in Fault::all() {
            let request = json!({"model": format!("simulated:{}", fault.name()), "messages": user("hi"), "stream": stream});
            let reply = ask(&request);
            let by_settings = SimulatedSettings {
                fault,
                ..SimulatedSettings::default()
            };
            let plain = json!({"model": "simulated", "messages": user("hi"), "stream": stream});
            let set = self::reply(
                "/chat/completions",
                plain.to_string().as_bytes(),
                &by_settings,
                NOW,
            );
            assert_eq!(set.status, reply.status, "{fault:?}");
            assert_eq!(set.steps.len(), reply.steps.len(), "{fault:?}");

            let request = Dialect
                .decode_request(Incoming::of(Bytes::from(request.to_string())))
                .unwrap();
            let failed = |status: u16, kind: ErrorKind| {
                assert_eq!(reply.status, status, "{fault:?}");
                let error = CODEC.decode_error(reply.status, &reply.headers, &body(&reply));
                assert_eq!(error.kind, kind, "{fault:?}");
                error
            };
            let read = || {
                assert_eq!(reply.status, 200);
                if stream {
                    cases::read(&cases::OPENAI_CHAT, &request, [body(&reply)]).result
                } else {
                    CODEC
                        .decode_response(&request, &ReplyForm::default(), body(&reply))
                        .map(drop)
                }
            };
            match fault {
                Fault::None => assert_eq!(read(), Ok(())),
                Fault::RateLimit => {
                    assert_eq!(
                        failed(429, ErrorKind::RateLimited).retry_after,
                        Some(Duration::from_secs(1))
                    );
                }
                Fault::RateLimitWithoutRetryAfter => {
                    assert_eq!(failed(429, ErrorKind::RateLimited).retry_after, None);
                }
                Fault::Quota => drop(failed(429, ErrorKind::QuotaExceeded)),
                Fault::QuotaForbidden => drop(failed(403, ErrorKind::QuotaExceeded)),
                Fault::PaymentRequired => drop(failed(402, ErrorKind::QuotaExceeded)),
                Fault::RequestTimeout => drop(failed(408, ErrorKind::Timeout)),
                Fault::Forbidden => drop(failed(403, ErrorKind::PermissionDenied)),
                Fault::ModelNotFound => drop(failed(404, ErrorKind::NotFound)),
                Fault::InvalidRequest => drop(failed(400, ErrorKind::InvalidRequest)),
                Fault::ContextLength => drop(failed(400, ErrorKind::ContextLengthExceeded)),
                Fault::ContentFilter => drop(failed(400, ErrorKind::ContentFiltered)),
                Fault::ServerError => drop(failed(500, ErrorKind::UpstreamFailed)),
                Fault::Overloaded => drop(failed(503, ErrorKind::Overloaded)),
                Fault::Unauthorized => drop(failed(401, ErrorKind::Authentication)),
                Fault::Refuse => assert_eq!(reply.unconnected, Some(Unconnected::Refused)),
                Fault::BlackHole => assert_eq!(reply.unconnected, Some(Unconnected::BlackHole)),
                Fault::DnsFailure => {
                    assert_eq!(reply.unconnected, Some(Unconnected::UnknownHost));
                }
                Fault::TlsFailure => assert_eq!(reply.unconnected, Some(Unconnected::Untrusted)),
                Fault::SlowHeaders => {
                    assert_eq!(reply.before_head, [LATE]);
                    assert_eq!(read(), Ok(()));
                }
                Fault::SlowFirstToken => {
                    assert_eq!(reply.before_head, []);
                    assert_eq!(reply.steps[0], LATE);
                    assert_eq!(read(), Ok(()));
                }
                Fault::StallBeforeHead => assert_eq!(reply.before_head, [Step::Stall]),
                Fault::Stall => assert_eq!(reply.steps.last(), Some(&Step::Stall)),
                Fault::CutBeforeFirstEvent => assert_eq!(reply.steps, [Step::Cut]),
                Fault::Cut => {
                    assert_eq!(reply.steps.last(), Some(&Step::Cut));
                    assert!(reply.steps.len() > 1);
                }
                Fault::WrongContentType => {
                    assert_eq!(reply.headers["content-type"], "text/html; charset=utf-8");
                }
                Fault::Garbage => {}
                Fault::ErrorInSuccess | Fault::ErrorInStream => {
                    assert_eq!(read().unwrap_err().kind, ErrorKind::UpstreamFailed);
                }
            }
            if matches!(
                fault,
                Fault::Garbage
                    | Fault::WrongContentType
                    | Fault::Stall
                    | Fault::Cut
                    | Fault::CutBeforeFirstEvent
            ) {
                assert_eq!(read().unwrap_err().kind, ErrorKind::BadReply, "{fault:?}");
            }
        }
    }
}

#[test]
fn waits_come_where_they_are_set() {
    let settings = SimulatedSettings {
        first_token: Duration::from_millis(50),
        between_chunks: Duration::from_millis(5),
        ..SimulatedSettings::default()
    };
    let request = json!({"messages": user("hi"), "stream": true}).to_string();
    let reply = reply("/chat/completions", request.as_bytes(), &settings, NOW);
    assert_eq!(reply.before_head, [Step::Wait(settings.first_token)]);
    assert!(matches!(reply.steps[0], Step::Send(_)));
    assert_eq!(reply.steps[1], Step::Wait(settings.between_chunks));
    let sends = reply
        .steps
        .iter()
        .filter(|step| matches!(step, Step::Send(_)))
        .count();
    assert_eq!(reply.steps.len(), 2 * sends - 1);
}

#[test]
fn its_list_of_models_fails_as_its_answers_do() {
    let listed = |fault| {
        let settings = SimulatedSettings {
            fault,
            ..SimulatedSettings::default()
        };
        reply("/models", b"", &settings, NOW)
    };
    assert_eq!(listed(Fault::Unauthorized).status, 401);
    assert_eq!(listed(Fault::ServerError).status, 500);
    assert_eq!(
        listed(Fault::Refuse).unconnected,
        Some(Unconnected::Refused)
    );
    assert_eq!(listed(Fault::SlowHeaders).before_head, [LATE]);
    assert_eq!(listed(Fault::Cut).status, 200);
}

#[test]
fn what_it_does_not_have_is_not_found() {
    let reply_to = |path: &str, body: &[u8]| reply(path, body, &SimulatedSettings::default(), NOW);
    assert_eq!(reply_to("/embeddings", b"{}").status, 404);
    assert_eq!(reply_to("/chat/completions", b"{}").status, 400);
    assert_eq!(reply_to("/chat/completions", b"\xff").status, 400);
    let unknown = ask(&json!({"model": "simulated:nonsense", "messages": []}));
    assert_eq!(unknown.status, 404);
    let models: Value = serde_json::from_slice(&body(&reply_to("/models", b""))).unwrap();
    assert_eq!(models["data"][0]["id"], "simulated");
    assert!(
        models["data"]
            .as_array()
            .unwrap()
            .iter()
            .any(|model| model["id"] == "simulated:rate-limit")
    );
}

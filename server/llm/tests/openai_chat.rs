//! OpenAI Chat towards clients and upstreams of other protocols: golden files, and what its schema says.

mod cases;

use bytes::{Bytes, BytesMut};
use cases::{Case, of, with};
use http::{HeaderMap, HeaderName, HeaderValue};
use jsonschema::Validator;
use llm::chat::{ChatRequest, ChatResponse, Effort, MediaKind, Protocol, StreamEvent, collect};
use llm::codecs::openai_chat::{
    EffortField, OpenAiChat as Codec, OutputFormat, Path, Quirks, Thoughts, TokenLimit,
};
use llm::dialects::openai_chat::OpenAiChat as Dialect;
use llm::{ApiError, ChatCodec, ChatDialect, ErrorKind, ErrorSource, Incoming, Target};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Knows more than OpenAI.
const RICH: Codec = Codec::new(Quirks {
    takes: &["top_k", "min_p", "cache_control", "document_url"],
    thoughts: Thoughts::ReasoningDetails,
    shows_thoughts: true,
    effort: EffortField::Reasoning,
    efforts: &[Effort::None, Effort::Low, Effort::Medium, Effort::High],
    media: &[
        MediaKind::Image,
        MediaKind::Document,
        MediaKind::Audio,
        MediaKind::Video,
    ],
    ..Quirks::COMPATIBLE
});

/// Knows as little as an upstream can.
const POOR: Codec = Codec::new(Quirks {
    path: Path::Deployment {
        api_version: "2024-10-21",
    },
    token_limit: TokenLimit::OnlyMaxTokens,
    developer_role: false,
    stream_options: false,
    refuses: &[
        "n",
        "seed",
        "logprobs",
        "user",
        "parallel_tool_calls",
        "logit_bias",
        "messages.name",
        "messages.reasoning_content",
        "messages.reasoning_details",
    ],
    takes: &[],
    output: OutputFormat::Json,
    thoughts: Thoughts::None,
    shows_thoughts: true,
    effort: EffortField::Thinking,
    efforts: &[],
    media: &[],
    content_parts: false,
    custom_tools: false,
    allowed_tools: false,
});

static UPSTREAMS: [(&str, Codec); 4] = [
    ("openai", Codec::OPENAI),
    ("compatible", Codec::COMPATIBLE),
    ("rich", RICH),
    ("poor", POOR),
];

/// The requests and the replies that have a golden file.
const REQUESTS: [&str; 6] = [
    "openai/request_for_json",
    "openai/request_with_every_parameter",
    "openai/request_with_functions_of_old",
    "openai/request_with_media",
    "openai/request_with_tools_of_all_turns",
    "openrouter/request_with_thoughts_and_cache",
];
const REPLIES: [&str; 14] = [
    "deepseek/reasoning_content",
    "gemini_compatible/signed_call",
    "openai/audio_answer",
    "openai/custom_tool",
    "openai/interleaved_tool_calls",
    "openai/legacy_function_call",
    "openai/logprobs",
    "openai/parallel_tool_calls",
    "openai/refusal",
    "openai/two_choices",
    "openai/url_citations",
    "openrouter/image_made",
    "openrouter/signed_reasoning_before_a_call",
    "perplexity/search_results",
];

fn decode(body: impl Into<Bytes>) -> ChatRequest {
    Dialect.decode_request(Incoming::of(body.into())).unwrap()
}

/// A request as if it were in another protocol: it is built anew.
fn foreign(mut request: ChatRequest) -> ChatRequest {
    request.protocol = Protocol::Cohere;
    request
}

fn pretty(bytes: &[u8]) -> String {
    let value: Value = serde_json::from_slice(bytes).unwrap();
    serde_json::to_string_pretty(&value).unwrap()
}

fn named(names: &[&str]) -> Vec<Case> {
    let mut cases = of(Protocol::OpenAiChat, &["request.json"]);
    cases.retain(|case| names.contains(&case.name.as_str()));
    assert_eq!(cases.len(), names.len());
    cases
}

fn snapshot(name: &str, text: &str) {
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!(format!("openai_chat__{}", name.replace('/', "__")), text);
    });
}

#[test]
fn requests_are_built() {
    for case in named(&REQUESTS) {
        let request = foreign(case.request());
        let mut text = String::new();
        for (name, codec) in &UPSTREAMS {
            let target = Target {
                model: "upstream/model",
                system_prompt: Some("Operator."),
                api_version: None,
            };
            let wire = codec.encode_request(&request, &target).unwrap();
            assert!(!wire.form.carried);
            text.push_str(&format!(
                "== {name}: {}\ndropped: {}\nemulated: {}\n{}\n",
                wire.path,
                wire.losses.dropped.join(", "),
                wire.losses.emulated.join(", "),
                pretty(&wire.body.concat()),
            ));
        }
        snapshot(&case.name, &text);
    }
}

fn response(case: &Case) -> ChatResponse {
    let body = case.read("response.json").unwrap();
    let codec = case.pair.codec;
    let mut decoded = codec
        .decode_response(&case.request(), &case.form(), body)
        .unwrap_or_else(|error| panic!("{}: {error}", case.name));
    decoded.raw = None;
    decoded
}

fn streamed(request: &ChatRequest, events: &[StreamEvent]) -> Bytes {
    let mut encoder = Dialect.stream_encoder(request);
    let mut out = BytesMut::new();
    encoder.encode(None, events, &mut out);
    encoder.finish(&mut out);
    out.freeze()
}

#[test]
fn replies_are_written_anew() {
    for case in named(&REPLIES) {
        let mut request = case.request();
        request.include_usage = true;
        let response = response(&case);
        let whole = Dialect.encode_response(&request, &response).concat();
        let chunks = streamed(&request, &response.events());
        let text = format!("{}\n\n{}", pretty(&whole), String::from_utf8_lossy(&chunks));
        snapshot(&format!("{}_reply", case.name), &text);
    }
}

/// OpenAI's schemas, in the dialect of JSON schema that they are not quite written in.
struct Schemas {
    document: Value,
}

impl Schemas {
    fn read() -> Self {
        let text = include_str!("data/openai_chat.schema.json");
        let mut document: Value = serde_json::from_str(text).unwrap();
        nullable(&mut document);
        // Calls of custom tools are streamed, but the document does not know.
        let chunk = &mut document["components"]["schemas"]["ChatCompletionMessageToolCallChunk"];
        chunk["properties"]["type"]["enum"] = json!(["function", "custom"]);
        Self { document }
    }

    fn of(&self, name: &str) -> Validator {
        let mut schema = self.document.clone();
        schema["$ref"] = format!("#/components/schemas/{name}").into();
        jsonschema::validator_for(&schema).unwrap()
    }
}

/// `nullable: true` is not JSON schema's.
fn nullable(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.values_mut().for_each(nullable);
            if object.remove("nullable") == Some(true.into()) {
                let inner = Value::Object(std::mem::take(object));
                object.insert("anyOf".to_owned(), json!([inner, {"type": "null"}]));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(nullable),
        _ => {}
    }
}

fn check(validator: &Validator, document: &[u8], name: &str) {
    let value: Value = serde_json::from_slice(document).unwrap();
    let wrong: Vec<String> = validator
        .iter_errors(&value)
        .map(|error| format!("{} at {}", error, error.instance_path()))
        .collect();
    assert!(wrong.is_empty(), "{name}: {wrong:?}\n{value:#}");
}

/// Replies of every protocol in the fixtures.
#[test]
fn replies_are_what_the_schema_says() {
    let schemas = Schemas::read();
    let whole = schemas.of("CreateChatCompletionResponse");
    let chunk = schemas.of("CreateChatCompletionStreamResponse");
    let mut checked = 0;
    for case in with(&["request.json"]) {
        if case.read("failure.json").is_some() {
            continue;
        }
        let mut replies = Vec::new();
        if case.read("response.json").is_some() {
            replies.push(response(&case));
        }
        if case.read("stream").is_some() {
            replies.push(collect(&case.run(&case.request(), [case.stream()]).events));
        }
        for reply in replies {
            let mut request = case.request();
            let body = Dialect.encode_response(&request, &reply).concat();
            check(&whole, &body, &case.name);
            for include_usage in [false, true] {
                request.include_usage = include_usage;
                let stream = streamed(&request, &reply.events());
                let text = std::str::from_utf8(&stream).unwrap();
                let mut events: Vec<_> = text.split("\n\n").collect();
                assert_eq!(events.pop(), Some(""));
                assert_eq!(events.pop(), Some("data: [DONE]"));
                for event in events {
                    let data = event.strip_prefix("data: ").unwrap();
                    check(&chunk, data.as_bytes(), &case.name);
                    checked += 1;
                }
            }
        }
    }
    assert!(checked > 200, "{checked} chunks");
}

/// Requests of every protocol in the fixtures.
#[test]
fn built_requests_are_what_the_schema_says() {
    let schema = Schemas::read().of("CreateChatCompletionRequest");
    let mut checked = 0;
    for case in with(&["request.json"]) {
        let mut request = case.request();
        if request.protocol == Protocol::OpenAiChat {
            request = foreign(request);
        }
        let target = Target {
            system_prompt: Some("Operator."),
            ..Target::new("m")
        };
        match Codec::OPENAI.encode_request(&request, &target) {
            Ok(wire) => check(&schema, &wire.body.concat(), &case.name),
            Err(error) => assert_eq!(error.kind, ErrorKind::InvalidRequest, "{}", case.name),
        }
        checked += 1;
    }
    assert!(checked > 50, "{checked} requests");
}

#[test]
fn the_schema_is_not_a_check_that_cannot_fail() {
    let schemas = Schemas::read();
    let whole = schemas.of("CreateChatCompletionResponse");
    let chunk = schemas.of("CreateChatCompletionStreamResponse");
    let good = json!({"id":"x","object":"chat.completion.chunk","created":1,"model":"m","choices":[
        {"index":0,"delta":{},"logprobs":null,"finish_reason":null}],"usage":null});
    assert!(chunk.is_valid(&good));
    assert!(!whole.is_valid(&good));
    for (place, wrong) in [
        ("/created", json!("1")),
        ("/object", json!("chat.completion")),
        ("/choices/0/finish_reason", json!("pause_turn")),
        ("/choices/0/delta", json!({"tool_calls": [{}]})),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(place).unwrap() = wrong;
        assert!(!chunk.is_valid(&bad), "{place}");
    }
    let request = schemas.of("CreateChatCompletionRequest");
    assert!(!request.is_valid(&json!({"model": "m"})));
    let tool = |kind: &str| {
        json!({"model": "m", "messages": [{"role": "user", "content": "x"}],
            "tools": [{"type": kind, "function": {"name": "f"}}]})
    };
    assert!(request.is_valid(&tool("function")));
    assert!(!request.is_valid(&tool("search")));
}

#[test]
fn errors_are_what_the_schema_says() {
    let error_response = Schemas::read().of("ErrorResponse");
    for case in with(&["error.json"]) {
        let error = case.json("error.json").unwrap();
        let mut headers = HeaderMap::new();
        for (name, value) in error["headers"].as_object().into_iter().flatten() {
            let name: HeaderName = name.parse().unwrap();
            let value = HeaderValue::from_str(value.as_str().unwrap()).unwrap();
            headers.insert(name, value);
        }
        let body = match &error["body"] {
            Value::String(text) => text.clone(),
            json => json.to_string(),
        };
        let status = u16::try_from(error["status"].as_u64().unwrap()).unwrap();
        let codec = case.pair.codec;
        let read = codec.decode_error(status, &headers, body.as_bytes());
        check(&error_response, &Dialect.encode_error(&read), &case.name);
    }
    for kind in [
        ErrorKind::InvalidRequest,
        ErrorKind::Authentication,
        ErrorKind::RateLimited,
        ErrorKind::Timeout,
        ErrorKind::Internal,
    ] {
        let error = ApiError::new(kind, ErrorSource::Gateway, "what was wrong");
        check(
            &error_response,
            &Dialect.encode_error(&error),
            kind.as_str(),
        );
        let mut out = BytesMut::new();
        let mut encoder = Dialect.stream_encoder(&decode(r#"{"messages":[]}"#));
        encoder.encode_error(&error, &mut out);
        let text = std::str::from_utf8(&out).unwrap();
        let data = text.strip_prefix("data: ").unwrap();
        check(&error_response, data.as_bytes(), kind.as_str());
    }
}

/// What an upstream of the same protocol gets that does not know all of it.
#[test]
fn carried_requests_are_adapted() {
    let sent = |body: &str| {
        let target = Target::new("gpt 4/o");
        let wire = POOR
            .encode_request(&decode(body.to_owned()), &target)
            .unwrap();
        assert!(wire.form.carried);
        assert_eq!(
            wire.path,
            "/deployments/gpt%204%2Fo/chat/completions?api-version=2024-10-21"
        );
        (
            String::from_utf8(wire.body.concat().to_vec()).unwrap(),
            wire.losses,
        )
    };
    let (body, losses) = sent(concat!(
        r#"{"model":"a", "messages" : [ {"role":"developer","content":"developer"},{"content":"x","role":"user"}],"#,
        r#" "max_completion_tokens" :5,"n":1,"seed":7,"logprobs":false,"stream":true,"stream_options":{"include_usage":true},"x":1.0}"#,
    ));
    assert_eq!(
        body,
        concat!(
            r#"{"model":"gpt 4/o", "messages" : [ {"role":"system","content":"developer"},{"content":"x","role":"user"}],"#,
            r#" "max_tokens" :5,"stream":true,"x":1.0}"#,
        )
    );
    assert_eq!(losses.dropped, ["seed"]);
    assert!(losses.emulated.is_empty());

    let (body, losses) = sent(concat!(
        r#"{"model":"gpt 4/o","messages":[{"name":"a","role":"user","content":"name"}, "#,
        r#"{"role":"assistant","reasoning_content":"hm" ,"content":"y","reasoning_details":[]},{"role":"user","content":"x" }]}"#,
    ));
    assert_eq!(
        body,
        concat!(
            r#"{"model":"gpt 4/o","messages":[{"role":"user","content":"name"}, "#,
            r#"{"role":"assistant" ,"content":"y"},{"role":"user","content":"x" }]}"#,
        )
    );
    assert_eq!(losses.dropped, ["messages.name", "reasoning"]);

    let (body, losses) = sent(
        r#"{"model":"gpt 4/o","messages":[{"role":"user","content":"x"}],"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}},"max_tokens":3,"max_completion_tokens":4}"#,
    );
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["response_format"], json!({"type": "json_object"}));
    assert_eq!(body["messages"].as_array().unwrap().len(), 2);
    let told = body["messages"][0]["content"].as_str().unwrap();
    assert!(told.ends_with(r#"{"type":"object"}"#), "{told}");
    assert_eq!(body["max_tokens"], 3);
    assert_eq!(body.get("max_completion_tokens"), None);
    assert_eq!(losses.emulated, ["response_format"]);
}

#[test]
fn the_operator_chooses_the_api_version() {
    let target = Target {
        api_version: Some("2025-04-01-preview"),
        ..Target::new("m")
    };
    let request = decode(r#"{"messages":[]}"#);
    let wire = POOR.encode_request(&request, &target).unwrap();
    assert!(wire.path.ends_with("?api-version=2025-04-01-preview"));
}

/// Thoughts go to a client and come back, whoever sealed them.
#[test]
fn seals_come_back_through_a_client() {
    for name in [
        "openrouter/signed_reasoning_before_a_call",
        "gemini_compatible/signed_call",
    ] {
        let case = named(&[name]).remove(0);
        let given = response(&case);
        let body = Dialect.encode_response(&case.request(), &given).concat();
        let reply: Value = serde_json::from_slice(&body).unwrap();
        let next = json!({"model": "m", "messages": [
            {"role": "user", "content": "Hi"}, reply["choices"][0]["message"]]});
        let request = decode(next.to_string());
        let parts = &request.prompt().unwrap().messages[1].parts;
        let kept: Vec<_> = parts
            .iter()
            .filter_map(|part| match &part.content {
                llm::chat::PartContent::Reasoning { text, seal } => Some((text, seal.as_ref())),
                _ => None,
            })
            .collect();
        let said: Vec<_> = given.choices[0]
            .blocks
            .iter()
            .filter(|content| content.block == llm::chat::Block::Reasoning)
            .map(|content| (&content.text, content.seal.as_ref()))
            .collect();
        assert!(!said.is_empty());
        assert_eq!(kept, said, "{name}");
    }
}

#[test]
fn what_makes_no_sense_is_named() {
    for (body, param) in [
        (
            r#""messages":[{"role":"robot","content":"x"}]"#,
            "messages[0].role",
        ),
        (r#""messages":[{"role":"user"}]"#, "messages[0].content"),
        (
            r#""messages":[{"role":"user","content":5}]"#,
            "messages[0].content",
        ),
        (
            r#""messages":[{"role":"user","content":[{"type":"text"}]}]"#,
            "messages[0].content[0].text",
        ),
        (
            r#""messages":[{"role":"tool","content":"x"}]"#,
            "messages[0].tool_call_id",
        ),
        (
            r#""messages":[{"role":"assistant","tool_calls":[{"id":"c","function":{}}]}]"#,
            "messages[0].tool_calls[0].function.name",
        ),
        (r#""messages":[],"temperature":"hot""#, "temperature"),
        (r#""messages":[],"max_tokens":-1"#, "max_tokens"),
        (r#""messages":[],"tool_choice":"maybe""#, "tool_choice"),
        (
            r#""messages":[],"tools":[{"type":"function"}]"#,
            "tools[0].function",
        ),
        (r#""messages":[],"stop":[1]"#, "stop[0]"),
        (
            r#""messages":[],"response_format":{}"#,
            "response_format.type",
        ),
    ] {
        let request = foreign(decode(format!("{{{body}}}")));
        let error = Codec::OPENAI
            .encode_request(&request, &Target::new("m"))
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidRequest);
        assert_eq!(error.param.as_deref(), Some(param), "{body}: {error}");
    }
}

/// Any value of a request put in place of any other.
fn shuffled(mut request: Value, from: usize, to: usize) -> Value {
    fn places(value: &Value, at: String, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                for (key, value) in members {
                    places(value, format!("{at}/{key}"), found);
                }
            }
            Value::Array(items) => {
                for (index, value) in items.iter().enumerate() {
                    places(value, format!("{at}/{index}"), found);
                }
            }
            _ => {}
        }
        found.push(at);
    }
    let mut found = Vec::new();
    places(&request, String::new(), &mut found);
    let value = request.pointer(&found[from % found.len()]).unwrap().clone();
    if let Some(place) = request.pointer_mut(&found[to % found.len()]) {
        *place = value;
    }
    request
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn any_request_is_read_or_refused(swaps in prop::collection::vec(any::<(u16, u16)>(), 1..5)) {
        for case in named(&REQUESTS) {
            let mut body = case.json("request.json").unwrap();
            for (from, to) in &swaps {
                body = shuffled(body, usize::from(*from), usize::from(*to));
            }
            let Ok(request) = Dialect.decode_request(Incoming::of(body.to_string())) else { continue };
            for (_, codec) in &UPSTREAMS {
                let carried = codec.encode_request(&request, &Target::new("m")).unwrap();
                let sent: Result<Value, _> = serde_json::from_slice(&carried.body.concat());
                prop_assert!(sent.is_ok());
                if let Ok(wire) = codec.encode_request(&foreign(request.clone()), &Target::new("m")) {
                    let sent: Result<Value, _> = serde_json::from_slice(&wire.body.concat());
                    prop_assert!(sent.is_ok());
                }
            }
        }
    }
}

#[test]
fn sources_alone_are_no_reply() {
    const SOURCES: &str = r#"data: {"id":"1","model":"m","search_results":[{"title":"A","url":"https://example.com/a"}]}"#;
    const TEXT: &str = r#"data: {"id":"1","model":"m","choices":[{"index":0,"delta":{"content":"So."},"finish_reason":"stop"}]}"#;
    let read = |frames: &[&str]| {
        let request = decode(r#"{"model":"m","messages":[{"role":"user","content":"Hi"}]}"#);
        let mut framer = llm::framing::SseFramer::new();
        framer.push(Bytes::from(frames.join("\n\n") + "\n\n"));
        let mut decoder = RICH.stream_decoder(&request, &Default::default());
        let mut events = Vec::new();
        while let Some(mut frame) = framer.next().unwrap() {
            decoder.decode(&mut frame, &mut events).unwrap();
        }
        decoder.finish(&mut events).map(|()| events)
    };
    let error = read(&[SOURCES, "data: [DONE]"]).unwrap_err();
    assert_eq!(error.kind, ErrorKind::BadReply);
    let events = read(&[SOURCES, TEXT, "data: [DONE]"]).unwrap();
    assert!(
        matches!(events[0], StreamEvent::Started { .. }),
        "{events:?}"
    );
    let response = collect(&events);
    let content = &response.choices[0].blocks[0];
    assert_eq!((&*content.text, content.citations.len()), ("So.", 1));
}

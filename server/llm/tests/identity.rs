//! Which requests are the same question.

use std::hash::{DefaultHasher, Hash, Hasher};

use llm::chat::ChatRequest;
use llm::dialect::{ChatDialect, Incoming};
use llm::dialects::{
    Repeatable, anthropic::Anthropic, gemini::Gemini, openai_chat::OpenAiChat,
    openai_completions::OpenAiCompletions, openai_responses::OpenAiResponses, write_body_identity,
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const DIALECTS: [&dyn ChatDialect; 5] = [
    &OpenAiChat,
    &OpenAiCompletions,
    &OpenAiResponses,
    &Anthropic,
    &Gemini,
];

fn read(dialect: &dyn ChatDialect, body: &str) -> ChatRequest {
    dialect
        .decode_request(Incoming::of(body.to_owned()))
        .unwrap()
}

fn identity(dialect: &dyn ChatDialect, body: &str) -> (Vec<u8>, Repeatable) {
    let mut out = Vec::new();
    let request = read(dialect, body);
    request.write_head_identity(&mut out);
    let repeatable = write_body_identity(request.protocol, &request.body, &mut out, digest);
    (out, repeatable.unwrap())
}

fn mark(dialect: &dyn ChatDialect, body: &str) -> Option<u64> {
    let hash = |text: &[u8]| {
        let mut hasher = DefaultHasher::new();
        hasher.write(text);
        hasher.finish()
    };
    read(dialect, body).mark(1000, hash)
}

/// Good enough for what nobody chose so that it fails.
fn digest(bytes: &[u8]) -> [u8; 32] {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    let mut digest = [0; 32];
    digest[..8].copy_from_slice(&hasher.finish().to_le_bytes());
    digest
}

fn plain(dialect: &dyn ChatDialect, body: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    read(dialect, body)
        .write_plain_identity(&mut out)
        .then_some(out)
}

/// What each protocol needs, and a value under a key that none knows.
fn body(dialect: &dyn ChatDialect, value: Value) -> Map<String, Value> {
    let needed = match dialect.protocol().as_str() {
        "openai_completions" => json!({"prompt": "U"}),
        "openai_responses" => json!({"input": "U"}),
        "gemini" => json!({"contents": [{"parts": [{"text": "U"}]}]}),
        _ => json!({"messages": [{"role": "user", "content": "U"}]}),
    };
    let Value::Object(mut body) = needed else {
        unreachable!()
    };
    body.insert("model".to_owned(), json!("m"));
    body.insert("x-value".to_owned(), value);
    body
}

fn random(seed: &mut u64, below: usize) -> usize {
    *seed = seed
        .wrapping_mul(6364136223846793005)
        .wrapping_add(1442695040888963407);
    (*seed >> 33) as usize % below
}

/// Written with members in an order and with white space that `seed` says.
fn written(value: &Value, seed: &mut u64, out: &mut String) {
    let space = [" ", "", "\n\t", "  "];
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            for at in (1..members.len()).rev() {
                members.swap(at, random(seed, at + 1));
            }
            out.push('{');
            for (at, (key, value)) in members.into_iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                let space = space[random(seed, 4)];
                out.push_str(space);
                escaped(key, seed, out);
                out.push_str(space);
                out.push(':');
                written(value, seed, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at > 0 {
                    " , "
                } else {
                    space[random(seed, 4)]
                });
                written(item, seed, out);
            }
            out.push(']');
        }
        Value::String(text) => escaped(text, seed, out),
        other => out.push_str(&other.to_string()),
    }
}

fn escaped(text: &str, seed: &mut u64, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        let plain = character >= ' ' && character != '"' && character != '\\';
        if plain && random(seed, 4) > 0 {
            out.push(character);
        } else {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out.push('"');
}

/// A chat in which such a value is said, in one of the protocols that have marks.
fn said(dialect: &dyn ChatDialect, value: &Value) -> Value {
    let message = json!({"role": "user", "content": [{"type": "text", "text": "U"}, value]});
    let mut body = body(dialect, json!(1));
    body.insert("messages".to_owned(), json!([message]));
    Value::Object(body)
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e6..1e6_f64).prop_map(Value::from),
        // Escaped, it may be a lone surrogate as well: then it counts how it was written.
        "\\PC{0,6}".prop_map(|text| Value::from(text.replace('\u{fffd}', ""))),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("[a-d]{0,2}|ä", inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Every value that is one change away at a place that `at` says.
fn changed(value: &Value, at: &mut usize) -> Value {
    match value {
        Value::Array(items) if !items.is_empty() && !(*at).is_multiple_of(4) => {
            let place = *at % items.len();
            *at /= 4;
            let mut items = items.clone();
            items[place] = changed(&items[place], at);
            Value::Array(items)
        }
        Value::Object(members) if !members.is_empty() && !(*at).is_multiple_of(4) => {
            let place = *at % members.len();
            *at /= 4;
            let mut members = members.clone();
            let value = members.values_mut().nth(place).unwrap();
            *value = changed(value, at);
            Value::Object(members)
        }
        Value::Array(items) => {
            let mut items = items.clone();
            items.push(Value::Null);
            Value::Array(items)
        }
        Value::Object(members) => {
            let mut members = members.clone();
            members.insert("new".to_owned(), Value::Null);
            Value::Object(members)
        }
        Value::String(text) => Value::String(format!("{text}.")),
        Value::Null => Value::Bool(false),
        Value::Bool(value) => Value::Bool(!value),
        Value::Number(number) => match number.as_i64() {
            Some(number) => Value::from(number.wrapping_add(1)),
            None => Value::from(number.as_f64().unwrap() + 1.0),
        },
    }
}

proptest! {
    #[test]
    fn order_white_space_and_escapes_do_not_count(value in values(), seed: u64, which in 0..5_usize) {
        let dialect = DIALECTS[which];
        let document = Value::Object(body(dialect, value));
        let mut seed = seed;
        let mut other = String::new();
        written(&document, &mut seed, &mut other);
        prop_assert_eq!(
            identity(dialect, &document.to_string()),
            identity(dialect, &other)
        );
    }

    #[test]
    fn one_question_has_one_mark(value in values(), seed: u64, anthropic: bool) {
        let dialect: &dyn ChatDialect = if anthropic { &Anthropic } else { &OpenAiChat };
        let document = said(dialect, &value);
        let mut seed = seed;
        let mut other = String::new();
        written(&document, &mut seed, &mut other);
        let one = mark(dialect, &document.to_string());
        prop_assert!(one.is_some());
        prop_assert_eq!(one, mark(dialect, &other));
        let another = said(dialect, &json!([value, "?"]));
        prop_assert_ne!(one, mark(dialect, &another.to_string()));
    }

    #[test]
    fn any_other_value_is_another_request(value in values(), at: usize, which in 0..5_usize) {
        let dialect = DIALECTS[which];
        let mut place = at;
        let other = Value::Object(body(dialect, changed(&value, &mut place)));
        let one = Value::Object(body(dialect, value));
        prop_assert_ne!(
            identity(dialect, &one.to_string()),
            identity(dialect, &other.to_string())
        );
    }
}

#[test]
fn who_asks_and_how_it_is_sent_do_not_count() {
    for dialect in DIALECTS {
        let plain = body(dialect, json!(1));
        let mut more = plain.clone();
        more.insert("model".to_owned(), json!("another"));
        let own = match dialect.protocol().as_str() {
            "gemini" => vec![("labels", json!({"a": "b"}))],
            "anthropic" => vec![
                ("stream", json!(true)),
                ("metadata", json!({"user_id": "u"})),
            ],
            "openai_completions" => vec![
                ("stream", json!(true)),
                ("stream_options", json!({"include_usage": true})),
                ("user", json!("u")),
            ],
            _ => vec![
                ("stream", json!(true)),
                ("stream_options", json!({})),
                ("user", json!("u")),
                ("metadata", json!({"a": "b"})),
                ("safety_identifier", json!("u")),
                ("prompt_cache_key", json!("k")),
            ],
        };
        more.extend(own.into_iter().map(|(key, value)| (key.to_owned(), value)));
        let (plain, more) = (Value::Object(plain), Value::Object(more));
        assert_eq!(
            identity(dialect, &plain.to_string()).0,
            identity(dialect, &more.to_string()).0,
            "{dialect:?}"
        );
    }
}

#[test]
fn what_has_no_mark() {
    let of = |dialect: &dyn ChatDialect, key: &str, value: Value| {
        let mut body = body(dialect, json!(1));
        body.insert(key.to_owned(), value);
        mark(dialect, &Value::Object(body).to_string())
    };
    for (dialect, state) in [
        (&OpenAiChat as &dyn ChatDialect, "store"),
        (&Anthropic, "container"),
    ] {
        let usual = of(dialect, state, Value::Null);
        assert!(usual.is_some());
        // It is not asked for an answer alone.
        assert_eq!(of(dialect, state, json!("1")), None);
        assert_eq!(of(dialect, "user", json!("u")), usual);
        assert_ne!(of(dialect, "model", json!("another")), usual);
        let long = json!([{"role": "user", "content": "U".repeat(1000)}]);
        assert_eq!(of(dialect, "messages", long), None);
    }
    for dialect in [
        &OpenAiResponses as &dyn ChatDialect,
        &OpenAiCompletions,
        &Gemini,
    ] {
        assert_eq!(of(dialect, "user", json!("u")), None);
    }
}

#[test]
fn what_is_more_than_an_answer_is_not_repeated() {
    let no = |dialect: &dyn ChatDialect, key: &str, value: Value| {
        let mut asked = body(dialect, json!(1));
        asked.insert(key.to_owned(), value);
        matches!(identity(dialect, &Value::Object(asked).to_string()).1, Repeatable::No(found) if found == key)
    };
    assert!(no(&OpenAiResponses, "background", json!(true)));
    assert!(!no(&OpenAiResponses, "background", json!(false)));
    assert!(no(
        &OpenAiResponses,
        "previous_response_id",
        json!("resp_1")
    ));
    assert!(!no(&OpenAiResponses, "previous_response_id", json!(null)));
    assert!(no(
        &OpenAiResponses,
        "conversation",
        json!({"id": "conv_1"})
    ));
    assert!(no(&OpenAiChat, "store", json!(true)));
    assert!(!no(&OpenAiChat, "store", json!(false)));
    assert!(no(&Anthropic, "container", json!("c_1")));
}

#[test]
fn an_answer_that_is_kept_upstream_is_another_one() {
    let with = |store: Value| {
        let mut asked = body(&OpenAiResponses, json!(1));
        asked.insert("store".to_owned(), store);
        identity(&OpenAiResponses, &Value::Object(asked).to_string()).0
    };
    let usual = Value::Object(body(&OpenAiResponses, json!(1))).to_string();
    assert_eq!(with(json!(true)), identity(&OpenAiResponses, &usual).0);
    assert_ne!(with(json!(false)), with(json!(true)));
}

#[test]
fn protocols_say_the_same() {
    let chat = r#"{"model":"m","max_tokens":9,"temperature":0.5,"user":"u","messages":[{"role":"system","content":"S"},{"role":"user","content":"U"}]}"#;
    let anthropic = r#"{"model":"m","max_tokens":9,"temperature":0.5,"system":"S","messages":[{"role":"user","content":"U"}],"stream":true}"#;
    let gemini = r#"{"systemInstruction":{"parts":[{"text":"S"}]},"contents":[{"role":"user","parts":[{"text":"U"}]}],"generationConfig":{"maxOutputTokens":9,"temperature":0.5}}"#;
    let responses = r#"{"model":"m","max_output_tokens":9,"temperature":0.5,"instructions":"S","input":"U","store":false}"#;
    let said = plain(&OpenAiChat, chat).unwrap();
    assert_eq!(plain(&Anthropic, anthropic), Some(said.clone()));
    assert_eq!(plain(&Gemini, gemini), Some(said.clone()));
    assert_eq!(plain(&OpenAiResponses, responses), Some(said.clone()));
    // What the upstream keeps cannot come from elsewhere.
    assert_eq!(
        plain(&OpenAiResponses, &responses.replace("false", "true")),
        None
    );
    // What only one protocol knows is not compared.
    assert_eq!(
        plain(&OpenAiChat, &chat.replace("\"user\"", "\"logit_bias\"")),
        None
    );
    for other in [
        chat.replace("\"S\"", "\"T\""),
        chat.replace("0.5", "0.6"),
        chat.replace('9', "8"),
        chat.replace("\"max_tokens\"", "\"seed\""),
    ] {
        assert_ne!(plain(&OpenAiChat, &other), Some(said.clone()), "{other}");
    }
}

/// A question in each protocol, in the words that clients use.
fn usual() -> [(&'static dyn ChatDialect, Value); 4] {
    let chat = json!({
        "model": "m", "stream": true, "stream_options": {"include_usage": true},
        "messages": [
            {"role": "developer", "content": "S"},
            {"role": "user", "name": "n", "content": [
                {"type": "text", "text": "U"},
                {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}},
            ]},
            {"role": "assistant", "content": null, "refusal": null, "annotations": [], "tool_calls": [
                {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}},
            ]},
            {"role": "tool", "tool_call_id": "c", "content": "R"},
        ],
        "tools": [{"type": "function", "function": {
            "name": "f", "description": "F", "strict": true,
            "parameters": {"type": "object", "properties": {"x": {"pattern": "a"}}},
        }}],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "response_format": {"type": "json_schema", "json_schema": {
            "name": "s", "strict": true, "schema": {"type": "object"},
        }},
    });
    let anthropic = json!({
        "model": "m", "max_tokens": 9, "system": [{"type": "text", "text": "S", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": [
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
                {"type": "text", "text": "U", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
            ]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "T", "signature": "s"},
                {"type": "tool_use", "id": "c", "name": "f", "input": {"anything": {"at": "all"}}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "c", "content": [{"type": "text", "text": "R"}], "is_error": false},
            ]},
        ],
        "tools": [{"name": "f", "description": "F", "input_schema": {"type": "object"}}],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": true},
        "thinking": {"type": "enabled", "budget_tokens": 1024},
    });
    let gemini = json!({
        "contents": [
            {"role": "user", "parts": [{"text": "U"}, {"inline_data": {"mime_type": "image/png", "data": "AAAA"}}]},
            {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"anything": 1}}, "thoughtSignature": "s"}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"anything": 1}}}]},
        ],
        "tools": [{"functionDeclarations": [{"name": "f", "description": "F", "parameters": {"type": "OBJECT"}}]}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
    });
    let responses = json!({
        "model": "m", "store": false, "include": [],
        "input": [
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "U"}]},
            {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [
                {"type": "output_text", "text": "A", "annotations": []},
            ]},
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": "R"},
        ],
        "tools": [{"type": "function", "name": "f", "strict": true, "parameters": {"type": "object"}}],
        "tool_choice": {"type": "function", "name": "f"},
        "text": {"format": {"type": "json_schema", "name": "s", "schema": {"type": "object"}, "strict": true}},
    });
    [
        (&OpenAiChat, chat),
        (&Anthropic, anthropic),
        (&Gemini, gemini),
        (&OpenAiResponses, responses),
    ]
}

#[test]
fn usual_questions_are_plain() {
    for (dialect, body) in usual() {
        assert!(plain(dialect, &body.to_string()).is_some(), "{dialect:?}");
    }
}

/// Appends the places of all values that are no objects or arrays.
fn leaves(value: &Value, at: &str, out: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                leaves(item, &format!("{at}/{index}"), out);
            }
        }
        Value::Object(members) => {
            for (key, item) in members {
                leaves(item, &format!("{at}/{key}"), out);
            }
        }
        _ => out.push(at.to_owned()),
    }
}

/// Whatever stands anywhere in a question, another value there is another question.
#[test]
fn whatever_is_said_plainly_counts() {
    let aside = [
        "/model",
        "/stream",
        "/stream_options/include_usage",
        "/store",
        // What items were called when they were told.
        "/input/1/id",
        "/input/1/status",
        // A call of a function, whatever it is called.
        "/messages/2/tool_calls/0/type",
    ];
    let mut unheard = Vec::new();
    for (dialect, body) in usual() {
        let said = plain(dialect, &body.to_string());
        let mut places = Vec::new();
        leaves(&body, "", &mut places);
        for place in places {
            if aside.contains(&&*place) || place.contains("/cache_control/") {
                continue;
            }
            let mut other = body.clone();
            let value = other.pointer_mut(&place).unwrap();
            *value = match &*value {
                Value::String(text) => json!(format!("{text}1")),
                Value::Bool(value) => json!(!value),
                Value::Number(number) => json!(number.as_i64().unwrap() + 1),
                _ => continue,
            };
            let mut out = Vec::new();
            let Ok(request) = dialect.decode_request(Incoming::of(other.to_string())) else {
                continue;
            };
            let again = request.write_plain_identity(&mut out).then_some(out);
            if again == said {
                unheard.push(format!("{dialect:?} {place}"));
            }
        }
    }
    assert_eq!(unheard, [""; 0]);
}

/// A word that the prompt has no place for, wherever it stands.
#[test]
fn words_of_one_protocol_are_not_compared() {
    let [(_, chat), (_, anthropic), (_, gemini), (_, responses)] = &usual();
    for (dialect, body, at, word) in [
        (
            &OpenAiChat as &dyn ChatDialect,
            chat,
            "/messages/0",
            "prefix",
        ),
        (&OpenAiChat, chat, "/messages/1/content/0", "cache"),
        (&OpenAiChat, chat, "/messages/2/tool_calls/0", "index"),
        (&OpenAiChat, chat, "/tools/0/function", "examples"),
        (&OpenAiChat, chat, "/response_format", "grammar"),
        (&Anthropic, anthropic, "/messages/0/content/0", "citations"),
        (
            &Anthropic,
            anthropic,
            "/messages/2/content/0/content/0",
            "context",
        ),
        (&Anthropic, anthropic, "/tools/0", "defer_loading"),
        (&Anthropic, anthropic, "/thinking", "display"),
        (&Gemini, gemini, "/contents/0/parts/1", "videoMetadata"),
        (&Gemini, gemini, "/tools/0", "codeExecution"),
        (
            &Gemini,
            gemini,
            "/tools/0/functionDeclarations/0",
            "behavior",
        ),
        (&OpenAiResponses, responses, "/input/0", "phase"),
        (&OpenAiResponses, responses, "/tools/0", "defer_loading"),
        (
            &OpenAiResponses,
            responses,
            "/text",
            "verbosity_of_another_kind",
        ),
    ] {
        let mut body = body.clone();
        body.pointer_mut(at).unwrap()[word] = json!({"a": 1});
        let found = plain(dialect, &body.to_string());
        assert_eq!(found, None, "{dialect:?} {at} {word}");
        body.pointer_mut(at).unwrap()[word] = json!(null);
        let found = plain(dialect, &body.to_string());
        assert!(found.is_some(), "{dialect:?} {at} {word}");
    }
    // Of a function that says nothing of it, only Responses take it that it is strict.
    let mut unsaid = responses.clone();
    for strict in [Some(json!(null)), None] {
        let tool = unsaid["tools"][0].as_object_mut().unwrap();
        match strict {
            Some(strict) => tool["strict"] = strict,
            None => _ = tool.remove("strict"),
        }
        assert_eq!(plain(&OpenAiResponses, &unsaid.to_string()), None);
    }
    let mut thinking = gemini.clone();
    for (config, name, budget) in [
        ("thinkingConfig", "thinkingBudget", -1),
        ("thinking_config", "thinking_budget", -1),
        ("thinkingConfig", "thinkingBudget", 1024),
    ] {
        thinking["generationConfig"] = json!({config: {name: budget}});
        let found = plain(&Gemini, &thinking.to_string());
        assert_eq!(found.is_some(), budget > 0, "{thinking}");
    }
    let mut sealed = responses.clone();
    sealed["include"] = json!(["reasoning.encrypted_content"]);
    assert_eq!(plain(&OpenAiResponses, &sealed.to_string()), None);
}

#[test]
fn headers_of_one_protocol_are_not_compared() {
    let body = r#"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"U"}]}"#;
    let with = |name: &'static str, value: &'static str| {
        let mut headers = http::HeaderMap::new();
        headers.insert(name, http::HeaderValue::from_static(value));
        let incoming = Incoming {
            headers: &headers,
            ..Incoming::of(body.to_owned())
        };
        let request = Anthropic.decode_request(incoming).unwrap();
        request.write_plain_identity(&mut Vec::new())
    };
    assert!(with("anthropic-version", "2023-06-01"));
    assert!(!with("anthropic-version", "2023-01-01"));
    assert!(!with("anthropic-beta", "context-1m-2025-08-07"));
}

#[test]
fn what_a_reply_says_again_is_told() {
    let beside = |body: &str| match identity(&OpenAiResponses, body).1 {
        Repeatable::Yes(beside) => beside,
        Repeatable::No(why) => panic!("{why}"),
    };
    let none = beside(r#"{"input":"U"}"#);
    assert_eq!((none.echoed, none.kept), (0, true));
    let one = beside(r#"{"input":"U","user":"u","metadata":{"a":"b"},"store":false}"#);
    assert_ne!(one.echoed, 0);
    assert!(!one.kept);
    let same = beside(r#"{"metadata":{"a":"b"},"input":"U","user":"u"}"#);
    assert_eq!(same.echoed, one.echoed);
    let other = beside(r#"{"input":"U","user":"v","metadata":{"a":"b"}}"#);
    assert_ne!(other.echoed, one.echoed);
}

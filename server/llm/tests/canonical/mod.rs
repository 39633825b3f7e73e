//! Requests that together say all that a prompt can say, for golden files of what codecs make of them.

use llm::chat::ChatRequest;
use llm::dialects::{anthropic::Anthropic, openai_chat::OpenAiChat};
use llm::{ChatCodec, ChatDialect, Incoming, Target};
use serde_json::{Value, json};

/// What a codec sends for a request, and what it leaves out.
pub fn golden(codec: &dyn ChatCodec, request: &ChatRequest, target: &Target<'_>) -> String {
    let wire = codec.encode_request(request, target).unwrap();
    // Parsed and written again for its lines; the members' order is that of their names.
    let body: Value = serde_json::from_slice(&wire.body.concat()).unwrap();
    let sent = json!({
        "path": wire.path,
        "body": body,
        "dropped": wire.losses.dropped,
        "emulated": wire.losses.emulated,
    });
    serde_json::to_string_pretty(&sent).unwrap()
}

pub fn openai(body: &Value) -> ChatRequest {
    OpenAiChat
        .decode_request(Incoming::of(body.to_string()))
        .unwrap()
}

pub fn anthropic(body: &Value) -> ChatRequest {
    Anthropic
        .decode_request(Incoming::of(body.to_string()))
        .unwrap()
}

pub fn every_parameter() -> Value {
    json!({
        "model": "m",
        "messages": [
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": "Hi", "name": "ann"},
        ],
        "stream": true, "stream_options": {"include_usage": true},
        "temperature": 2, "top_p": 1.0, "top_k": 40, "min_p": 0.05, "seed": 7, "n": 2,
        "max_completion_tokens": 100, "stop": ["a", "b"], "presence_penalty": 0.5, "frequency_penalty": -0.5,
        "logprobs": true, "top_logprobs": 3, "logit_bias": {"50256": -100}, "user": "u1", "store": true,
        "metadata": {"team": "a"}, "reasoning_effort": "low", "web_search_options": {"search_context_size": "low"}, "verbosity": "low",
        "keep_alive": "10m", "options": {"num_ctx": 8192, "seed": 1}, "safety_mode": "STRICT",
    })
}

pub fn tools_and_their_results() -> Value {
    json!({
        "messages": [
            {"role": "system", "content": "One."},
            {"role": "user", "content": "Weather in Paris and Rome?"},
            {"role": "assistant", "content": "Let me see.", "reasoning_content": "Both.", "tool_calls": [
                {"id": "call_a", "type": "function", "function": {"name": "weather", "arguments": "{\"city\":\"Paris\"}"}},
                {"id": "call_b", "type": "function", "function": {"name": "now", "arguments": ""}},
                {"id": "call_c", "type": "custom", "custom": {"name": "shell", "input": "ls \"x\""}},
                {"id": "call_d", "type": "function", "function": {"name": "weather", "arguments": "{\"city\":"}},
            ]},
            {"role": "tool", "tool_call_id": "call_a", "content": "12 °C"},
            {"role": "tool", "tool_call_id": "call_b", "content": [{"type": "text", "text": "9"}, {"type": "text", "text": "am"}]},
            {"role": "tool", "tool_call_id": "call_c", "content": ""},
            {"role": "assistant", "content": null, "refusal": "I cannot."},
            {"role": "assistant", "content": ""},
            {"role": "system", "content": "Late."},
            {"role": "user", "content": "Go on."},
        ],
        "tools": [
            {"type": "function", "function": {"name": "weather", "description": "d", "strict": true,
                "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}},
            {"type": "function", "function": {"name": "now"}},
            {"type": "custom", "custom": {"name": "shell"}},
        ],
        "tool_choice": "required", "parallel_tool_calls": false,
    })
}

pub fn content_of_every_kind() -> Value {
    json!({
        "messages": [{"role": "user", "content": [
            {"type": "text", "text": "What are these?", "cache_control": {"type": "ephemeral"}},
            {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}},
            {"type": "image_url", "image_url": {"url": "data:image/webp;base64,AAAA"}},
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,BBBB"}},
            {"type": "file", "file": {"file_id": "file-1"}},
            {"type": "input_audio", "input_audio": {"data": "CCCC", "format": "mp3"}},
            {"type": "text", "text": "Say."},
        ]}],
        "response_format": {"type": "json_schema", "json_schema": {
            "name": "things", "strict": true, "schema": {"type": "object", "x": 1.0}}},
    })
}

/// Of Anthropic's protocol: signed and hidden thoughts, a failed tool, an image in a result, a document.
pub fn thoughts_and_failures() -> Value {
    json!({
        "model": "m", "max_tokens": 500, "system": [{"type": "text", "text": "Be brief."}],
        "thinking": {"type": "enabled", "budget_tokens": 2000},
        "messages": [
            {"role": "user", "content": [
                {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "A tale."}, "title": "T"},
                {"type": "text", "text": "Look."},
            ]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "I should look.", "signature": "c2lnbmVk"},
                {"type": "redacted_thinking", "data": "aGlkZGVu"},
                {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"at": [1.50, 2]}},
                {"type": "tool_use", "id": "toolu_2", "name": "look", "input": {}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "is_error": true, "content": "No such place."},
                {"type": "tool_result", "tool_use_id": "toolu_2", "content": [
                    {"type": "text", "text": "Seen:"},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "DDDD"}},
                ]},
                {"type": "text", "text": "And?"},
            ]},
            {"role": "assistant", "content": [{"type": "thinking", "thinking": "Done.", "signature": "c2ln"}, {"type": "text", "text": "Seen."}]},
            {"role": "user", "content": "Thanks."},
        ],
        "tools": [{"name": "look", "description": "Looks", "input_schema": {"type": "object"}}],
        "tool_choice": {"type": "tool", "name": "look", "disable_parallel_tool_use": true},
    })
}

/// What `tool_choice` makes of two tools: the member sent, how many tools, what is dropped and emulated.
pub fn tool_choice(
    codec: &dyn ChatCodec,
    choice: Value,
) -> (Value, usize, Vec<String>, Vec<String>) {
    let tool = |name: &str| json!({"type": "function", "function": {"name": name}});
    let body = json!({
        "messages": [{"role": "user", "content": "x"}],
        "tools": [tool("a"), tool("b")],
        "tool_choice": choice,
    });
    let wire = codec
        .encode_request(&openai(&body), &Target::new("m"))
        .unwrap();
    let sent: Value = serde_json::from_slice(&wire.body.concat()).unwrap();
    let tools = sent["tools"].as_array().map_or(0, Vec::len);
    let words = |list: Vec<std::borrow::Cow<'static, str>>| {
        list.into_iter().map(Into::into).collect::<Vec<String>>()
    };
    (
        sent["tool_choice"].clone(),
        tools,
        words(wire.losses.dropped),
        words(wire.losses.emulated),
    )
}

/// Choices of every form: `auto`, `none`, `required`, one, and some of the tools, which may or must be called.
pub fn choices() -> [Value; 6] {
    let among = |mode: &str| {
        json!({"type": "allowed_tools", "allowed_tools": {"mode": mode,
            "tools": [{"type": "function", "function": {"name": "b"}}]}})
    };
    [
        json!("auto"),
        json!("none"),
        json!("required"),
        json!({"type": "function", "function": {"name": "b"}}),
        among("auto"),
        among("required"),
    ]
}

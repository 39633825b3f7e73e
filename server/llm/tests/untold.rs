//! What replies say that only the upstream's own bytes tell, wherever it stands, and what they say beside the answer.

#![recursion_limit = "256"]

use bytes::Bytes;
use llm::chat::{Protocol, StreamEvent};
use llm::dialect::{ChatDialect, Incoming};
use llm::dialects::{
    anthropic::Anthropic, gemini::Gemini, openai_chat::OpenAiChat,
    openai_responses::OpenAiResponses,
};
use llm::{Framer, ReplyForm, SseFramer, codecs};
use serde_json::{Value, json};

const CARRIED: ReplyForm = ReplyForm {
    carried: true,
    answer_tool: None,
};

fn request(protocol: Protocol) -> llm::chat::ChatRequest {
    let (dialect, body): (&dyn ChatDialect, _) = match protocol {
        Protocol::OpenAiChat => (&OpenAiChat, json!({"model": "m", "messages": []})),
        Protocol::OpenAiResponses => (&OpenAiResponses, json!({"model": "m", "input": "U"})),
        Protocol::Anthropic => (
            &Anthropic,
            json!({"model": "m", "max_tokens": 9, "messages": []}),
        ),
        _ => (&Gemini, json!({"contents": []})),
    };
    dialect
        .decode_request(Incoming::of(body.to_string()))
        .unwrap()
}

fn whole(protocol: Protocol, body: &Value) -> bool {
    let codec = codecs::find(protocol).unwrap();
    let body = Bytes::from(body.to_string());
    codec
        .decode_response(&request(protocol), &CARRIED, body)
        .unwrap()
        .untold
}

/// The same in a stream.
fn streamed(protocol: Protocol, reply: &Value) -> bool {
    let request = request(protocol);
    let codec = codecs::find(protocol).unwrap();
    let mut decoder = codec.stream_decoder(&request, &CARRIED);
    let mut framer = Framer::Sse(SseFramer::new());
    for event in events(protocol, reply) {
        framer.push(Bytes::from(format!("data: {event}\n\n")));
    }
    let mut events = Vec::new();
    while let Some(mut frame) = framer.next().unwrap() {
        decoder.decode(&mut frame, &mut events).unwrap();
    }
    decoder.finish(&mut events).unwrap();
    events.contains(&StreamEvent::Untold)
}

fn events(protocol: Protocol, reply: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    let mut rest = reply.clone();
    match protocol {
        Protocol::OpenAiChat => {
            let choice = rest["choices"][0].as_object_mut().unwrap();
            let message = choice.remove("message").unwrap();
            choice.insert("delta".to_owned(), message);
            all.push(rest);
        }
        Protocol::OpenAiResponses => {
            for (index, item) in reply["output"].as_array().unwrap().iter().enumerate() {
                all.push(json!({"type": "response.output_item.done", "output_index": index, "item": item}));
            }
            all.push(json!({"type": "response.completed", "response": reply}));
        }
        Protocol::Anthropic => {
            let mut delta = json!({});
            for key in ["stop_reason", "stop_sequence", "stop_details", "container"] {
                if let Some(value) = rest.as_object_mut().unwrap().remove(key) {
                    delta[key] = value;
                }
            }
            let blocks = rest["content"].take();
            let context = rest["context_management"].take();
            all.push(json!({"type": "message_start", "message": rest}));
            for (index, block) in blocks.as_array().unwrap().iter().enumerate() {
                all.push(
                    json!({"type": "content_block_start", "index": index, "content_block": block}),
                );
                all.push(json!({"type": "content_block_stop", "index": index}));
            }
            all.push(json!({
                "type": "message_delta", "delta": delta, "usage": {"output_tokens": 1}, "context_management": context,
            }));
            all.push(json!({"type": "message_stop"}));
        }
        _ => all.push(rest),
    }
    all
}

/// Replies as they are usually given, with what servers say beside the answer.
fn usual() -> [(Protocol, Value); 4] {
    let chat = json!({
        "id": "c", "object": "chat.completion", "created": 1, "model": "m", "system_fingerprint": "fp",
        "service_tier": "default", "provider": "P", "x_groq": {"id": "r"}, "timings": {"predicted_n": 1},
        "prompt_filter_results": [{"prompt_index": 0}], "stats": {"tokens_per_second": 1.5},
        "prompt_logprobs": null, "kv_transfer_params": null, "citations": [],
        "choices": [{
            "index": 0, "finish_reason": "tool_calls", "native_finish_reason": "tool_use", "logprobs": null,
            "content_filter_results": {"hate": {"filtered": false}}, "stop_reason": null, "token_ids": null,
            "message": {
                "role": "assistant", "content": "A", "refusal": null, "annotations": [], "audio": null,
                "reasoning": "T", "reasoning_content": "T",
                "reasoning_details": [{"type": "reasoning.text", "text": "T", "signature": "s", "format": "f", "index": 0}],
                "images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}, "index": 0}],
                "tool_calls": [{
                    "index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"},
                    "extra_content": {"google": {"thought_signature": "s"}},
                }],
            },
        }],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2, "prompt_time": 0.1},
    });
    let responses = json!({
        "id": "resp_1", "object": "response", "created_at": 1, "model": "m", "status": "completed", "store": false,
        "output": [
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "T"}], "encrypted_content": "e"},
            {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [
                {"type": "output_text", "text": "A", "annotations": [], "logprobs": []},
            ]},
            {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}", "status": "completed"},
        ],
        "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2},
    });
    let anthropic = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "m",
        "content": [
            {"type": "thinking", "thinking": "T", "signature": "s"},
            {"type": "text", "text": "A", "citations": null},
            {"type": "tool_use", "id": "c", "name": "f", "input": {}, "caller": {"type": "direct"}},
        ],
        "stop_reason": "tool_use", "stop_sequence": null, "stop_details": null, "container": null,
        "context_management": {"applied_edits": []},
        "usage": {"input_tokens": 1, "output_tokens": 1, "service_tier": "standard", "inference_geo": "g"},
    });
    let gemini = json!({
        "candidates": [{
            "index": 0, "finishReason": "STOP", "finishMessage": "Model generated function call(s).",
            "avgLogprobs": -0.5, "tokenCount": 2, "safetyRatings": [{"category": "C", "probability": "LOW"}],
            "content": {"role": "model", "parts": [
                {"text": "A"},
                {"functionCall": {"id": "c", "name": "f", "args": {}}, "thoughtSignature": "s"},
            ]},
        }],
        "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1, "trafficType": "ON_DEMAND"},
        "modelVersion": "m", "responseId": "r", "createTime": "2026-01-01T00:00:00Z",
    });
    [
        (Protocol::OpenAiChat, chat),
        (Protocol::OpenAiResponses, responses),
        (Protocol::Anthropic, anthropic),
        (Protocol::Gemini, gemini),
    ]
}

#[test]
fn usual_replies_can_be_told_anew() {
    for (protocol, reply) in usual() {
        assert!(!whole(protocol, &reply), "{protocol:?}");
        assert!(!streamed(protocol, &reply), "{protocol:?}");
    }
}

/// A member, or a value of one, that nothing can be made of.
#[test]
fn whatever_is_passed_over_is_noticed() {
    let [(_, chat), (_, responses), (_, anthropic), (_, gemini)] = usual();
    let (message, call) = ("/choices/0/message", "/choices/0/message/tool_calls/0");
    let details = json!([{"type": "reasoning.graph", "text": "T"}]);
    for (protocol, reply, at, name, value) in [
        (
            Protocol::OpenAiChat,
            &chat,
            "",
            "related_questions",
            json!(["Q"]),
        ),
        (
            Protocol::OpenAiChat,
            &chat,
            "",
            "images",
            json!([{"image_url": "u"}]),
        ),
        (
            Protocol::OpenAiChat,
            &chat,
            "/choices/0",
            "stop_reason",
            json!("END"),
        ),
        (
            Protocol::OpenAiChat,
            &chat,
            "/choices/0",
            "token_ids",
            json!([1, 2]),
        ),
        (
            Protocol::OpenAiChat,
            &chat,
            message,
            "reasoning",
            json!("another"),
        ),
        (
            Protocol::OpenAiChat,
            &chat,
            message,
            "reasoning_details",
            details,
        ),
        (
            Protocol::OpenAiChat,
            &chat,
            message,
            "images",
            json!([{"b64_json": "AAAA"}]),
        ),
        (
            Protocol::OpenAiChat,
            &chat,
            message,
            "content",
            json!([{"type": "chart", "data": [1]}]),
        ),
        (
            Protocol::OpenAiChat,
            &chat,
            message,
            "content",
            json!([{"type": "text", "text": "A", "style": "bold"}]),
        ),
        (
            Protocol::OpenAiChat,
            &chat,
            message,
            "content",
            json!(["A"]),
        ),
        (
            Protocol::OpenAiChat,
            &chat,
            call,
            "type",
            json!("web_search"),
        ),
        (Protocol::OpenAiChat, &chat, call, "status", json!("done")),
        (
            Protocol::OpenAiChat,
            &chat,
            call,
            "extra_content",
            json!({"vendor": {"x": 1}}),
        ),
        (
            Protocol::OpenAiChat,
            &chat,
            &format!("{call}/function"),
            "namespace",
            json!("n"),
        ),
        (
            Protocol::OpenAiResponses,
            &responses,
            "/output/1",
            "phase",
            json!("final_answer"),
        ),
        (
            Protocol::OpenAiResponses,
            &responses,
            "/output/1/content/0",
            "style",
            json!("bold"),
        ),
        (
            Protocol::OpenAiResponses,
            &responses,
            "/output/2",
            "namespace",
            json!("n"),
        ),
        (
            Protocol::OpenAiResponses,
            &responses,
            "/output/0",
            "effort",
            json!("high"),
        ),
        (
            Protocol::OpenAiResponses,
            &responses,
            "/output/0/summary/0",
            "title",
            json!("t"),
        ),
        (
            Protocol::OpenAiResponses,
            &responses,
            "/output/0",
            "content",
            json!([{"type": "reasoning_text", "text": "t"}]),
        ),
        (
            Protocol::Anthropic,
            &anthropic,
            "",
            "container",
            json!({"id": "c"}),
        ),
        (
            Protocol::Anthropic,
            &anthropic,
            "",
            "stop_details",
            json!({"type": "refusal"}),
        ),
        (
            Protocol::Anthropic,
            &anthropic,
            "",
            "context_management",
            json!({"applied_edits": [{"type": "clear"}]}),
        ),
        (
            Protocol::Anthropic,
            &anthropic,
            "",
            "diagnostics",
            json!({"x": 1}),
        ),
        (
            Protocol::Anthropic,
            &anthropic,
            "/content/0",
            "title",
            json!("t"),
        ),
        (
            Protocol::Anthropic,
            &anthropic,
            "/content/1",
            "style",
            json!("bold"),
        ),
        (
            Protocol::Anthropic,
            &anthropic,
            "/content/2",
            "caller",
            json!({"type": "code_execution", "tool_id": "t"}),
        ),
        (
            Protocol::Anthropic,
            &anthropic,
            "/content/2",
            "namespace",
            json!("n"),
        ),
        (
            Protocol::Gemini,
            &gemini,
            "",
            "groundingAttributions",
            json!([{"x": 1}]),
        ),
        (
            Protocol::Gemini,
            &gemini,
            "/candidates/0",
            "groundingAttributions",
            json!([{"x": 1}]),
        ),
        (
            Protocol::Gemini,
            &gemini,
            "/candidates/0/content/parts/1/functionCall",
            "namespace",
            json!("n"),
        ),
    ] {
        let mut reply = reply.clone();
        reply.pointer_mut(at).unwrap()[name] = value;
        assert!(whole(protocol, &reply), "{protocol:?} {at} {name}");
        assert!(
            streamed(protocol, &reply),
            "{protocol:?} {at} {name} in a stream"
        );
    }
}

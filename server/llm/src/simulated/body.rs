//! The simulated provider's bytes.

use bytes::{Bytes, BytesMut};
use serde_json::{Value, json};

use super::answer::{Answer, Content};
use super::request::Request;

/// What each body begins with.
pub(super) struct Head<'a> {
    pub id: String,
    pub created: i64,
    pub model: &'a str,
}

impl Head<'_> {
    fn object(&self, object: &str, choices: Value) -> Value {
        json!({
            "id": self.id,
            "object": object,
            "created": self.created,
            "model": self.model,
            "service_tier": "default",
            "system_fingerprint": "simulated",
            "choices": choices,
        })
    }
}

/// A reply in one.
pub(super) fn whole(request: &Request, head: &Head<'_>, answers: &[Answer]) -> Bytes {
    let choice = |(index, answer): (usize, &Answer)| {
        let mut message = json!({"role": "assistant", "content": null, "refusal": null});
        match &answer.content {
            Content::Text(text) => message["content"] = text.as_str().into(),
            call @ Content::Call { .. } => {
                message["tool_calls"] = json!([tool_call(head, index, call)]);
            }
        }
        json!({"index": index, "message": message, "logprobs": null, "finish_reason": answer.finish})
    };
    let choices = answers.iter().enumerate().map(choice).collect();
    let mut body = head.object("chat.completion", choices);
    body["usage"] = usage(request, answers);
    Bytes::from(body.to_string())
}

/// A reply as events, each in a slice of its own.
pub(super) fn chunks(request: &Request, head: &Head<'_>, answers: &[Answer]) -> Vec<Bytes> {
    let include_usage = request.include_usage();
    let mut stream = BytesMut::new();
    let mut ends = Vec::new();
    let mut event = |choices: Value, usage: Value| {
        let mut body = head.object("chat.completion.chunk", choices);
        if include_usage {
            body["usage"] = usage;
        }
        stream.extend_from_slice(format!("data: {body}\n\n").as_bytes());
        ends.push(stream.len());
    };
    let mut chunk = |index: usize, delta: Value, finish: Option<&str>| {
        let choice =
            json!({"index": index, "delta": delta, "logprobs": null, "finish_reason": finish});
        event(json!([choice]), Value::Null);
    };
    for (index, answer) in answers.iter().enumerate() {
        match &answer.content {
            Content::Text(text) => {
                chunk(
                    index,
                    json!({"role": "assistant", "content": "", "refusal": null}),
                    None,
                );
                for word in text.split_inclusive(' ') {
                    chunk(index, json!({"content": word}), None);
                }
            }
            call @ Content::Call {
                arguments, custom, ..
            } => {
                let (member, input) = if *custom {
                    ("custom", "input")
                } else {
                    ("function", "arguments")
                };
                let mut first = tool_call(head, index, call);
                first["index"] = 0.into();
                first[member][input] = "".into();
                let delta = json!({"role": "assistant", "content": null, "tool_calls": [first]});
                chunk(index, delta, None);
                for piece in pieces(arguments) {
                    let more = json!({"index": 0, member: {input: piece}});
                    chunk(index, json!({"tool_calls": [more]}), None);
                }
            }
        }
        chunk(index, json!({}), Some(answer.finish));
    }
    if include_usage {
        event(json!([]), usage(request, answers));
    }
    stream.extend_from_slice(b"data: [DONE]\n\n");
    ends.push(stream.len());
    let stream = stream.freeze();
    let starts = std::iter::once(0).chain(ends.iter().copied());
    starts
        .zip(&ends)
        .map(|(start, &end)| stream.slice(start..end))
        .collect()
}

fn tool_call(head: &Head<'_>, choice: usize, call: &Content) -> Value {
    let id = format!("call_{}_{choice}", head.id.trim_start_matches("chatcmpl-"));
    match call {
        Content::Call {
            name,
            arguments,
            custom: false,
        } => json!({
            "id": id, "type": "function", "function": {"name": name, "arguments": arguments},
        }),
        Content::Call {
            name,
            arguments,
            custom: true,
        } => json!({
            "id": id, "type": "custom", "custom": {"name": name, "input": arguments},
        }),
        Content::Text(_) => Value::Null,
    }
}

/// About sixteen bytes each.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (piece, more) = rest.split_at(rest.floor_char_boundary(16));
        pieces.push(piece);
        rest = more;
    }
    pieces
}

fn usage(request: &Request, answers: &[Answer]) -> Value {
    let input = request.tokens();
    let output: usize = answers.iter().map(|answer| answer.tokens).sum();
    json!({
        "prompt_tokens": input,
        "completion_tokens": output,
        "total_tokens": input + output,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0, "audio_tokens": 0,
            "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0,
        },
    })
}

//! Messages: <https://docs.anthropic.com/en/docs/build-with-claude/streaming>

use serde_json::{Value, json};

use super::{Event, append};
use crate::expect::merged;

pub fn read(events: &[Event]) -> Result<Value, String> {
    let mut reply = Value::Null;
    let mut open: Option<(usize, String)> = None;
    let mut over = false;
    for event in events {
        let data = event.data.as_ref().ok_or("[DONE]")?;
        let kind = data["type"].as_str().unwrap_or_default();
        if event.name.as_deref() != Some(kind) {
            return Err(format!("{kind} is named {:?}", event.name));
        }
        if over {
            return Err(format!("{kind} after the end"));
        }
        if reply.is_null() && !matches!(kind, "message_start" | "ping" | "error") {
            return Err(format!("{kind} before message_start"));
        }
        match kind {
            "ping" => {}
            "message_start" => {
                if !reply.is_null() {
                    return Err("message_start twice".to_owned());
                }
                reply = data["message"].clone();
                if reply["content"] != json!([]) || !reply["usage"]["input_tokens"].is_u64() {
                    return Err(format!("message_start is {data}"));
                }
            }
            "content_block_start" => {
                let index = data["index"].as_u64().ok_or("no index")? as usize;
                let content = reply["content"].as_array_mut().ok_or("no content")?;
                if open.is_some() || index != content.len() {
                    return Err(format!("block {index} begins out of order"));
                }
                content.push(data["content_block"].clone());
                open = Some((index, String::new()));
            }
            "content_block_delta" => {
                let (index, arguments) = open.as_mut().ok_or("a delta of no block")?;
                if data["index"] != *index {
                    return Err("a delta of another block".to_owned());
                }
                delta(&mut reply["content"][*index], arguments, &data["delta"])?;
            }
            "content_block_stop" => {
                let (index, arguments) = open.take().ok_or("a stop of no block")?;
                if data["index"] != index {
                    return Err("a stop of another block".to_owned());
                }
                if !arguments.is_empty() {
                    let input = serde_json::from_str(&arguments)
                        .map_err(|error| format!("the input is no JSON: {error}"))?;
                    reply["content"][index]["input"] = input;
                }
            }
            "message_delta" => {
                if open.is_some() {
                    return Err("message_delta while a block is open".to_owned());
                }
                reply = merged(&reply, &data["delta"]);
                reply["usage"] = merged(&reply["usage"], &data["usage"]);
            }
            "message_stop" => {
                if reply["stop_reason"].is_null() {
                    return Err("no stop reason".to_owned());
                }
                over = true;
            }
            "error" => {
                if reply.is_null() {
                    reply = json!({});
                }
                reply["error"] = data["error"].clone();
                over = true;
            }
            _ => return Err(format!("unknown: {kind}")),
        }
    }
    over.then_some(reply).ok_or("no end".to_owned())
}

fn delta(block: &mut Value, arguments: &mut String, delta: &Value) -> Result<(), String> {
    let kind = block["type"].as_str().unwrap_or_default().to_owned();
    let fits = match delta["type"].as_str().unwrap_or_default() {
        "text_delta" => {
            append(block, "text", &delta["text"]);
            kind == "text"
        }
        "thinking_delta" => {
            append(block, "thinking", &delta["thinking"]);
            kind == "thinking"
        }
        "signature_delta" => {
            block["signature"] = delta["signature"].clone();
            kind == "thinking"
        }
        "input_json_delta" => {
            arguments.push_str(delta["partial_json"].as_str().unwrap_or_default());
            kind == "tool_use"
        }
        "citations_delta" => {
            super::extend(block, "citations", &json!([delta["citation"]]));
            kind == "text"
        }
        _ => false,
    };
    fits.then_some(())
        .ok_or(format!("{delta} in a block {kind}"))
}

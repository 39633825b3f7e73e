//! Chat Completions: <https://platform.openai.com/docs/api-reference/chat-streaming>

use serde_json::{Value, json};

use super::{Event, append, extend};

pub fn read(events: &[Event]) -> Result<Value, String> {
    let mut reply = json!({"choices": []});
    let (last, chunks) = events.split_last().ok_or("nothing came")?;
    for event in chunks {
        let chunk = event.data.as_ref().ok_or("[DONE] before the end")?;
        if chunk.get("error").is_some() {
            return Err("more follows an error".to_owned());
        }
        one(&mut reply, chunk)?;
    }
    match &last.data {
        None => {}
        Some(chunk) if chunk["error"].is_object() => {
            reply["error"] = chunk["error"].clone();
            return Ok(reply);
        }
        Some(_) => return Err("no [DONE]".to_owned()),
    }
    for choice in reply["choices"].as_array().into_iter().flatten() {
        if choice["finish_reason"].is_null() {
            return Err("a choice has no finish reason".to_owned());
        }
    }
    Ok(reply)
}

fn one(reply: &mut Value, chunk: &Value) -> Result<(), String> {
    if chunk["object"] != "chat.completion.chunk" || !chunk["created"].is_i64() {
        return Err(format!("no chunk: {chunk}"));
    }
    for key in ["id", "model"] {
        if !chunk[key].is_string() || !(reply[key].is_null() || reply[key] == chunk[key]) {
            return Err(format!("{key} is {}", chunk[key]));
        }
        reply[key] = chunk[key].clone();
    }
    if chunk["usage"].is_object() {
        reply["usage"] = chunk["usage"].clone();
    }
    for piece in chunk["choices"].as_array().ok_or("no choices")? {
        let index = piece["index"].as_u64().ok_or("a choice has no index")? as usize;
        let choices = reply["choices"].as_array_mut().ok_or("no choices")?;
        while choices.len() <= index {
            let number = choices.len();
            choices.push(json!({"index": number, "message": {}, "finish_reason": null}));
        }
        let choice = &mut choices[index];
        if !choice["finish_reason"].is_null() {
            return Err("more of a choice that is over".to_owned());
        }
        delta(&mut choice["message"], &piece["delta"])?;
        if let Some(tokens) = piece["logprobs"].get("content") {
            let mut logprobs = choice["logprobs"].take();
            if logprobs.is_null() {
                logprobs = json!({});
            }
            extend(&mut logprobs, "content", tokens);
            choice["logprobs"] = logprobs;
        }
        choice["finish_reason"] = piece["finish_reason"].clone();
    }
    Ok(())
}

fn delta(message: &mut Value, delta: &Value) -> Result<(), String> {
    if delta["role"].is_string() {
        message["role"] = delta["role"].clone();
    }
    for key in ["content", "reasoning_content", "refusal"] {
        append(message, key, &delta[key]);
    }
    for key in ["annotations", "reasoning_details"] {
        extend(message, key, &delta[key]);
    }
    for call in delta["tool_calls"].as_array().into_iter().flatten() {
        let index = call["index"].as_u64().ok_or("a call has no index")? as usize;
        if !message["tool_calls"].is_array() {
            message["tool_calls"] = json!([]);
        }
        let calls = message["tool_calls"].as_array_mut().ok_or("no calls")?;
        match index.cmp(&calls.len()) {
            std::cmp::Ordering::Greater => return Err("a call's index is skipped".to_owned()),
            std::cmp::Ordering::Equal => {
                if !call["id"].is_string() || !call["function"]["name"].is_string() {
                    return Err(format!("a call begins without id or name: {call}"));
                }
                let mut call = call.clone();
                if let Some(call) = call.as_object_mut() {
                    call.remove("index");
                }
                if call["function"]["arguments"].is_null() {
                    call["function"]["arguments"] = "".into();
                }
                calls.push(call);
            }
            std::cmp::Ordering::Less => append(
                &mut calls[index]["function"],
                "arguments",
                &call["function"]["arguments"],
            ),
        }
    }
    Ok(())
}

//! generateContent: <https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent>

use serde_json::{Value, json};

use super::{Event, append, extend};
use crate::expect::merged;

pub fn read(events: &[Event]) -> Result<Value, String> {
    let mut reply = json!({});
    for event in events {
        let chunk = event.data.as_ref().ok_or("[DONE]")?;
        if reply.get("error").is_some() {
            return Err("more follows an error".to_owned());
        }
        for key in [
            "usageMetadata",
            "responseId",
            "modelVersion",
            "promptFeedback",
            "error",
        ] {
            if let Some(value) = chunk.get(key) {
                reply[key] = value.clone();
            }
        }
        for piece in chunk["candidates"].as_array().into_iter().flatten() {
            let index = piece["index"].as_u64().unwrap_or(0) as usize;
            if !reply["candidates"].is_array() {
                reply["candidates"] = json!([]);
            }
            let all = reply["candidates"].as_array_mut().ok_or("no candidates")?;
            while all.len() <= index {
                let number = all.len();
                all.push(json!({"index": number}));
            }
            one(&mut all[index], piece)?;
        }
    }
    let candidates = reply["candidates"].as_array().into_iter().flatten();
    let ended = candidates
        .clone()
        .all(|one| one["finishReason"].is_string());
    let blocked = reply.get("promptFeedback").is_some();
    if reply.get("error").is_none() && (!ended || candidates.count() == 0 && !blocked) {
        return Err("no end".to_owned());
    }
    Ok(reply)
}

fn one(candidate: &mut Value, piece: &Value) -> Result<(), String> {
    if candidate["finishReason"].is_string() {
        return Err("more of a candidate that is over".to_owned());
    }
    for (key, value) in piece.as_object().into_iter().flatten() {
        match key.as_str() {
            "content" | "index" => {}
            _ => candidate[key] = merged(&candidate[key], value),
        }
    }
    for part in piece["content"]["parts"].as_array().into_iter().flatten() {
        let parts = candidate.pointer_mut("/content/parts");
        let parts = parts.and_then(Value::as_array_mut);
        if let Some(last) = parts.and_then(|parts| parts.last_mut()) {
            let goes_on = part["text"].is_string()
                && last["text"].is_string()
                && last.get("thought") == part.get("thought")
                && last.get("thoughtSignature").is_none();
            if goes_on {
                append(last, "text", &part["text"]);
                if let Some(signature) = part.get("thoughtSignature") {
                    last["thoughtSignature"] = signature.clone();
                }
                continue;
            }
        }
        // What ends a stream may be a part without text.
        if part["text"] == "" && part.get("thoughtSignature").is_none() {
            continue;
        }
        let mut content = candidate["content"].take();
        if content.is_null() {
            content = json!({"role": piece["content"]["role"]});
        }
        extend(&mut content, "parts", &json!([part]));
        candidate["content"] = content;
    }
    Ok(())
}

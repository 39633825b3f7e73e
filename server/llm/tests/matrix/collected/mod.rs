//! Streams put together as the official SDKs do, which also says what they would trip over.

mod anthropic;
mod gemini;
mod openai_chat;
mod openai_responses;

use serde_json::Value;

use crate::protocols::Client;

/// An event of a stream.
pub struct Event {
    pub name: Option<String>,
    /// `None` is `[DONE]`.
    pub data: Option<Value>,
}

/// The reply that a stream amounts to, in the shape of a whole one; with `error` where it failed.
///
/// # Errors
/// What of the stream is not as the protocol says.
pub fn read(client: &Client, stream: &str) -> Result<Value, String> {
    let events = events(stream)?;
    match client.name() {
        "openai_chat" => openai_chat::read(&events),
        "openai_responses" => openai_responses::read(&events),
        "anthropic" => anthropic::read(&events),
        _ => gemini::read(&events),
    }
    .map_err(|fault| format!("stream: {fault}"))
}

fn events(stream: &str) -> Result<Vec<Event>, String> {
    let stream = stream.replace("\r\n", "\n");
    let mut all = Vec::new();
    for block in stream
        .split("\n\n")
        .filter(|block| !block.trim().is_empty())
    {
        let (mut name, mut data) = (None, None);
        for line in block.lines() {
            if let Some(word) = line.strip_prefix("event: ") {
                name = Some(word.to_owned());
            } else if let Some(text) = line.strip_prefix("data: ") {
                data = Some(text);
            }
        }
        let Some(data) = data else { continue };
        let json = |text: &str| {
            serde_json::from_str(text).map_err(|error| format!("no JSON: {error}: {text}"))
        };
        let data = (data != "[DONE]").then(|| json(data)).transpose()?;
        all.push(Event { name, data });
    }
    Ok(all)
}

/// The text at `key` of `to` goes on with that of `more`.
fn append(to: &mut Value, key: &str, more: &Value) {
    if let Some(more) = more.as_str() {
        let text = to[key].as_str().unwrap_or("").to_owned() + more;
        to[key] = text.into();
    }
}

/// The list at `key` of `to` goes on with that of `more`.
fn extend(to: &mut Value, key: &str, more: &Value) {
    if let Some(more) = more.as_array() {
        if !to[key].is_array() {
            to[key] = Value::Array(Vec::new());
        }
        if let Some(list) = to[key].as_array_mut() {
            list.extend(more.iter().cloned());
        }
    }
}

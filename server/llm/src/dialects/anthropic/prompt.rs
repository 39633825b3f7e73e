//! A body, read in full.

use super::content::Reader;
use super::{thinking, tools};
use crate::chat::{CachePoint, ChatRequest, Message, Output, Prompt, Role};
use crate::dialects::betas;
use crate::error::ApiError;
use crate::json::{Kind, Node};
use crate::text::Text;
use crate::wire::anthropic::not_json;

pub(super) fn read(request: &ChatRequest) -> Result<Prompt, ApiError> {
    let root = Node::parse(&request.body).map_err(|error| not_json(&error))?;
    root.object()?;
    let mut reader = Reader::default();
    let mut prompt = Prompt::default();
    if let Some(system) = root.get("system") {
        let parts = reader.parts(system)?;
        if !parts.is_empty() {
            reader.messages.push(Message::new(Role::System, parts));
        }
    }
    for message in root.require("messages")?.array()? {
        reader.message(message)?;
    }
    for (key, value) in root.members() {
        if value.is_null() {
            continue;
        }
        match &*key {
            "messages" | "system" | "model" | "stream" => {}
            "max_tokens" => prompt.max_output_tokens = Some(value.u64()?),
            "temperature" => prompt.temperature = Some(value.number()?),
            "top_p" => prompt.top_p = Some(value.number()?),
            "top_k" => prompt.top_k = Some(value.number()?),
            "stop_sequences" => {
                for text in value.array()? {
                    prompt.stop.push(text.text()?);
                }
            }
            "tools" => tools::read_tools(value, &mut prompt, &mut reader.others)?,
            "tool_choice" => tools::read_choice(value, &mut prompt)?,
            "metadata" => read_metadata(value, &mut prompt, &mut reader.others)?,
            // Read together: effort says how much, thinking whether.
            "thinking" | "output_config" => {}
            "output_format" => read_format(value, &mut prompt)?,
            "cache_control" => cache_all(&mut reader.messages, read_cache(value)?),
            _ if says_nothing(&key, value) => {}
            _ => reader.others.push(Text::from(&*key)),
        }
    }
    let output = root.get("output_config");
    prompt.reasoning = thinking::read(root.get("thinking"), output, &mut reader.others)?;
    if let Some(output) = output {
        for (key, value) in output.object()?.members() {
            match &*key {
                _ if value.is_null() => {}
                "effort" => {}
                "format" => read_format(value, &mut prompt)?,
                _ => reader
                    .others
                    .push(Text::from(format!("output_config.{key}"))),
            }
        }
    }
    betas::ANTHROPIC.asked(request, &mut reader.others);
    prompt.messages = reader.messages;
    prompt.others = reader.others;
    Ok(prompt)
}

/// `{"type":"ephemeral","ttl":"1h"}`
pub(super) fn read_cache(value: &Node<'_>) -> Result<CachePoint, ApiError> {
    let ttl = value.object()?.get("ttl").map(Node::text).transpose()?;
    Ok(CachePoint { ttl })
}

/// The top-level `cache_control` marks the end of all that is sent.
fn cache_all(messages: &mut [Message], point: CachePoint) {
    let last = messages.last_mut().and_then(|last| last.parts.last_mut());
    if let Some(part) = last {
        part.cache.get_or_insert(point);
    }
}

fn read_metadata(
    value: &Node<'_>,
    prompt: &mut Prompt,
    others: &mut Vec<Text>,
) -> Result<(), ApiError> {
    for (key, value) in value.object()?.members() {
        match &*key {
            _ if value.is_null() => {}
            "user_id" => prompt.user = Some(value.text()?),
            _ => others.push(Text::from(format!("metadata.{key}"))),
        }
    }
    Ok(())
}

/// `{"type":"json_schema","schema":{…}}`: <https://docs.anthropic.com/en/docs/build-with-claude/structured-outputs>
fn read_format(format: &Node<'_>, prompt: &mut Prompt) -> Result<(), ApiError> {
    let kind = format.object()?.require("type")?;
    if kind.str()? != "json_schema" {
        return Err(kind.not("'json_schema'").into());
    }
    prompt.output = Output::Schema {
        name: None,
        description: None,
        schema: format.require("schema")?.object()?.json(),
        strict: Some(true),
    };
    Ok(())
}

/// Whether leaving a parameter out changes nothing.
fn says_nothing(key: &str, value: &Node<'_>) -> bool {
    match value.kind() {
        Kind::Null => true,
        Kind::Bool => matches!(value.bool(), Ok(false)),
        Kind::Array => value.array().is_ok_and(<[_]>::is_empty),
        Kind::Object => value.members().next().is_none(),
        Kind::String => match key {
            "service_tier" => value.str().is_ok_and(|tier| tier == "auto"),
            "speed" => value.str().is_ok_and(|speed| speed == "standard"),
            _ => false,
        },
        Kind::Number => false,
    }
}

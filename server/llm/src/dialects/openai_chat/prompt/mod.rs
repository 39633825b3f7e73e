//! A request's body as a prompt: <https://platform.openai.com/docs/api-reference/chat/create>
//!
//! Read as well: what clients of compatible servers add (reasoning in three spellings, `cache_control`, `top_k`).

mod media;
mod messages;
mod reasoning;
mod tools;

use crate::chat::{ChatRequest, Effort, Output, Prompt, Reasoning};
use crate::error::ApiError;
use crate::json::{Json, Kind, Node, ShapeError};
use crate::text::Text;
use crate::wire::openai_chat::says_nothing;

/// Reads all of it.
///
/// # Errors
/// What makes no sense, naming the parameter.
pub(super) fn read(request: &ChatRequest) -> Result<Prompt, ApiError> {
    let root = Node::parse(&request.body)
        .map_err(|error| ApiError::invalid(format!("The body is not valid JSON: {error}.")))?;
    let mut prompt = Prompt {
        choices: (request.choices > 1).then_some(request.choices),
        ..Prompt::default()
    };
    for (key, value) in root.members() {
        if !value.is_null() && !parameter(&mut prompt, &root, &key, value)? {
            note(&mut prompt.others, &key, value);
        }
    }
    Ok(prompt)
}

/// Reads a parameter; false for one that a prompt cannot say.
fn parameter(
    prompt: &mut Prompt,
    root: &Node<'_>,
    key: &str,
    value: &Node<'_>,
) -> Result<bool, ShapeError> {
    match key {
        "model" | "stream" | "stream_options" | "n" => {}
        "messages" => prompt.messages = messages::read(value)?,
        "tools" => prompt.tools.extend(tools::tools(value)?),
        "functions" => prompt.tools.extend(tools::functions(value)?),
        "tool_choice" => prompt.tool_choice = Some(tools::choice(value)?),
        "function_call" => {
            if prompt.tool_choice.is_none() {
                prompt.tool_choice = Some(tools::legacy_choice(value)?);
            }
        }
        "parallel_tool_calls" => {
            prompt.parallel_tool_calls = (!value.bool()?).then_some(false);
        }
        "max_completion_tokens" => prompt.max_output_tokens = Some(value.u64()?),
        "max_tokens" | "max_output_tokens" => {
            let limit = value.u64()?;
            if root.get("max_completion_tokens").is_none() {
                prompt.max_output_tokens = Some(limit);
            }
        }
        "temperature" => prompt.temperature = Some(value.number()?),
        "top_p" => prompt.top_p = Some(value.number()?),
        "top_k" => prompt.top_k = Some(value.number()?),
        "min_p" => prompt.min_p = Some(value.number()?),
        "seed" => prompt.seed = Some(value.number()?),
        "presence_penalty" => prompt.presence_penalty = unless_nothing(key, value)?,
        "frequency_penalty" => prompt.frequency_penalty = unless_nothing(key, value)?,
        "stop" => prompt.stop = stop(value)?,
        "logprobs" => {
            if value.bool()? && prompt.logprobs.is_none() {
                prompt.logprobs = Some(0);
            }
        }
        "top_logprobs" => {
            let count = value.u64()?;
            if count > 0 {
                let count = u32::try_from(count).map_err(|_| value.not("a small number"))?;
                prompt.logprobs = Some(count);
            }
        }
        "response_format" => return output(prompt, value),
        "reasoning_effort" => {
            let word = value.str()?;
            let Some(effort) = Effort::parse(&word) else {
                return Ok(word == "default");
            };
            reasoning(prompt).effort = Some(effort);
        }
        "reasoning" => return reasoning_object(prompt, value),
        "include_reasoning" => reasoning(prompt).visible = Some(value.bool()?),
        "thinking" => return thinking(prompt, value),
        "safety_identifier" => prompt.user = Some(value.text()?),
        // The newer one counts, where both are there and differ.
        "user" => {
            let user = value.text()?;
            match root.get("safety_identifier") {
                Some(newer) => return Ok(newer.text()? == user),
                None => prompt.user = Some(user),
            }
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// Notes by name what a prompt cannot say.
fn note(others: &mut Vec<Text>, key: &str, value: &Node<'_>) {
    let json = value.json();
    if !says_nothing(key, json.as_str().as_bytes()) {
        others.push(Text::from(&key[..key.floor_char_boundary(64)]));
    }
}

fn unless_nothing(key: &str, value: &Node<'_>) -> Result<Option<Json>, ShapeError> {
    let number = value.number()?;
    let nothing = says_nothing(key, number.as_str().as_bytes());
    Ok((!nothing).then_some(number))
}

/// One text, or several.
fn stop(value: &Node<'_>) -> Result<Vec<Text>, ShapeError> {
    match value.kind() {
        Kind::String => Ok(vec![value.text()?]),
        Kind::Array => value.array()?.iter().map(Node::text).collect(),
        _ => Err(value.not("a string or an array of strings")),
    }
}

fn output(prompt: &mut Prompt, value: &Node<'_>) -> Result<bool, ShapeError> {
    let kind = value.object()?.require("type")?;
    prompt.output = match &*kind.str()? {
        "text" => Output::Text,
        "json_object" => Output::Json,
        "json_schema" => {
            let format = value.require("json_schema")?.object()?;
            match format.get("schema") {
                Some(schema) => Output::Schema {
                    name: optional(format, "name", Node::text)?,
                    description: optional(format, "description", Node::text)?,
                    schema: schema.object()?.json(),
                    strict: optional(format, "strict", Node::bool)?,
                },
                None => Output::Json,
            }
        }
        _ => return Ok(false),
    };
    Ok(true)
}

fn reasoning(prompt: &mut Prompt) -> &mut Reasoning {
    prompt.reasoning.get_or_insert_default()
}

/// `{"effort": "low", "max_tokens": 2000, "exclude": true, "enabled": true}`
fn reasoning_object(prompt: &mut Prompt, value: &Node<'_>) -> Result<bool, ShapeError> {
    value.object()?;
    let effort = optional(value, "effort", Node::str)?;
    let budget = optional(value, "max_tokens", Node::u64)?;
    let exclude = optional(value, "exclude", Node::bool)?;
    let enabled = optional(value, "enabled", Node::bool)?;
    let known = effort
        .as_deref()
        .is_none_or(|word| Effort::parse(word).is_some());
    let reasoning = reasoning(prompt);
    let effort = effort.and_then(|word| Effort::parse(&word));
    reasoning.effort = effort.or(reasoning.effort);
    reasoning.budget_tokens = budget.or(reasoning.budget_tokens);
    match enabled {
        Some(false) => reasoning.effort = Some(Effort::None),
        Some(true) if reasoning.effort().is_none() => reasoning.effort = Some(Effort::Medium),
        _ => {}
    }
    if let Some(exclude) = exclude {
        reasoning.visible = Some(!exclude);
    }
    Ok(known)
}

/// `{"type": "enabled", "budget_tokens": 2000}`, as some servers and clients have it.
fn thinking(prompt: &mut Prompt, value: &Node<'_>) -> Result<bool, ShapeError> {
    let kind = value.object()?.require("type")?.str()?;
    let budget = optional(value, "budget_tokens", Node::u64)?;
    let reasoning = reasoning(prompt);
    match &*kind {
        "disabled" => reasoning.effort = Some(Effort::None),
        "enabled" | "adaptive" | "auto" => {
            reasoning.budget_tokens = budget.or(reasoning.budget_tokens);
            if reasoning.effort().is_none() {
                reasoning.effort = Some(Effort::Medium);
            }
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// A member, if it is there.
fn optional<'a, T>(
    node: &Node<'a>,
    key: &str,
    read: impl Fn(&Node<'a>) -> Result<T, ShapeError>,
) -> Result<Option<T>, ShapeError> {
    node.get(key).map(read).transpose()
}

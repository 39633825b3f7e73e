//! A request's body as a prompt: <https://platform.openai.com/docs/api-reference/responses/create>

mod content;
mod items;
mod tools;

use crate::chat::{ChatRequest, Effort, Message, Output, Part, Prompt, Role};
use crate::dialects::betas;
use crate::error::ApiError;
use crate::json::{Kind, Node, ShapeError};
use crate::text::Text;
use crate::wire::openai_chat::says_nothing;

/// Parameters that lean on what an upstream keeps, or does later: no other protocol can stand in for that.
const KEPT_UPSTREAM: [(&str, &str); 4] = [
    (
        "previous_response_id",
        "send the whole conversation in 'input' instead",
    ),
    (
        "conversation",
        "send the whole conversation in 'input' instead",
    ),
    ("prompt", "send what the template says in 'input' instead"),
    ("background", "wait for the response, or stream it"),
];

/// Reads all of it.
///
/// # Errors
/// What makes no sense, or leans on what only an upstream of this protocol has, naming the parameter.
pub(super) fn read(request: &ChatRequest) -> Result<Prompt, ApiError> {
    let root = Node::parse(&request.body)
        .map_err(|error| ApiError::invalid(format!("The body is not valid JSON: {error}.")))?;
    for (name, instead) in KEPT_UPSTREAM {
        let given = root.get(name);
        if given.is_some_and(|value| value.json().as_str() != "false") {
            let message = format!(
                "The parameter '{name}' needs an upstream that speaks OpenAI Responses, and this model's does \
                 not: {instead}."
            );
            let error = ApiError::invalid(message).with_code("unsupported_parameter");
            return Err(error.with_param(name));
        }
    }
    let mut prompt = Prompt::default();
    if let Some(instructions) = root.get("instructions") {
        let parts = vec![Part::text(instructions.text()?)];
        prompt.messages.push(Message::new(Role::System, parts));
    }
    let input = root.require("input")?;
    match input.kind() {
        Kind::String => {
            let parts = vec![Part::text(input.text()?)];
            prompt.messages.push(Message::new(Role::User, parts));
        }
        Kind::Array => items::read(input.array()?, &mut prompt)?,
        _ => return Err(input.not("a string or an array of items").into()),
    }
    for (key, value) in root.members() {
        if !value.is_null() && !parameter(&mut prompt, &root, &key, value)? {
            note(&mut prompt.others, &key, value);
        }
    }
    betas::OPENAI.asked(request, &mut prompt.others);
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
        "model" | "input" | "instructions" | "stream" | "stream_options" | "background" => {}
        "tools" => prompt.tools.extend(tools::tools(value)?),
        "tool_choice" => match tools::choice(value)? {
            Some(choice) => prompt.tool_choice = Some(choice),
            None => return Ok(false),
        },
        "parallel_tool_calls" => {
            prompt.parallel_tool_calls = (!value.bool()?).then_some(false);
        }
        "max_output_tokens" => prompt.max_output_tokens = Some(value.u64()?),
        "temperature" => prompt.temperature = Some(value.number()?),
        "top_p" => prompt.top_p = Some(value.number()?),
        "top_logprobs" => {
            let count = value.u64()?;
            if count > 0 {
                let count = u32::try_from(count).map_err(|_| value.not("a small number"))?;
                prompt.logprobs = Some(count);
            }
        }
        "include" => return include(prompt, value),
        "text" => text(prompt, value)?,
        "reasoning" => reasoning(prompt, value)?,
        "safety_identifier" => prompt.user = Some(value.text()?),
        "user" => {
            let user = value.text()?;
            if root.get("safety_identifier").is_none() {
                prompt.user = Some(user);
            }
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// Notes by name what a prompt cannot say, and what is not said anyway.
fn note(others: &mut Vec<Text>, key: &str, value: &Node<'_>) {
    let json = value.json();
    if !says_nothing(key, json.as_str().as_bytes()) {
        others.push(Text::from(&key[..key.floor_char_boundary(64)]));
    }
}

/// What the reply should hold besides: thoughts are sealed in it anyway.
fn include(prompt: &mut Prompt, value: &Node<'_>) -> Result<bool, ShapeError> {
    let mut all = true;
    for one in value.array()? {
        match &*one.str()? {
            "reasoning.encrypted_content" => {}
            "message.output_text.logprobs" => {
                prompt.logprobs.get_or_insert(0);
            }
            _ => all = false,
        }
    }
    Ok(all)
}

/// `{"format": {"type": "json_schema", …}, "verbosity": "low"}`
fn text(prompt: &mut Prompt, value: &Node<'_>) -> Result<(), ShapeError> {
    for (key, member) in value.object()?.members() {
        match &*key {
            _ if member.is_null() => {}
            "format" => prompt.output = format(member)?,
            _ if says_nothing(&key, member.json().as_str().as_bytes()) => {}
            _ => {
                let name = format!("text.{}", &key[..key.floor_char_boundary(64)]);
                prompt.others.push(Text::from(name));
            }
        }
    }
    Ok(())
}

fn format(format: &Node<'_>) -> Result<Output, ShapeError> {
    let kind = format.object()?.require("type")?;
    Ok(match &*kind.str()? {
        "text" => Output::Text,
        "json_object" => Output::Json,
        "json_schema" => Output::Schema {
            name: optional(format, "name", Node::text)?,
            description: optional(format, "description", Node::text)?,
            schema: format.require("schema")?.object()?.json(),
            strict: optional(format, "strict", Node::bool)?,
        },
        _ => return Err(kind.not("'text', 'json_object' or 'json_schema'")),
    })
}

/// `{"effort": "low", "summary": "auto"}`
fn reasoning(prompt: &mut Prompt, value: &Node<'_>) -> Result<(), ShapeError> {
    let mut found = crate::chat::Reasoning::default();
    for (key, member) in value.object()?.members() {
        match &*key {
            _ if member.is_null() => {}
            "effort" => {
                let effort = Effort::parse(&member.str()?);
                const WORDS: &str = "'none', 'minimal', 'low', 'medium', 'high', 'xhigh' or 'max'";
                found.effort = Some(effort.ok_or_else(|| member.not(WORDS))?);
            }
            "summary" | "generate_summary" => {
                member.str()?;
                found.visible = Some(true);
            }
            _ => {
                let name = format!("reasoning.{}", &key[..key.floor_char_boundary(64)]);
                prompt.others.push(Text::from(name));
            }
        }
    }
    if found != crate::chat::Reasoning::default() {
        prompt.reasoning = Some(found);
    }
    Ok(())
}

/// A member, if it is there.
fn optional<'a, T>(
    node: &Node<'a>,
    key: &str,
    read: impl Fn(&Node<'a>) -> Result<T, ShapeError>,
) -> Result<Option<T>, ShapeError> {
    node.get(key).map(read).transpose()
}

//! A request's body.

use crate::chat::{ChatRequest, Message, Part, Prompt, Protocol, Role};
use crate::dialect::Incoming;
use crate::error::ApiError;
use crate::json::{Json, Kind, Node, ShapeError};
use crate::text::Text;
use crate::wire::openai_chat::says_nothing;

pub(super) fn decode(incoming: Incoming<'_>) -> Result<ChatRequest, ApiError> {
    let body = incoming.body;
    let root = Node::parse(&body).map_err(|error| {
        ApiError::invalid(format!("The body is not valid JSON: {error}.")).with_code("invalid_json")
    })?;
    root.object()?;
    let model = root.get("model").map(Node::text).transpose()?;
    let stream = root.get("stream").map(Node::bool).transpose()?;
    let usage = root
        .get("stream_options")
        .and_then(|options| options.get("include_usage"))
        .map(Node::bool)
        .transpose()?;
    let each = choices(&root)?;
    let prompts = root.get("prompt").map(prompts).transpose()?.unwrap_or(1);
    let mut request = ChatRequest::new(
        Protocol::OpenAiCompletions,
        body.clone(),
        incoming.stamp,
        read_prompt,
    );
    let named = incoming.model.map(str::to_owned);
    request.model = named.or_else(|| model.map(|model| model.to_string()));
    request.stream = stream.or(incoming.stream).unwrap_or(false);
    request.include_usage = usage.unwrap_or(false);
    // Each text is continued that often.
    request.choices = each.saturating_mul(prompts);
    Ok(request)
}

fn choices(root: &Node<'_>) -> Result<u32, ShapeError> {
    let Some(n) = root.get("n") else {
        return Ok(1);
    };
    let wrong = || n.not("a whole number of at least 1");
    match n.u64().map(u32::try_from) {
        Ok(Ok(n @ 1..)) => Ok(n),
        _ => Err(wrong()),
    }
}

/// How many texts are to be continued: a text, several, one as tokens, or several as tokens.
fn prompts(prompt: &Node<'_>) -> Result<u32, ShapeError> {
    let wrong = || prompt.not("a string, an array of strings, or an array of tokens");
    match prompt.kind() {
        Kind::String => Ok(1),
        Kind::Array => {
            let items = prompt.array()?;
            let tokens = items.iter().all(|item| item.kind() == Kind::Number);
            let texts = |kind| items.iter().all(|item| item.kind() == kind);
            match items {
                [] => Err(wrong()),
                _ if tokens => Ok(1),
                _ if texts(Kind::String) || texts(Kind::Array) => {
                    u32::try_from(items.len()).map_err(|_| wrong())
                }
                _ => Err(wrong()),
            }
        }
        _ => Err(wrong()),
    }
}

/// As a chat.
fn read_prompt(request: &ChatRequest) -> Result<Prompt, ApiError> {
    let root = Node::parse(&request.body)
        .map_err(|error| ApiError::invalid(format!("The body is not valid JSON: {error}.")))?;
    let text = Part::text(only_text(root.require("prompt")?)?);
    let each = choices(&root)?;
    let mut prompt = Prompt {
        messages: vec![Message::new(Role::User, vec![text])],
        choices: (each > 1).then_some(each),
        ..Prompt::default()
    };
    for (key, value) in root.members() {
        if !value.is_null() {
            parameter(&mut prompt, &root, &key, value)?;
        }
    }
    Ok(prompt)
}

/// # Errors
/// Tokens, which mean something to one model only; several texts, which are as many chats.
fn only_text(prompt: &Node<'_>) -> Result<Text, ApiError> {
    if prompt.kind() == Kind::String {
        return Ok(prompt.text()?);
    }
    let refused = |message: &str| ApiError::invalid(message).with_param("prompt");
    match prompt.array()? {
        [one] if one.kind() == Kind::String => Ok(one.text()?),
        [first, ..] if first.kind() == Kind::String => Err(refused(
            "The parameter 'prompt' holds several texts, and the provider of this model takes one: send a request for \
             each.",
        )),
        _ => Err(refused(
            "The parameter 'prompt' holds tokens, and the provider of this model takes text only: send the text.",
        )),
    }
}

fn parameter(
    prompt: &mut Prompt,
    root: &Node<'_>,
    key: &str,
    value: &Node<'_>,
) -> Result<(), ShapeError> {
    match key {
        "model" | "prompt" | "stream" | "stream_options" | "n" => {}
        "max_tokens" => prompt.max_output_tokens = Some(value.u64()?),
        "temperature" => prompt.temperature = Some(value.number()?),
        "top_p" => prompt.top_p = Some(value.number()?),
        "top_k" => prompt.top_k = Some(value.number()?),
        "min_p" => prompt.min_p = Some(value.number()?),
        "seed" => prompt.seed = Some(value.number()?),
        "presence_penalty" => prompt.presence_penalty = unless_nothing(key, value)?,
        "frequency_penalty" => prompt.frequency_penalty = unless_nothing(key, value)?,
        "stop" => {
            prompt.stop = match value.kind() {
                Kind::String => vec![value.text()?],
                Kind::Array => value
                    .array()?
                    .iter()
                    .map(Node::text)
                    .collect::<Result<_, _>>()?,
                _ => return Err(value.not("a string or an array of strings")),
            };
        }
        "logprobs" => {
            let count = u32::try_from(value.u64()?);
            prompt.logprobs = Some(count.map_err(|_| value.not("a small number"))?);
        }
        "user" => prompt.user = Some(value.text()?),
        "echo" if !value.bool()? => {}
        "suffix" if value.str()?.is_empty() => {}
        // The best of as many as are wanted are all of them.
        "best_of" if value.u64()? <= u64::from(choices(root)?) => {}
        _ => {
            if !says_nothing(key, value.json().as_str().as_bytes()) {
                prompt
                    .others
                    .push(Text::from(&key[..key.floor_char_boundary(64)]));
            }
        }
    }
    Ok(())
}

fn unless_nothing(key: &str, value: &Node<'_>) -> Result<Option<Json>, ShapeError> {
    let number = value.number()?;
    let nothing = says_nothing(key, number.as_str().as_bytes());
    Ok((!nothing).then_some(number))
}

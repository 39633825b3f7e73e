//! A request written anew from a prompt.

use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};

use super::contents::{self, Contents};
use super::family::{Family, Thinking};
use crate::chat::{ChatRequest, Losses, Output, Prompt, Reasoning, Tool, ToolChoice};
use crate::codec::{ReplyForm, Target, WireRequest};
use crate::codecs::schema_label::labelled;
use crate::error::ApiError;
use crate::json::{ArrayWriter, Json, ObjectWriter, object};
use crate::segments::Segments;
use crate::text::Text;

pub(super) fn encode(request: &ChatRequest, target: &Target<'_>) -> Result<WireRequest, ApiError> {
    let prompt = request.prompt()?;
    let mut losses = Losses::default();
    for other in &prompt.others {
        losses.drop(other.to_string());
    }
    let family = Family::of(target.model);
    let contents = Contents::of(prompt, target.system_prompt, family, &mut losses);
    let body = object(|body| {
        contents::write(&contents, body);
        tools(prompt, body, &mut losses);
        tool_choice(prompt, body, &mut losses);
        let config = object(|config| {
            sampling(prompt, config, &mut losses);
            output(&prompt.output, config, &mut losses);
            if let Some(reasoning) = &prompt.reasoning {
                thinking(reasoning, family, config, &mut losses);
            }
        });
        if config.len() > "{}".len() {
            let config = Text::from_utf8(config).expect("JSON is UTF-8");
            body.json("generationConfig", &Json::of_valid(config));
        }
    });
    if prompt.user.is_some() {
        losses.drop("user");
    }
    if prompt.parallel_tool_calls == Some(false) {
        losses.drop("parallel_tool_calls");
    }
    Ok(wire(request, target, body.into(), losses))
}

/// The request around its body.
pub(super) fn wire(
    request: &ChatRequest,
    target: &Target<'_>,
    body: Segments,
    losses: Losses,
) -> WireRequest {
    let mut headers = HeaderMap::with_capacity(1);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let method = if request.stream {
        ":streamGenerateContent?alt=sse"
    } else {
        ":generateContent"
    };
    WireRequest {
        method: http::Method::POST,
        path: model_path(target.model) + method,
        headers,
        body,
        losses,
        form: ReplyForm::default(),
    }
}

/// `/models/{model}`, or another collection where the name says so: `tunedModels/mine`.
pub(super) fn model_path(model: &str) -> String {
    let mut path = String::from("/");
    if !model.contains('/') {
        path.push_str("models/");
    }
    for &byte in model.as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' | b'@' => {
                path.push(char::from(byte));
            }
            _ => path.push_str(&format!("%{byte:02X}")),
        }
    }
    path
}

fn sampling(prompt: &Prompt, config: &mut ObjectWriter<'_>, losses: &mut Losses) {
    let numbers = [
        ("temperature", &prompt.temperature),
        ("topP", &prompt.top_p),
        ("topK", &prompt.top_k),
        ("presencePenalty", &prompt.presence_penalty),
        ("frequencyPenalty", &prompt.frequency_penalty),
        ("seed", &prompt.seed),
    ];
    for (name, number) in numbers {
        if let Some(number) = number {
            config.json(name, number);
        }
    }
    if prompt.min_p.is_some() {
        losses.drop("min_p");
    }
    if let Some(tokens) = prompt.max_output_tokens {
        config.plain("maxOutputTokens", tokens);
    }
    if !prompt.stop.is_empty() {
        config.array("stopSequences", |stop| {
            for text in &prompt.stop {
                stop.string(text);
            }
        });
    }
    if let Some(choices) = prompt.choices.filter(|&choices| choices != 1) {
        config.plain("candidateCount", choices);
    }
    if let Some(alternatives) = prompt.logprobs {
        config.plain("responseLogprobs", true);
        if alternatives > 0 {
            config.plain("logprobs", alternatives);
        }
    }
}

/// Answers are always held to a schema: `strict` asks for nothing else.
fn output(output: &Output, config: &mut ObjectWriter<'_>, losses: &mut Losses) {
    if *output != Output::Text {
        config.string("responseMimeType", "application/json");
    }
    if let Some(schema) = labelled(output, losses) {
        config.json("responseJsonSchema", &schema);
    }
}

/// <https://ai.google.dev/gemini-api/docs/thinking>
fn thinking(
    reasoning: &Reasoning,
    family: Family,
    config: &mut ObjectWriter<'_>,
    losses: &mut Losses,
) {
    let thinking = family.thinking(reasoning);
    let visible = reasoning.visible.filter(|_| family.thinks());
    let altered = match thinking {
        Some(Thinking::Unable) => {
            // Not to think is what such a model does.
            if reasoning.budget() != Some(0) {
                losses.drop("reasoning");
            }
            return;
        }
        None if reasoning.visible == Some(true) && !family.thinks() => {
            losses.drop("reasoning");
            return;
        }
        Some(Thinking::Budget(_, altered) | Thinking::Level(_, altered)) => altered,
        None => false,
    };
    if altered {
        losses.emulate("reasoning");
    }
    if thinking.is_none() && visible.is_none() {
        return;
    }
    config.object("thinkingConfig", |config| {
        match thinking {
            Some(Thinking::Budget(tokens, _)) => config.plain("thinkingBudget", tokens),
            Some(Thinking::Level(level, _)) => config.string("thinkingLevel", level),
            Some(Thinking::Unable) | None => {}
        }
        if let Some(visible) = visible {
            config.plain("includeThoughts", visible);
        }
    });
}

fn tools(prompt: &Prompt, body: &mut ObjectWriter<'_>, losses: &mut Losses) {
    let mut functions = Vec::new();
    for tool in &prompt.tools {
        match tool {
            Tool::Function { cache, strict, .. } => {
                functions.push(tool);
                if cache.is_some() {
                    losses.drop("cache_control");
                }
                if *strict == Some(true) {
                    losses.drop("tools.strict");
                }
            }
            Tool::Custom { name, .. } => losses.drop(format!("tools.{name}")),
            Tool::Hosted { what } => losses.drop(format!("tools.{what}")),
        }
    }
    if functions.is_empty() {
        return;
    }
    body.array("tools", |tools| {
        tools.object(|tool| {
            tool.array("functionDeclarations", |declarations| {
                for function in functions {
                    declaration(function, declarations);
                }
            });
        });
    });
}

fn declaration(tool: &Tool, declarations: &mut ArrayWriter<'_>) {
    let Tool::Function {
        name,
        description,
        parameters,
        ..
    } = tool
    else {
        return;
    };
    declarations.object(|declaration| {
        declaration.string("name", name);
        if let Some(description) = description {
            declaration.string("description", description);
        }
        if let Some(parameters) = parameters {
            declaration.json("parametersJsonSchema", parameters);
        }
    });
}

/// <https://ai.google.dev/gemini-api/docs/function-calling#function_calling_modes>
fn tool_choice(prompt: &Prompt, body: &mut ObjectWriter<'_>, losses: &mut Losses) {
    let Some(choice) = &prompt.tool_choice else {
        return;
    };
    let functions = || {
        prompt.tools.iter().filter_map(|tool| match tool {
            Tool::Function { name, .. } => Some(name),
            Tool::Custom { .. } | Tool::Hosted { .. } => None,
        })
    };
    let wanted = match choice {
        ToolChoice::Auto | ToolChoice::None | ToolChoice::Required => Vec::new(),
        ToolChoice::Tool(name) => vec![name],
        ToolChoice::Among { names, .. } => names.iter().collect(),
    };
    // A mode without functions, or for one that was left out, is an error.
    let known = wanted
        .iter()
        .all(|name| functions().any(|own| own == *name));
    if functions().next().is_none() || !known {
        if !matches!(choice, ToolChoice::Auto | ToolChoice::None) {
            losses.drop("tool_choice");
        }
        return;
    }
    let mode = match choice {
        ToolChoice::Auto => "AUTO",
        ToolChoice::None => "NONE",
        ToolChoice::Required | ToolChoice::Tool(_) => "ANY",
        ToolChoice::Among { required: true, .. } => "ANY",
        ToolChoice::Among { .. } => "VALIDATED",
    };
    body.object("toolConfig", |config| {
        config.object("functionCallingConfig", |config| {
            config.string("mode", mode);
            if !wanted.is_empty() {
                config.array("allowedFunctionNames", |names| {
                    for name in wanted {
                        names.string(name);
                    }
                });
            }
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_a_path() {
        assert_eq!(model_path("gemini-2.5-pro"), "/models/gemini-2.5-pro");
        assert_eq!(model_path("models/x"), "/models/x");
        assert_eq!(model_path("tunedModels/mine"), "/tunedModels/mine");
        assert_eq!(model_path("a b?c"), "/models/a%20b%3Fc");
    }

    #[test]
    fn numbers_stay_as_they_were_written() {
        let prompt = Prompt {
            temperature: Some(Json::of_valid(crate::Text::from("1.0"))),
            ..Prompt::default()
        };
        let mut losses = Losses::default();
        let config = object(|config| sampling(&prompt, config, &mut losses));
        assert_eq!(&config[..], br#"{"temperature":1.0}"#);
    }
}

//! A request's body.

use super::messages::Messages;
use crate::chat::{ChatRequest, Effort, Losses, Output, Prompt, Reasoning, Tool, ToolChoice};
use crate::codec::{ReplyForm, Target, WireRequest};
use crate::codecs::openai_chat::in_words;
use crate::codecs::own;
use crate::codecs::schema_label::labelled;
use crate::error::ApiError;
use crate::json::{ArrayWriter, Json, ObjectWriter, object};
use crate::segments::Segments;
use crate::text::Text;

/// What a client of OpenAI's protocol may add for Cohere.
const OWN: [&str; 4] = ["citation_options", "documents", "priority", "safety_mode"];

/// The most stop sequences that are taken.
const MOST_STOPS: usize = 5;

pub(super) fn encode(request: &ChatRequest, target: &Target<'_>) -> Result<WireRequest, ApiError> {
    let prompt = request.prompt()?;
    let mut losses = Losses::default();
    let own = own::parameters(request, prompt, &OWN, &mut losses);
    let tools = offered(prompt, &mut losses);
    let documents = own.iter().any(|(name, _)| *name == "documents");
    // A format cannot be asked for beside tools or documents.
    let schema = labelled(&prompt.output, &mut losses);
    let words = match &prompt.output {
        Output::Text => None,
        _ if tools.is_empty() && !documents => None,
        _ => Some(in_words(schema.as_deref().map(Json::as_str))),
    };
    let body = object(|body| {
        body.string("model", target.model);
        body.array("messages", |list| {
            let mut messages = Messages::new(prompt, target.model, &mut losses, list);
            messages.write(target.system_prompt.into_iter().chain(words.as_deref()));
        });
        if !tools.is_empty() {
            write_tools(&tools, prompt, &mut losses, body);
        }
        if words.is_some() {
            losses.emulate("response_format");
        } else {
            write_output(&prompt.output, schema.as_deref(), body);
        }
        write_sampling(prompt, &mut losses, body);
        if let Some(reasoning) = &prompt.reasoning {
            write_reasoning(reasoning, &mut losses, body);
        }
        for (name, value) in &own {
            body.json(name, value);
        }
        body.plain("stream", request.stream);
    });
    drop_the_rest(prompt, &mut losses);
    let form = ReplyForm::default();
    let body = Segments::from(body);
    Ok(WireRequest::post_json(
        "/v2/chat".to_owned(),
        body,
        losses,
        form,
    ))
}

fn drop_the_rest(prompt: &Prompt, losses: &mut Losses) {
    let lost = [
        ("n", prompt.choices.is_some_and(|count| count > 1)),
        ("min_p", prompt.min_p.is_some()),
        ("user", prompt.user.is_some()),
        (
            "parallel_tool_calls",
            prompt.parallel_tool_calls == Some(false),
        ),
        ("top_logprobs", prompt.logprobs.is_some_and(|top| top > 0)),
        ("stop", prompt.stop.len() > MOST_STOPS),
    ];
    for (name, lost) in lost {
        if lost {
            losses.drop(name);
        }
    }
}

/// The tools that are known and may be called. One alone cannot be asked for, but it can be the only one.
fn offered<'p>(prompt: &'p Prompt, losses: &mut Losses) -> Vec<&'p Tool> {
    let may = |name: &Text| match &prompt.tool_choice {
        Some(ToolChoice::Tool(only)) => only == name,
        Some(ToolChoice::Among { names, .. }) => names.contains(name),
        _ => true,
    };
    let mut tools = Vec::new();
    for tool in &prompt.tools {
        match tool {
            Tool::Function { name, .. } if may(name) => tools.push(tool),
            Tool::Function { .. } => losses.emulate("tool_choice"),
            Tool::Custom { name, .. } => losses.drop(format!("tools.{name}")),
            Tool::Hosted { what } => losses.drop(format!("tools.{what}")),
        }
    }
    let must = matches!(
        prompt.tool_choice,
        Some(ToolChoice::Required | ToolChoice::Tool(_) | ToolChoice::Among { required: true, .. })
    );
    if must && tools.is_empty() {
        losses.drop("tool_choice");
    }
    tools
}

fn write_tools(tools: &[&Tool], prompt: &Prompt, losses: &mut Losses, body: &mut ObjectWriter<'_>) {
    body.array("tools", |list| {
        for tool in tools {
            write_tool(tool, losses, list);
        }
    });
    let is_strict = |tool: &&&Tool| {
        matches!(
            tool,
            Tool::Function {
                strict: Some(true),
                ..
            }
        )
    };
    match tools.iter().filter(is_strict).count() {
        0 => {}
        all if all == tools.len() => body.plain("strict_tools", true),
        // It is all of them or none.
        _ => losses.drop("tools.strict"),
    }
    match &prompt.tool_choice {
        None
        | Some(
            ToolChoice::Auto
            | ToolChoice::Among {
                required: false, ..
            },
        ) => {}
        Some(ToolChoice::None) => body.string("tool_choice", "NONE"),
        Some(
            ToolChoice::Required | ToolChoice::Tool(_) | ToolChoice::Among { required: true, .. },
        ) => body.string("tool_choice", "REQUIRED"),
    }
}

fn write_tool(tool: &Tool, losses: &mut Losses, list: &mut ArrayWriter<'_>) {
    let Tool::Function {
        name,
        description,
        parameters,
        cache,
        ..
    } = tool
    else {
        return;
    };
    if cache.is_some() {
        losses.drop("cache_control");
    }
    list.object(|tool| {
        tool.string("type", "function");
        tool.object("function", |function| {
            function.string("name", name);
            if let Some(description) = description {
                function.string("description", description);
            }
            match parameters {
                Some(schema) => function.json("parameters", schema),
                None => function.object("parameters", |schema| {
                    schema.string("type", "object");
                    schema.object("properties", |_| {});
                }),
            }
        });
    });
}

/// Answers are always held to a schema: `strict` asks for nothing else.
fn write_output(output: &Output, schema: Option<&Json>, body: &mut ObjectWriter<'_>) {
    if *output == Output::Text {
        return;
    }
    body.object("response_format", |format| {
        format.string("type", "json_object");
        if let Some(schema) = schema {
            format.json("json_schema", schema);
        }
    });
}

fn write_sampling(prompt: &Prompt, losses: &mut Losses, body: &mut ObjectWriter<'_>) {
    if let Some(limit) = prompt.max_output_tokens {
        body.plain("max_tokens", limit);
    }
    if !prompt.stop.is_empty() {
        body.array("stop_sequences", |list| {
            for stop in prompt.stop.iter().take(MOST_STOPS) {
                list.string(stop);
            }
        });
    }
    if let Some(temperature) = &prompt.temperature {
        body.json("temperature", temperature);
    }
    // The ranges are narrower than elsewhere: what is beyond them is refused.
    for (name, value, own, least, most) in [
        ("top_p", &prompt.top_p, "p", 0.01, 0.99),
        ("top_k", &prompt.top_k, "k", 0.0, 500.0),
        (
            "presence_penalty",
            &prompt.presence_penalty,
            "presence_penalty",
            0.0,
            1.0,
        ),
        (
            "frequency_penalty",
            &prompt.frequency_penalty,
            "frequency_penalty",
            0.0,
            1.0,
        ),
    ] {
        if let Some(value) = value {
            let number: f64 = value.as_str().parse().unwrap_or(least);
            // Some models take one of the penalties only, and refuse both even where one is nothing.
            if number == 0.0 && own.ends_with("_penalty") {
                continue;
            }
            if (least..=most).contains(&number) {
                body.json(own, value);
            } else {
                losses.emulate(name);
                body.member(own).plain(number.clamp(least, most));
            }
        }
    }
    if let Some(seed) = &prompt.seed {
        body.json("seed", seed);
    }
    if prompt.logprobs.is_some() {
        body.plain("logprobs", true);
    }
}

/// <https://docs.cohere.com/docs/reasoning>
fn write_reasoning(reasoning: &Reasoning, losses: &mut Losses, body: &mut ObjectWriter<'_>) {
    if reasoning.effort().is_none() && reasoning.visible != Some(true) {
        return;
    }
    let off = reasoning.effort() == Some(Effort::None);
    if reasoning.visible == Some(false) && !off {
        // What is thought is always shown.
        losses.drop("reasoning.summary");
    }
    body.object("thinking", |thinking| {
        thinking.string("type", if off { "disabled" } else { "enabled" });
        if let Some(budget) = reasoning.budget().filter(|_| !off) {
            thinking.plain("token_budget", budget);
        }
    });
}

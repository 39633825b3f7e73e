//! A request's body.

use super::messages::Messages;
use crate::chat::{ChatRequest, Effort, Losses, Output, Prompt, Reasoning, Tool, ToolChoice};
use crate::codec::{ReplyForm, Target, WireRequest};
use crate::codecs::own;
use crate::codecs::schema_label::labelled;
use crate::error::ApiError;
use crate::json::{ArrayWriter, Json, Node, ObjectWriter, object};
use crate::segments::Segments;
use crate::text::Text;

/// What a client of OpenAI's protocol may add for Ollama: how long the model stays loaded, whether a prompt that is too
/// long is cut, and `options` beyond those that have a name in OpenAI's protocol (`num_ctx`, `repeat_penalty`, …).
const OWN: [&str; 4] = ["keep_alive", "options", "shift", "truncate"];

pub(super) fn encode(request: &ChatRequest, target: &Target<'_>) -> Result<WireRequest, ApiError> {
    let prompt = request.prompt()?;
    let mut losses = Losses::default();
    let own = own::parameters(request, prompt, &OWN, &mut losses);
    let not_options =
        |(name, value): &&(&str, Json)| *name == "options" && !value.as_str().starts_with('{');
    if own.iter().any(|one| not_options(&one)) {
        losses.drop("options");
    }
    let body = object(|body| {
        body.string("model", target.model);
        body.array("messages", |list| {
            Messages::new(prompt, &mut losses, list).write(target.system_prompt);
        });
        write_tools(prompt, &mut losses, body);
        if prompt.output == Output::Json {
            body.string("format", "json");
        } else if let Some(schema) = labelled(&prompt.output, &mut losses) {
            // Answers are always held to it: `strict` asks for nothing else.
            body.json("format", &schema);
        }
        write_options(prompt, &own, body);
        if let Some(reasoning) = &prompt.reasoning {
            write_reasoning(reasoning, &mut losses, body);
        }
        if let Some(alternatives) = prompt.logprobs {
            body.plain("logprobs", true);
            if alternatives > 0 {
                body.plain("top_logprobs", alternatives);
            }
        }
        for (name, value) in own.iter().filter(|(name, _)| *name != "options") {
            body.json(name, value);
        }
        // Ollama streams unless it is told not to.
        body.plain("stream", request.stream);
    });
    drop_the_rest(prompt, &mut losses);
    let form = ReplyForm::default();
    let body = Segments::from(body);
    Ok(WireRequest::post_json(
        "/chat".to_owned(),
        body,
        losses,
        form,
    ))
}

fn drop_the_rest(prompt: &Prompt, losses: &mut Losses) {
    if prompt.choices.is_some_and(|count| count > 1) {
        losses.drop("n");
    }
    if prompt.user.is_some() {
        losses.drop("user");
    }
}

/// Tools can be offered or not: nobody can be made to call one.
fn write_tools(prompt: &Prompt, losses: &mut Losses, body: &mut ObjectWriter<'_>) {
    const CHOICE: &str = "tool_choice";
    match &prompt.tool_choice {
        None | Some(ToolChoice::Auto) => {}
        Some(
            ToolChoice::None
            | ToolChoice::Among {
                required: false, ..
            },
        ) => {
            losses.emulate(CHOICE);
        }
        Some(
            ToolChoice::Required | ToolChoice::Tool(_) | ToolChoice::Among { required: true, .. },
        ) => losses.drop(CHOICE),
    }
    if prompt.parallel_tool_calls == Some(false) {
        losses.drop("parallel_tool_calls");
    }
    let offered = |name: &Text| match &prompt.tool_choice {
        None | Some(ToolChoice::Auto | ToolChoice::Required) => true,
        Some(ToolChoice::None) => false,
        Some(ToolChoice::Tool(only)) => only == name,
        Some(ToolChoice::Among { names, .. }) => names.contains(name),
    };
    let mut tools = Vec::new();
    for tool in &prompt.tools {
        match tool {
            Tool::Function { name, .. } if offered(name) => tools.push(tool),
            Tool::Function { .. } => {}
            Tool::Custom { name, .. } => losses.drop(format!("tools.{name}")),
            Tool::Hosted { what } => losses.drop(format!("tools.{what}")),
        }
    }
    if !tools.is_empty() {
        body.array("tools", |list| {
            for tool in tools {
                write_tool(tool, losses, list);
            }
        });
    }
}

fn write_tool(tool: &Tool, losses: &mut Losses, list: &mut ArrayWriter<'_>) {
    let Tool::Function {
        name,
        description,
        parameters,
        strict,
        cache,
    } = tool
    else {
        return;
    };
    if cache.is_some() {
        losses.drop("cache_control");
    }
    if *strict == Some(true) {
        losses.drop("tools.strict");
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

/// <https://github.com/ollama/ollama/blob/main/docs/modelfile.mdx#valid-parameters-and-values>
fn write_options(prompt: &Prompt, own: &[(&str, Json)], body: &mut ObjectWriter<'_>) {
    let limit = prompt.max_output_tokens.map(|limit| limit.to_string());
    let limit = limit.map(|limit| Json::of_valid(Text::from(limit)));
    let named = [
        ("num_predict", &limit),
        ("temperature", &prompt.temperature),
        ("top_k", &prompt.top_k),
        ("top_p", &prompt.top_p),
        ("min_p", &prompt.min_p),
        ("seed", &prompt.seed),
        ("presence_penalty", &prompt.presence_penalty),
        ("frequency_penalty", &prompt.frequency_penalty),
    ];
    let own = own.iter().find(|(name, _)| *name == "options");
    let own = own.map(|(_, value)| value.as_text().as_bytes());
    let own = own.and_then(|document| Node::parse(document).ok());
    let said = |name: &str| match name {
        "stop" => !prompt.stop.is_empty(),
        name => named
            .iter()
            .any(|(one, value)| *one == name && value.is_some()),
    };
    let rest = own.iter().flat_map(Node::members);
    let rest: Vec<_> = rest.filter(|(name, _)| !said(name)).collect();
    let any = named.iter().any(|(_, value)| value.is_some()) || !prompt.stop.is_empty();
    if !any && rest.is_empty() {
        return;
    }
    body.object("options", |options| {
        for (name, value) in named {
            if let Some(value) = value {
                options.json(name, value);
            }
        }
        if !prompt.stop.is_empty() {
            options.array("stop", |list| {
                for stop in &prompt.stop {
                    list.string(stop);
                }
            });
        }
        for (name, value) in rest {
            options.json(&name, &value.json());
        }
    });
}

/// `think` is a level, or `false`. The levels are fewer than elsewhere, and are chosen as Ollama's own server does for
/// clients of OpenAI's protocol: <https://docs.ollama.com/capabilities/thinking>
fn write_reasoning(reasoning: &Reasoning, losses: &mut Losses, body: &mut ObjectWriter<'_>) {
    let level = match reasoning.effort() {
        Some(Effort::None) => return body.plain("think", false),
        Some(Effort::Minimal | Effort::Low) => "low",
        Some(Effort::Medium) => "medium",
        Some(Effort::High) => "high",
        Some(Effort::Max) => "max",
        None if reasoning.visible == Some(true) => return body.plain("think", true),
        None => return,
    };
    if reasoning.visible == Some(false) {
        losses.drop("reasoning.summary");
    }
    // How many tokens cannot be said.
    if reasoning.budget_tokens.is_some() || reasoning.effort() == Some(Effort::Minimal) {
        losses.emulate("reasoning");
    }
    body.string("think", level);
}

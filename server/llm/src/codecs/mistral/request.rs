//! A request's body, written anew.

use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};

use super::conversation::write_messages;
use crate::chat::{
    ChatRequest, Effort, Losses, Output, Prompt, Protocol, Reasoning, Tool, ToolChoice,
};
use crate::codec::{ReplyForm, Target, WireRequest};
use crate::error::ApiError;
use crate::json::{ArrayWriter, Json, Object, ObjectWriter, object};
use crate::text::Text;

/// What Mistral calls the same as the protocols of OpenAI that name it, or has of its own and a client of those wrote
/// into the body all the same.
const SAME: [&str; 10] = [
    "guardrails",
    "metadata",
    "min_tokens",
    "prediction",
    "prompt_cache_key",
    "prompt_logprobs",
    "prompt_mode",
    "random_seed",
    "repetition_penalty",
    "safe_prompt",
];

/// The highest temperature that is taken.
const HOTTEST: f64 = 1.5;

pub(super) fn encode(request: &ChatRequest, target: &Target<'_>) -> Result<WireRequest, ApiError> {
    let prompt = request.prompt()?;
    let mut losses = Losses::default();
    let own = own_parameters(request, prompt, &mut losses);
    let body = object(|body| {
        body.string("model", target.model);
        let thinks = thinks(prompt, target.model);
        body.array("messages", |list| {
            write_messages(prompt, target.system_prompt, thinks, &mut losses, list);
        });
        write_tools(prompt, &mut losses, body);
        write_sampling(prompt, &mut losses, body);
        write_output(&prompt.output, body);
        if let Some(reasoning) = &prompt.reasoning {
            write_reasoning(reasoning, target.model, &mut losses, body);
        }
        for (name, value) in &own {
            body.json(name, value);
        }
        if request.stream {
            body.plain("stream", true);
        }
    });
    let mut headers = HeaderMap::with_capacity(1);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(WireRequest {
        method: http::Method::POST,
        path: "/chat/completions".to_owned(),
        headers,
        body: body.into(),
        losses,
        form: ReplyForm::default(),
    })
}

/// Of what only the client's protocol has: what is Mistral's too. The rest is noted as left out.
fn own_parameters(
    request: &ChatRequest,
    prompt: &Prompt,
    losses: &mut Losses,
) -> Vec<(&'static str, Json)> {
    let openai = matches!(
        request.protocol,
        Protocol::OpenAiChat | Protocol::OpenAiResponses
    );
    let mut body = None;
    let mut own = Vec::new();
    for name in &prompt.others {
        let same = SAME.iter().find(|same| openai && *name == **same);
        let value = same.and_then(|same| {
            let body = body.get_or_insert_with(|| Object::scan(request.body.clone()).ok());
            let value = body.as_ref()?.get(same)?;
            let text = Text::from_utf8(request.body.slice_ref(value)).ok()?;
            is_taken(same, &text).then(|| (*same, Json::of_valid(text)))
        });
        match value {
            Some(found) => own.push(found),
            None => losses.drop(name.to_string()),
        }
    }
    own
}

/// A prediction may be in parts with OpenAI, but is one text with Mistral.
fn is_taken(name: &str, value: &Text) -> bool {
    let document = value.as_bytes();
    name != "prediction"
        || crate::json::Node::parse(document)
            .ok()
            .and_then(|node| Some(node.get("content")?.str().is_ok()))
            .unwrap_or(false)
}

fn write_tools(prompt: &Prompt, losses: &mut Losses, body: &mut ObjectWriter<'_>) {
    let among = match &prompt.tool_choice {
        Some(ToolChoice::Among { names, .. }) => Some(names),
        _ => None,
    };
    let offered: Vec<&Tool> = prompt
        .tools
        .iter()
        .filter(|tool| match tool {
            Tool::Function { name, .. } => among.is_none_or(|names| names.contains(name)),
            Tool::Custom { name, .. } => {
                losses.drop(format!("tools.{name}"));
                false
            }
            Tool::Hosted { what } => {
                losses.drop(format!("tools.{what}"));
                false
            }
        })
        .collect();
    if offered.is_empty() {
        if matches!(
            prompt.tool_choice,
            Some(ToolChoice::Required | ToolChoice::Tool(_) | ToolChoice::Among { .. })
        ) {
            losses.drop("tool_choice");
        }
        return;
    }
    body.array("tools", |list| {
        for tool in offered {
            write_tool(tool, losses, list);
        }
    });
    if among.is_some() {
        losses.emulate("tool_choice");
    }
    match &prompt.tool_choice {
        None => {}
        Some(
            ToolChoice::Auto
            | ToolChoice::Among {
                required: false, ..
            },
        ) => {
            body.string("tool_choice", "auto");
        }
        Some(ToolChoice::None) => body.string("tool_choice", "none"),
        Some(ToolChoice::Required | ToolChoice::Among { required: true, .. }) => {
            body.string("tool_choice", "any");
        }
        Some(ToolChoice::Tool(name)) => body.object("tool_choice", |choice| {
            choice.string("type", "function");
            choice.object("function", |function| function.string("name", name));
        }),
    }
    if let Some(parallel) = prompt.parallel_tool_calls {
        body.plain("parallel_tool_calls", parallel);
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
            if let Some(strict) = strict {
                function.plain("strict", strict);
            }
        });
    });
}

fn write_sampling(prompt: &Prompt, losses: &mut Losses, body: &mut ObjectWriter<'_>) {
    if let Some(limit) = prompt.max_output_tokens {
        body.plain("max_tokens", limit);
    }
    if let Some(temperature) = &prompt.temperature {
        let number = temperature.as_str().parse::<f64>();
        if number.is_ok_and(|number| number > HOTTEST) {
            losses.emulate("temperature");
            body.float("temperature", HOTTEST);
        } else {
            body.json("temperature", temperature);
        }
    }
    for (name, value) in [
        ("top_p", &prompt.top_p),
        ("top_k", &prompt.top_k),
        ("presence_penalty", &prompt.presence_penalty),
        ("frequency_penalty", &prompt.frequency_penalty),
        ("random_seed", &prompt.seed),
    ] {
        if let Some(value) = value {
            body.json(name, value);
        }
    }
    match prompt.stop.as_slice() {
        [] => {}
        stops => body.array("stop", |list| {
            stops.iter().for_each(|stop| list.string(stop));
        }),
    }
    if let Some(choices) = prompt.choices.filter(|choices| *choices != 1) {
        body.plain("n", choices);
    }
    if let Some(alternatives) = prompt.logprobs {
        body.plain("logprobs", true);
        if alternatives > 0 {
            body.plain("top_logprobs", alternatives);
        }
    }
    if prompt.min_p.is_some() {
        losses.drop("min_p");
    }
    if prompt.user.is_some() {
        losses.drop("user");
    }
}

fn write_output(output: &Output, body: &mut ObjectWriter<'_>) {
    match output {
        Output::Text => {}
        Output::Json => body.object("response_format", |format| {
            format.string("type", "json_object");
        }),
        Output::Schema {
            name,
            description,
            schema,
            strict,
        } => body.object("response_format", |format| {
            format.string("type", "json_schema");
            format.object("json_schema", |inner| {
                inner.string("name", name.as_deref().unwrap_or("answer"));
                if let Some(description) = description {
                    inner.string("description", description);
                }
                inner.json("schema", schema);
                if let Some(strict) = strict {
                    inner.plain("strict", strict);
                }
            });
        }),
    }
}

/// Models that think whenever they are asked for anything.
fn always_thinks(model: &str) -> bool {
    model.starts_with("magistral")
}

/// Models that are known not to think, in any of their versions.
fn never_thinks(model: &str) -> bool {
    const FAMILIES: [&str; 9] = [
        "codestral",
        "devstral",
        "ministral",
        "mistral-large-2",
        "mistral-medium-2",
        "mistral-small-24",
        "mistral-small-25",
        "pixstral",
        "voxtral",
    ];
    let open = model.starts_with("open-");
    open || FAMILIES.iter().any(|family| model.starts_with(family))
}

/// Whether thoughts of earlier turns, which nobody signed, are of use to the model.
fn thinks(prompt: &Prompt, model: &str) -> bool {
    let asked = prompt.reasoning.as_ref().and_then(Reasoning::effort);
    let asked = asked.is_some_and(|effort| effort > Effort::Minimal);
    always_thinks(model) || asked && !never_thinks(model)
}

/// `reasoning_effort` of models that can be told, `prompt_mode` of those that always think:
/// <https://docs.mistral.ai/capabilities/reasoning>. Most know two efforts only, the large ones more.
fn write_reasoning(
    reasoning: &Reasoning,
    model: &str,
    losses: &mut Losses,
    body: &mut ObjectWriter<'_>,
) {
    let Some(effort) = reasoning.effort() else {
        return;
    };
    // How many tokens cannot be said.
    let by_tokens = reasoning.budget_tokens.is_some_and(|budget| budget > 0);
    if reasoning.visible == Some(false) && effort != Effort::None && !never_thinks(model) {
        // What is thought is always shown.
        losses.drop("reasoning.summary");
    }
    if always_thinks(model) {
        match effort {
            Effort::None => losses.drop("reasoning"),
            Effort::High if !by_tokens => {}
            _ => losses.emulate("reasoning"),
        }
        if effort != Effort::None {
            body.string("prompt_mode", "reasoning");
        }
        return;
    }
    if never_thinks(model) {
        if effort != Effort::None {
            losses.drop("reasoning");
        }
        return;
    }
    let (word, exact) = match effort {
        Effort::None => ("none", true),
        Effort::Minimal => ("none", false),
        Effort::Low if model.starts_with("mistral-large") => ("low", true),
        Effort::Medium if model.starts_with("mistral-large") => ("medium", true),
        Effort::High => ("high", true),
        Effort::Low | Effort::Medium | Effort::Max => ("high", false),
    };
    if !exact || by_tokens {
        losses.emulate("reasoning");
    }
    body.string("reasoning_effort", word);
}

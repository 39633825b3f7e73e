//! A body written from what a client of another protocol says:
//! <https://platform.openai.com/docs/api-reference/responses/create>

mod content;
mod items;
mod models;
mod tools;

use self::models::Reasons;
use crate::chat::{
    ChatRequest, Effort, Losses, Output, Part, PartContent, Prompt, Protocol, Reasoning, Role,
};
use crate::codec::Target;
use crate::error::ApiError;
use crate::json::{Json, Object, ObjectWriter, object};
use crate::segments::Segments;
use crate::text::Text;

/// Writes the body, and notes what it does not say.
///
/// # Errors
/// What in the client's request makes no sense.
pub(super) fn body(
    request: &ChatRequest,
    target: &Target<'_>,
    losses: &mut Losses,
) -> Result<Segments, ApiError> {
    let prompt = request.prompt()?;
    let mut build = Build {
        client: request.protocol,
        reasons: Reasons::of(target.model),
        losses,
    };
    let leading = prompt
        .messages
        .iter()
        .take_while(|message| message.role == Role::System && message.parts.iter().all(is_text))
        .count();
    let (instructions, conversation) = prompt.messages.split_at(leading);
    let mut told: Vec<&str> = Vec::new();
    for message in instructions {
        build.lose_name(message);
        for part in &message.parts {
            build.lose_cache(part);
            if let PartContent::Text { text, .. } = &part.content {
                told.push(text);
            }
        }
    }
    told.extend(target.system_prompt);
    let told: Vec<&str> = told.into_iter().filter(|text| !text.is_empty()).collect();
    let same = SameName::of(request, prompt);
    let body = object(|body| {
        body.string("model", target.model);
        if !told.is_empty() {
            body.string("instructions", &told.join("\n\n"));
        }
        body.array("input", |list| build.items(list, conversation));
        build.tools(body, prompt);
        build.parameters(body, prompt);
        build.text(body, &prompt.output, same.verbosity.as_ref());
        build.reasoning(body, prompt);
        for (name, json) in &same.parameters {
            body.json(name, json);
        }
        // Nobody will ever ask for it again.
        body.plain("store", false);
        if request.stream {
            body.plain("stream", true);
        }
    });
    for other in prompt.others.iter().filter(|other| !same.says(other)) {
        build.losses.drop(other.to_string());
    }
    Ok(Segments::from(body))
}

fn is_text(part: &Part) -> bool {
    matches!(part.content, PartContent::Text { .. })
}

/// A body under construction.
struct Build<'a> {
    /// What the client speaks.
    client: Protocol,
    reasons: Reasons,
    losses: &'a mut Losses,
}

/// Parameters that no prompt has, and that are called the same in OpenAI's two protocols.
#[derive(Default)]
struct SameName {
    parameters: Vec<(&'static str, Json)>,
    /// In `text` here.
    verbosity: Option<Json>,
}

impl SameName {
    const NAMES: [&'static str; 4] = [
        "metadata",
        "prompt_cache_key",
        "prompt_cache_retention",
        "service_tier",
    ];

    fn of(request: &ChatRequest, prompt: &Prompt) -> Self {
        let known = |other: &Text| other == "verbosity" || Self::NAMES.contains(&other.as_str());
        if request.protocol != Protocol::OpenAiChat || !prompt.others.iter().any(known) {
            return Self::default();
        }
        let Ok(said) = Object::scan(request.body.clone()) else {
            return Self::default();
        };
        let json = |name: &str| {
            let noted = prompt.others.iter().any(|other| other == name);
            let json = said.get(name).filter(|_| noted)?;
            let json = std::str::from_utf8(json).ok()?;
            Some(Json::of_valid(Text::from(json)))
        };
        let parameters = Self::NAMES.into_iter();
        Self {
            parameters: parameters
                .filter_map(|name| Some((name, json(name)?)))
                .collect(),
            verbosity: json("verbosity"),
        }
    }

    fn says(&self, other: &str) -> bool {
        self.parameters.iter().any(|(name, _)| *name == other)
            || self.verbosity.is_some() && other == "verbosity"
    }
}

impl Build<'_> {
    fn parameters(&mut self, body: &mut ObjectWriter<'_>, prompt: &Prompt) {
        if let Some(limit) = prompt.max_output_tokens {
            body.plain("max_output_tokens", limit);
        }
        for (name, value) in [
            ("temperature", &prompt.temperature),
            ("top_p", &prompt.top_p),
        ] {
            if let Some(value) = value {
                body.json(name, value);
            }
        }
        for (name, said) in [
            ("top_k", prompt.top_k.is_some()),
            ("min_p", prompt.min_p.is_some()),
            ("presence_penalty", prompt.presence_penalty.is_some()),
            ("frequency_penalty", prompt.frequency_penalty.is_some()),
            ("seed", prompt.seed.is_some()),
            ("stop", !prompt.stop.is_empty()),
            ("n", prompt.choices.is_some_and(|count| count > 1)),
        ] {
            if said {
                self.losses.drop(name);
            }
        }
        if let Some(count) = prompt.logprobs.filter(|&count| count > 0) {
            body.plain("top_logprobs", count);
        }
        let thinks = (prompt.reasoning.as_ref().is_some_and(thinks) || has_seals(prompt))
            && self.reasons != Reasons::Never;
        if thinks || prompt.logprobs.is_some() {
            body.array("include", |list| {
                // What was thought comes sealed: nothing is stored that it could be looked up in.
                if thinks {
                    list.string("reasoning.encrypted_content");
                }
                if prompt.logprobs.is_some() {
                    list.string("message.output_text.logprobs");
                }
            });
        }
        if let Some(user) = &prompt.user {
            body.string("user", user);
        }
    }

    fn text(&mut self, body: &mut ObjectWriter<'_>, output: &Output, verbosity: Option<&Json>) {
        if *output == Output::Text && verbosity.is_none() {
            return;
        }
        body.object("text", |text| {
            match output {
                Output::Text => {}
                Output::Json => text.object("format", |format| {
                    format.string("type", "json_object");
                }),
                Output::Schema {
                    name,
                    description,
                    schema,
                    strict,
                } => text.object("format", |format| {
                    format.string("type", "json_schema");
                    format.string("name", name.as_deref().unwrap_or("answer"));
                    if let Some(description) = description {
                        format.string("description", description);
                    }
                    format.json("schema", schema);
                    if let Some(strict) = strict {
                        format.plain("strict", strict);
                    }
                }),
            }
            if let Some(verbosity) = verbosity {
                text.json("verbosity", verbosity);
            }
        });
    }

    fn reasoning(&mut self, body: &mut ObjectWriter<'_>, prompt: &Prompt) {
        let Some(reasoning) = &prompt.reasoning else {
            return;
        };
        match (self.reasons, thinks(reasoning)) {
            (Reasons::UnlessTold, _) | (Reasons::Always, true) => {}
            (Reasons::Always, false) | (Reasons::Never, true) => {
                self.losses.drop("reasoning");
                return;
            }
            // Not to reason is what such a model does.
            (Reasons::Never, false) => return,
        }
        let effort = reasoning.effort().map(effort_word);
        let visible = reasoning.visible == Some(true) && thinks(reasoning);
        if effort.is_none() && !visible {
            return;
        }
        body.object("reasoning", |field| {
            if let Some(effort) = effort {
                field.string("effort", effort);
            }
            if visible {
                field.string("summary", "auto");
            }
        });
        if reasoning.effort.is_none() && reasoning.budget_tokens.is_some_and(|budget| budget > 0) {
            self.losses.emulate("reasoning");
        }
    }
}

fn thinks(reasoning: &Reasoning) -> bool {
    reasoning.effort() != Some(Effort::None)
}

fn has_seals(prompt: &Prompt) -> bool {
    let mut parts = prompt.messages.iter().flat_map(|message| &message.parts);
    parts.any(|part| {
        matches!(&part.content, PartContent::Reasoning { seal: Some(seal), .. }
            if seal.protocol == Protocol::OpenAiResponses)
    })
}

fn effort_word(effort: Effort) -> &'static str {
    match effort {
        Effort::None => "none",
        Effort::Minimal => "minimal",
        Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High => "high",
        Effort::Max => "xhigh",
    }
}

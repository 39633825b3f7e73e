//! A body written from what a client of another protocol says:
//! <https://platform.openai.com/docs/api-reference/chat/create>

mod media;
mod messages;
mod tools;

use super::request::{ANY_OBJECT, in_words};
use super::{EffortField, OutputFormat, Quirks};
use crate::chat::{
    ChatRequest, Effort, Losses, Output, PartContent, Prompt, Protocol, Reasoning, Role,
};
use crate::codec::Target;
use crate::codecs::schema_label::labelled;
use crate::error::ApiError;
use crate::json::{Json, ObjectWriter, object};
use crate::segments::Segments;
use crate::text::Text;

/// Writes the body, and notes what it does not say.
///
/// # Errors
/// What in the client's request makes no sense.
pub(super) fn body(
    quirks: &Quirks,
    request: &ChatRequest,
    target: &Target<'_>,
    losses: &mut Losses,
) -> Result<Segments, ApiError> {
    let prompt = request.prompt()?;
    let mut told: Vec<String> = Vec::new();
    told.extend(target.system_prompt.map(str::to_owned));
    told.extend(words(quirks, prompt, losses));
    let mut build = Build {
        quirks,
        client: request.protocol,
        losses,
    };
    let body = object(|body| {
        body.string("model", target.model);
        body.array("messages", |list| build.messages(list, prompt, &told));
        build.tools(body, prompt);
        build.parameters(body, prompt);
        build.output(body, &prompt.output);
        if let Some(reasoning) = &prompt.reasoning {
            build.reasoning(body, reasoning);
        }
        if request.stream {
            body.plain("stream", true);
            // Usage is always asked for: requests are recorded, whatever their client wants to see.
            if quirks.stream_options {
                body.object("stream_options", |options| {
                    options.plain("include_usage", true);
                });
            }
        }
    });
    for other in &prompt.others {
        build.losses.drop(other.to_string());
    }
    Ok(Segments::from(body))
}

/// A body under construction.
struct Build<'a> {
    quirks: &'a Quirks,
    /// What the client speaks.
    client: Protocol,
    losses: &'a mut Losses,
}

impl Build<'_> {
    fn parameters(&mut self, body: &mut ObjectWriter<'_>, prompt: &Prompt) {
        if let Some(limit) = prompt.max_output_tokens {
            body.plain(self.quirks.token_limit_name(), limit);
        }
        self.number(body, "temperature", &prompt.temperature);
        self.number(body, "top_p", &prompt.top_p);
        self.number(body, "presence_penalty", &prompt.presence_penalty);
        self.number(body, "frequency_penalty", &prompt.frequency_penalty);
        self.number(body, "seed", &prompt.seed);
        for (name, value) in [("top_k", &prompt.top_k), ("min_p", &prompt.min_p)] {
            if self.quirks.takes(name) {
                self.number(body, name, value);
            } else if value.is_some() {
                self.losses.drop(name);
            }
        }
        if !prompt.stop.is_empty() && self.takes("stop") {
            body.array("stop", |list| {
                for stop in &prompt.stop {
                    list.string(stop);
                }
            });
        }
        if let Some(count) = prompt.choices.filter(|&count| count > 1)
            && self.takes("n")
        {
            body.plain("n", count);
        }
        if let Some(count) = prompt.logprobs
            && self.takes("logprobs")
        {
            body.plain("logprobs", true);
            if count > 0 && self.takes("top_logprobs") {
                body.plain("top_logprobs", count);
            }
        }
        if let Some(user) = &prompt.user
            && self.takes("user")
        {
            body.string("user", user);
        }
    }

    fn number(&mut self, body: &mut ObjectWriter<'_>, name: &'static str, value: &Option<Json>) {
        if let Some(value) = value
            && self.takes(name)
        {
            body.json(name, value);
        }
    }

    /// Whether a parameter may be written; notes it as lost otherwise.
    fn takes(&mut self, name: &'static str) -> bool {
        let refused = self.quirks.refuses(name);
        if refused {
            self.losses.drop(name);
        }
        !refused
    }

    fn output(&mut self, body: &mut ObjectWriter<'_>, output: &Output) {
        const FORMAT: &str = "response_format";
        match (output, self.quirks.output) {
            (Output::Text, _) => return,
            (Output::Json, OutputFormat::Schema | OutputFormat::Json) => {
                body.object(FORMAT, |format| format.string("type", "json_object"));
                return;
            }
            (
                Output::Schema {
                    name,
                    description,
                    schema,
                    strict,
                },
                OutputFormat::Schema | OutputFormat::SchemaOnly,
            ) => {
                body.object(FORMAT, |format| {
                    format.string("type", "json_schema");
                    format.object("json_schema", |format| {
                        format.string("name", name.as_deref().unwrap_or("answer"));
                        if let Some(description) = description {
                            format.string("description", description);
                        }
                        format.json("schema", schema);
                        if let Some(strict) = strict {
                            format.plain("strict", strict);
                        }
                    });
                });
                return;
            }
            (Output::Json, OutputFormat::SchemaOnly) => {
                let any = Text::from_utf8(ANY_OBJECT).expect("JSON is UTF-8");
                body.json(FORMAT, &Json::of_valid(any));
            }
            (Output::Schema { .. }, OutputFormat::Json) => {
                body.object(FORMAT, |format| format.string("type", "json_object"));
            }
            (Output::Json | Output::Schema { .. }, OutputFormat::Text) => {}
        }
        self.losses.emulate(FORMAT);
    }

    fn reasoning(&mut self, body: &mut ObjectWriter<'_>, reasoning: &Reasoning) {
        const LOST: &str = "reasoning";
        /// Whether thoughts are to be seen.
        const SHOWN: &str = "reasoning.summary";
        let Some(wanted) = reasoning.effort() else {
            return;
        };
        let hidden = !self.quirks.shows_thoughts || self.quirks.effort == EffortField::Reasoning;
        match reasoning.visible {
            Some(true) if wanted != Effort::None && !self.quirks.shows_thoughts => {
                self.losses.drop(SHOWN);
            }
            Some(false) if !hidden => self.losses.drop(SHOWN),
            _ => {}
        }
        match self.quirks.effort {
            EffortField::None => self.losses.drop(LOST),
            EffortField::Thinking => {
                let on = wanted != Effort::None;
                body.object("thinking", |thinking| {
                    thinking.string("type", if on { "enabled" } else { "disabled" });
                });
                if on {
                    self.losses.emulate(LOST);
                }
            }
            EffortField::Reasoning => {
                body.object("reasoning", |field| {
                    match (reasoning.budget_tokens, self.effort(wanted)) {
                        (Some(budget @ 1..), _) => field.plain("max_tokens", budget),
                        (_, Some(effort)) => field.string("effort", effort),
                        (_, None) => field.plain("enabled", wanted != Effort::None),
                    }
                    if reasoning.visible == Some(false) {
                        field.plain("exclude", true);
                    }
                });
            }
            EffortField::ReasoningEffort => match self.effort(wanted) {
                Some(effort) => {
                    body.string("reasoning_effort", effort);
                    if reasoning.effort.is_none() {
                        self.losses.emulate(LOST);
                    }
                }
                None => self.losses.drop(LOST),
            },
        }
    }

    /// The word for an effort, or the nearest; none where thinking cannot be turned off.
    fn effort(&mut self, wanted: Effort) -> Option<&'static str> {
        let known = self.quirks.efforts;
        if wanted == Effort::None && !known.contains(&wanted) {
            return None;
        }
        let below = known.iter().rev().find(|&&effort| effort <= wanted);
        let nearest = *below.or(known.first())?;
        if nearest != wanted {
            self.losses.emulate("reasoning");
        }
        Some(match nearest {
            Effort::None => "none",
            Effort::Minimal => "minimal",
            Effort::Low => "low",
            Effort::Medium => "medium",
            Effort::High => "high",
            Effort::Max => "xhigh",
        })
    }
}

/// What the model has to be told of its answer's form, where no parameter says it, or where the upstream wants it said.
fn words(quirks: &Quirks, prompt: &Prompt, losses: &mut Losses) -> Option<String> {
    match (&prompt.output, quirks.output) {
        (Output::Schema { .. }, OutputFormat::Json | OutputFormat::Text) => {
            let schema = labelled(&prompt.output, losses);
            Some(in_words(schema.as_deref().map(Json::as_str)))
        }
        (Output::Json, OutputFormat::Text) => Some(in_words(None)),
        // A `json_object` is refused unless the messages speak of JSON.
        (Output::Json, OutputFormat::Schema | OutputFormat::Json) => {
            (!speaks_of_json(prompt)).then(|| in_words(None))
        }
        _ => None,
    }
}

fn speaks_of_json(prompt: &Prompt) -> bool {
    let from_people = prompt
        .messages
        .iter()
        .filter(|message| matches!(message.role, Role::System | Role::User));
    from_people.flat_map(|message| &message.parts).any(|part| {
        let PartContent::Text { text, .. } = &part.content else {
            return false;
        };
        let bytes = text.as_bytes();
        memchr::memchr2_iter(b'j', b'J', bytes).any(|at| {
            bytes
                .get(at..at + 4)
                .is_some_and(|word| word.eq_ignore_ascii_case(b"json"))
        })
    })
}

//! A request of another protocol, written anew.

use http::HeaderMap;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};

use super::messages::{self, Block, Conversation, Turn, conversation};
use super::models::Model;
use super::output::answer;
use super::thinking::{Setting, Thoughts, thoughts};
use super::{cache, tools};
use crate::chat::{ChatRequest, Losses, Prompt, Role};
use crate::codec::{ReplyForm, Target, WireRequest};
use crate::error::ApiError;
use crate::json::{Json, ObjectWriter, object};
use crate::text::Text;
use crate::wire::anthropic::VERSION;

pub(super) static VERSION_HEADER: HeaderName = HeaderName::from_static("anthropic-version");

pub(super) fn encode(request: &ChatRequest, target: &Target<'_>) -> Result<WireRequest, ApiError> {
    let prompt = request.prompt()?;
    let model = Model::of(target.model);
    let mut losses = Losses::default();
    let mut conversation = conversation(prompt, model, &mut losses);
    let mut tools = tools::offered(prompt, &conversation, model, &mut losses);
    let answer = answer(prompt, &mut tools, model, &mut losses);
    let own = target.system_prompt.map(Text::from);
    let added = own.into_iter().chain(answer.instruction.map(Text::from));
    conversation.system.extend(added.map(Block::text));
    somebody_speaks(&mut conversation, &mut losses)?;
    cache::limit(&mut tools, &mut conversation, &mut losses);
    // At most what the model writes at most: it says the same.
    let wanted = prompt.max_output_tokens.unwrap_or(model.max_tokens());
    let max_tokens = model.most_tokens().map_or(wanted, |most| wanted.min(most));
    let setting = Setting {
        model,
        max_tokens,
        forced: tools.forced(),
        conversation: &conversation,
    };
    let thoughts = thoughts(prompt.reasoning.as_ref(), &setting, &mut losses);
    let samples = model.samples() && target.api_version.is_none_or(|version| version <= VERSION);
    let sampling = Sampling::of(prompt, model, samples, &thoughts, &mut losses);
    let stop = stop_sequences(prompt, &mut losses);
    let user = user_id(prompt, &mut losses);
    note_unsayable(prompt, &mut losses);

    let body = object(|out| {
        out.string("model", target.model);
        out.plain("max_tokens", max_tokens);
        if request.stream {
            out.plain("stream", true);
        }
        write_conversation(&conversation, out);
        tools.write(out);
        thoughts.write(out);
        if thoughts.effort.is_some() || answer.format.is_some() {
            out.object("output_config", |out| {
                if let Some(effort) = thoughts.effort {
                    out.string("effort", effort);
                }
                if let Some(schema) = &answer.format {
                    out.object("format", |out| {
                        out.string("type", "json_schema");
                        out.json("schema", schema);
                    });
                }
            });
        }
        if !stop.is_empty() {
            out.array("stop_sequences", |list| {
                for text in stop {
                    list.string(text);
                }
            });
        }
        sampling.write(out);
        if let Some(user) = user {
            out.object("metadata", |out| out.string("user_id", user));
        }
    });
    Ok(WireRequest {
        method: http::Method::POST,
        path: "/messages".to_owned(),
        headers: headers(target.api_version),
        body: body.into(),
        losses,
        form: ReplyForm {
            carried: false,
            answer_tool: answer.tool,
        },
    })
}

/// What every request says of itself.
pub(super) fn headers(api_version: Option<&str>) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(4);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let version = api_version.and_then(|version| HeaderValue::from_str(version).ok());
    let version = version.unwrap_or(HeaderValue::from_static(VERSION));
    headers.insert(VERSION_HEADER.clone(), version);
    headers
}

/// There has to be a turn: where there are only instructions, the last of them is one.
fn somebody_speaks(conversation: &mut Conversation, losses: &mut Losses) -> Result<(), ApiError> {
    if !conversation.turns.is_empty() {
        return Ok(());
    }
    let Some(last) = conversation.system.pop() else {
        let message = "The parameter 'messages' says nothing: give at least one message with text.";
        return Err(ApiError::invalid(message).with_param("messages"));
    };
    losses.emulate("messages.role");
    conversation.turns.push(Turn {
        role: Role::User,
        blocks: vec![last],
    });
    Ok(())
}

fn write_conversation(conversation: &Conversation, out: &mut ObjectWriter<'_>) {
    if !conversation.system.is_empty() {
        out.array("system", |list| {
            messages::write_blocks(&conversation.system, list);
        });
    }
    out.array("messages", |list| {
        for turn in &conversation.turns {
            list.object(|out| turn.write(out));
        }
    });
}

/// `temperature`, `top_p` and `top_k`, as far as the model takes them.
#[derive(Debug, Default)]
struct Sampling {
    temperature: Option<Json>,
    top_p: Option<Json>,
    top_k: Option<Json>,
}

impl Sampling {
    fn of(
        prompt: &Prompt,
        model: Model,
        samples: bool,
        thoughts: &Thoughts,
        losses: &mut Losses,
    ) -> Self {
        let number = |json: &Json| json.as_str().parse::<f64>().unwrap_or(1.0);
        let mut sampling = Self::default();
        if let Some(temperature) = &prompt.temperature {
            let given = number(temperature);
            // 1 is what happens anyway.
            if samples && !thoughts.on() {
                sampling.temperature = Some(if given > 1.0 {
                    losses.emulate("temperature");
                    Json::of_valid(Text::from_static("1"))
                } else {
                    temperature.clone()
                });
            } else if given != 1.0 {
                losses.drop("temperature");
            }
        }
        if let Some(top_p) = &prompt.top_p {
            let given = number(top_p);
            let fits = !thoughts.on() || given >= 0.95;
            let alone = model.samples_both() || sampling.temperature.is_none();
            if samples && fits && alone {
                sampling.top_p = Some(top_p.clone());
            } else if given < 1.0 {
                losses.drop("top_p");
            }
        }
        if let Some(top_k) = &prompt.top_k {
            if samples && !thoughts.on() {
                sampling.top_k = Some(top_k.clone());
            } else {
                losses.drop("top_k");
            }
        }
        sampling
    }

    fn write(&self, out: &mut ObjectWriter<'_>) {
        for (key, value) in [
            ("temperature", &self.temperature),
            ("top_p", &self.top_p),
            ("top_k", &self.top_k),
        ] {
            if let Some(value) = value {
                out.json(key, value);
            }
        }
    }
}

/// The API wants something visible in each.
fn stop_sequences<'p>(prompt: &'p Prompt, losses: &mut Losses) -> Vec<&'p Text> {
    let (visible, blank): (Vec<_>, Vec<_>) =
        prompt.stop.iter().partition(|text| !text.trim().is_empty());
    if !blank.is_empty() {
        losses.drop("stop");
    }
    visible
}

fn user_id<'p>(prompt: &'p Prompt, losses: &mut Losses) -> Option<&'p Text> {
    /// The API's limit, in characters.
    const LONGEST: usize = 256;
    let user = prompt.user.as_ref().filter(|user| !user.is_empty())?;
    if user.chars().count() > LONGEST {
        losses.drop("user");
        return None;
    }
    Some(user)
}

fn note_unsayable(prompt: &Prompt, losses: &mut Losses) {
    let said = [
        ("min_p", prompt.min_p.is_some()),
        ("presence_penalty", prompt.presence_penalty.is_some()),
        ("frequency_penalty", prompt.frequency_penalty.is_some()),
        ("seed", prompt.seed.is_some()),
        ("n", prompt.choices.is_some_and(|choices| choices > 1)),
        ("logprobs", prompt.logprobs.is_some()),
    ];
    for (what, _) in said.into_iter().filter(|(_, said)| *said) {
        losses.drop(what);
    }
    for other in &prompt.others {
        losses.drop(other.to_string());
    }
}

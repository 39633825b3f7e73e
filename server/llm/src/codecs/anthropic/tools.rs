//! Tools, and which of them to call: <https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/overview>

use bytes::Bytes;

use super::messages::{Conversation, Said};
use super::models::Model;
use super::schema;
use crate::chat::{CachePoint, Losses, Prompt, Tool, ToolChoice};
use crate::json::{Json, Object, ObjectWriter, object};
use crate::text::Text;
use crate::wire::anthropic::{FREE_TEXT, allowed_word};

/// As many tools may be strict in one request.
const MOST_STRICT: usize = 20;

/// What the model may call.
#[derive(Debug, Default)]
pub(super) struct Tools {
    pub list: Vec<Offered>,
    pub choice: Option<Choice>,
    /// One call at a time.
    pub one_by_one: bool,
}

#[derive(Debug)]
pub(super) struct Offered {
    pub name: Text,
    pub description: Option<Text>,
    pub schema: Json,
    pub strict: bool,
    pub cache: Option<CachePoint>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    Auto,
    Any,
    Tool(Text),
    None,
}

impl Tools {
    /// Whether some tool must be called.
    pub(super) fn forced(&self) -> bool {
        matches!(self.choice, Some(Choice::Any | Choice::Tool(_)))
    }

    pub(super) fn write(&self, out: &mut ObjectWriter<'_>) {
        if !self.list.is_empty() {
            out.array("tools", |list| {
                for tool in &self.list {
                    list.object(|out| tool.write(out));
                }
            });
        }
        let choice = match &self.choice {
            None if self.one_by_one => &Choice::Auto,
            None => return,
            Some(choice) => choice,
        };
        out.object("tool_choice", |out| {
            match choice {
                Choice::Auto => out.string("type", "auto"),
                Choice::Any => out.string("type", "any"),
                Choice::None => out.string("type", "none"),
                Choice::Tool(name) => {
                    out.string("type", "tool");
                    out.string("name", name);
                }
            }
            if self.one_by_one && *choice != Choice::None {
                out.plain("disable_parallel_tool_use", true);
            }
        });
    }
}

impl Offered {
    fn write(&self, out: &mut ObjectWriter<'_>) {
        out.string("name", &self.name);
        if let Some(description) = &self.description {
            out.string("description", description);
        }
        out.json("input_schema", &self.schema);
        if self.strict {
            out.plain("strict", true);
        }
        if let Some(point) = &self.cache {
            super::cache::write(point, out);
        }
    }
}

/// The tools of a prompt.
pub(super) fn offered(
    prompt: &Prompt,
    conversation: &Conversation,
    model: Model,
    losses: &mut Losses,
) -> Tools {
    let mut tools = Tools::default();
    let mut strict = 0;
    for tool in &prompt.tools {
        match tool {
            Tool::Function {
                name,
                description,
                parameters,
                strict: wanted,
                cache,
            } => {
                let schema = with_type(parameters.as_ref());
                let fits = *wanted == Some(true)
                    && model.structured_outputs()
                    && strict < MOST_STRICT
                    && schema::fits(&schema);
                if fits {
                    strict += 1;
                } else if *wanted == Some(true) {
                    losses.drop("tools.strict");
                }
                tools.list.push(Offered {
                    name: allowed_word(name),
                    description: description.clone().filter(|text| !text.is_empty()),
                    schema,
                    strict: fits,
                    cache: cache.clone(),
                });
            }
            Tool::Custom {
                name,
                description,
                format,
            } => {
                losses.emulate(format!("tools.{name}"));
                if format.is_some() {
                    losses.drop(format!("tools.{name}.format"));
                }
                tools.list.push(Offered {
                    name: allowed_word(name),
                    description: description.clone().filter(|text| !text.is_empty()),
                    schema: free_text_schema(),
                    strict: false,
                    cache: None,
                });
            }
            Tool::Hosted { what } => losses.drop(format!("tools.{what}")),
        }
    }
    tools.choice = choice(prompt, &mut tools.list, model, losses);
    tools.one_by_one = prompt.parallel_tool_calls == Some(false) && !tools.list.is_empty();
    if tools.list.is_empty() {
        offer_earlier_calls(conversation, &mut tools);
    }
    tools
}

fn choice(
    prompt: &Prompt,
    list: &mut Vec<Offered>,
    model: Model,
    losses: &mut Losses,
) -> Option<Choice> {
    let choice = match prompt.tool_choice.as_ref()? {
        ToolChoice::Auto => Choice::Auto,
        ToolChoice::None => Choice::None,
        ToolChoice::Required => Choice::Any,
        ToolChoice::Tool(name) => Choice::Tool(allowed_word(name)),
        ToolChoice::Among { names, required } => {
            losses.emulate("tool_choice");
            list.retain(|tool| names.iter().any(|name| allowed_word(name) == *tool.name));
            if *required { Choice::Any } else { Choice::Auto }
        }
    };
    let possible = match &choice {
        Choice::Auto | Choice::None => return Some(choice).filter(|_| !list.is_empty()),
        Choice::Any => !list.is_empty(),
        Choice::Tool(name) => list.iter().any(|tool| tool.name == *name),
    };
    if possible && model.can_be_forced() {
        return Some(choice);
    }
    losses.drop("tool_choice");
    None
}

/// Calls in the history want their tools declared, even where none may be called any more.
fn offer_earlier_calls(conversation: &Conversation, tools: &mut Tools) {
    let blocks = conversation.turns.iter().flat_map(|turn| &turn.blocks);
    for block in blocks {
        if let Said::Call { name, .. } = &block.said
            && tools.list.iter().all(|tool| tool.name != *name)
        {
            tools.list.push(Offered {
                name: name.clone(),
                description: None,
                schema: with_type(None),
                strict: false,
                cache: None,
            });
            tools.choice = Some(Choice::None);
        }
    }
}

/// A schema of an object: the API wants it to say so.
pub(super) fn with_type(parameters: Option<&Json>) -> Json {
    let plain = || Json::of_valid(Text::from_static(r#"{"type":"object","properties":{}}"#));
    let Some(parameters) = parameters else {
        return plain();
    };
    let Ok(mut schema) = Object::scan(parameters.as_text().as_bytes().clone()) else {
        return plain();
    };
    match schema.get("type") {
        Some(b"null") | None => {
            schema.set("type", Bytes::from_static(b"\"object\""));
            let written = Text::from_utf8(schema.finish().concat());
            written.map_or_else(|_| plain(), Json::of_valid)
        }
        Some(_) => parameters.clone(),
    }
}

fn free_text_schema() -> Json {
    let schema = object(|out| {
        out.string("type", "object");
        out.object("properties", |out| {
            out.object(FREE_TEXT, |out| out.string("type", "string"));
        });
        out.array("required", |list| list.string(FREE_TEXT));
    });
    Json::of_valid(Text::from_utf8(schema).unwrap_or_default())
}

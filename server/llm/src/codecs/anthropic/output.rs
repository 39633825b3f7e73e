//! Structured output: <https://docs.anthropic.com/en/docs/build-with-claude/structured-outputs>

use super::models::Model;
use super::schema;
use super::tools::{Choice, Offered, Tools, with_type};
use crate::chat::{Losses, Output, Prompt, ToolChoice};
use crate::codecs::schema_label::labelled;
use crate::json::{Json, Kind, Node};
use crate::text::Text;

/// How the answer is made to be what it has to be.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// The schema, where the model can be held to it.
    pub format: Option<Json>,
    /// The tool whose arguments are the answer.
    pub tool: Option<&'static str>,
    /// A sentence for the system's prompt, where there is nothing better.
    pub instruction: Option<String>,
}

/// Names for the tool; the client may have one of the same name.
const TOOL_NAMES: [&str; 3] = ["answer", "final_answer", "structured_final_answer"];

/// Decides how, and offers the tool if it is by one.
pub(super) fn answer(
    prompt: &Prompt,
    tools: &mut Tools,
    model: Model,
    losses: &mut Losses,
) -> Answer {
    let description = match &prompt.output {
        Output::Text => return Answer::default(),
        Output::Json => None,
        Output::Schema { description, .. } => description.as_ref(),
    };
    let schema = labelled(&prompt.output, losses);
    let fits = |schema: &Json| model.structured_outputs() && schema::fits(schema);
    if let Some(schema) = schema.as_deref().filter(|schema| fits(schema)) {
        return Answer {
            format: Some(schema.clone()),
            ..Answer::default()
        };
    }
    let schema = schema.as_deref();
    losses.emulate("response_format");
    let free = TOOL_NAMES
        .into_iter()
        .find(|name| tools.list.iter().all(|tool| tool.name != *name));
    let name = free.filter(|_| model.can_be_forced() && schema.is_none_or(is_object));
    let Some(name) = name else {
        return Answer {
            instruction: Some(instruction(schema)),
            ..Answer::default()
        };
    };
    let callable = prompt.tool_choice != Some(ToolChoice::None) && !tools.list.is_empty();
    tools.choice = Some(match tools.choice.take() {
        Some(Choice::Tool(wanted)) => Choice::Tool(wanted),
        _ if callable && tools.choice != Some(Choice::None) => Choice::Any,
        _ => {
            tools.one_by_one = true;
            Choice::Tool(Text::from_static(name))
        }
    });
    let described = description.filter(|text| !text.is_empty()).cloned();
    tools.list.push(Offered {
        name: Text::from_static(name),
        description: Some(described.unwrap_or(Text::from_static(
            "Gives the final answer to the user. Call it once, with the whole answer.",
        ))),
        schema: with_type(schema),
        strict: false,
        cache: None,
    });
    Answer {
        tool: Some(name),
        ..Answer::default()
    }
}

fn is_object(schema: &Json) -> bool {
    let Ok(root) = Node::parse(schema.as_text().as_bytes()) else {
        return false;
    };
    match root.get("type") {
        Some(kind) => kind.kind() == Kind::String && kind.str().is_ok_and(|kind| kind == "object"),
        None => root.kind() == Kind::Object && root.get("properties").is_some(),
    }
}

fn instruction(schema: Option<&Json>) -> String {
    match schema {
        None => "Answer with one JSON object and nothing else: no text before or after it, no code fence.".to_owned(),
        Some(schema) => format!(
            "Answer with JSON of this schema and nothing else, no text before or after it, no code fence: {}",
            schema.as_str()
        ),
    }
}

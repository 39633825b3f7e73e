//! Tools, and which of them the model is to call.

use super::optional;
use crate::chat::{Tool, ToolChoice};
use crate::json::{Json, Kind, Node, ShapeError, object};
use crate::text::Text;

/// `tools`
pub(super) fn tools(value: &Node<'_>) -> Result<Vec<Tool>, ShapeError> {
    value.array()?.iter().map(tool).collect()
}

fn tool(tool: &Node<'_>) -> Result<Tool, ShapeError> {
    let kind = tool.object()?.require("type")?.text()?;
    match kind.as_str() {
        "function" => Ok(Tool::Function {
            name: tool.require("name")?.text()?,
            description: optional(tool, "description", Node::text)?,
            parameters: optional(tool, "parameters", |schema| Ok(schema.object()?.json()))?,
            strict: optional(tool, "strict", Node::bool)?,
            cache: None,
        }),
        "custom" => Ok(Tool::Custom {
            name: tool.require("name")?.text()?,
            description: optional(tool, "description", Node::text)?,
            format: optional(tool, "format", grammar)?.flatten(),
        }),
        _ => Ok(Tool::Hosted { what: kind }),
    }
}

/// `{"type": "grammar", "syntax": …, "definition": …}`, as Chat Completions has it; free text is none.
fn grammar(format: &Node<'_>) -> Result<Option<Json>, ShapeError> {
    if format.object()?.require("type")?.str()? != "grammar" {
        return Ok(None);
    }
    let syntax = format.require("syntax")?.text()?;
    let definition = format.require("definition")?.text()?;
    let written = object(|format| {
        format.string("type", "grammar");
        format.object("grammar", |grammar| {
            grammar.string("syntax", &syntax);
            grammar.string("definition", &definition);
        });
    });
    let written = Text::from_utf8(written).expect("JSON is UTF-8");
    Ok(Some(Json::of_valid(written)))
}

/// `tool_choice`; none where it names a tool that the provider itself runs.
pub(super) fn choice(value: &Node<'_>) -> Result<Option<ToolChoice>, ShapeError> {
    const WANTED: &str = "'none', 'auto', 'required' or an object that names a tool";
    if value.kind() == Kind::String {
        return match &*value.str()? {
            "auto" => Ok(Some(ToolChoice::Auto)),
            "none" => Ok(Some(ToolChoice::None)),
            "required" => Ok(Some(ToolChoice::Required)),
            _ => Err(value.not(WANTED)),
        };
    }
    if value.kind() != Kind::Object {
        return Err(value.not(WANTED));
    }
    match &*value.require("type")?.str()? {
        "function" | "custom" => Ok(Some(ToolChoice::Tool(value.require("name")?.text()?))),
        "allowed_tools" => {
            let mode = value.require("mode")?;
            let required = match &*mode.str()? {
                "auto" => false,
                "required" => true,
                _ => return Err(mode.not("'auto' or 'required'")),
            };
            let tools = value.require("tools")?.array()?.iter();
            let names = tools.map(|tool| {
                let kind = tool.object()?.require("type")?.text()?;
                match kind.as_str() {
                    "function" | "custom" => tool.require("name")?.text(),
                    _ => Ok(kind),
                }
            });
            Ok(Some(ToolChoice::Among {
                names: names.collect::<Result<_, _>>()?,
                required,
            }))
        }
        _ => Ok(None),
    }
}

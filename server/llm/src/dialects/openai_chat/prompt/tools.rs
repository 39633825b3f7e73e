//! Tools, and which of them the model is to call.

use super::optional;
use crate::chat::{CachePoint, Tool, ToolChoice};
use crate::json::{Kind, Node, ShapeError};
use crate::text::Text;

/// `tools`
pub(super) fn tools(value: &Node<'_>) -> Result<Vec<Tool>, ShapeError> {
    value.array()?.iter().map(tool).collect()
}

fn tool(tool: &Node<'_>) -> Result<Tool, ShapeError> {
    let kind = tool.object()?.require("type")?.text()?;
    match kind.as_str() {
        "function" => {
            let definition = tool.require("function")?;
            let cache = cache_point(tool)?.or(cache_point(definition)?);
            function(definition, cache)
        }
        "custom" => {
            let custom = tool.require("custom")?.object()?;
            let text = |format: &Node<'_>| -> Result<bool, ShapeError> {
                Ok(format.object()?.require("type")?.str()? == "text")
            };
            let format = match custom.get("format") {
                Some(format) if !text(format)? => Some(format.json()),
                _ => None,
            };
            Ok(Tool::Custom {
                name: custom.require("name")?.text()?,
                description: optional(custom, "description", Node::text)?,
                format,
            })
        }
        _ => Ok(Tool::Hosted { what: kind }),
    }
}

/// `functions`, the old way.
pub(super) fn functions(value: &Node<'_>) -> Result<Vec<Tool>, ShapeError> {
    let definitions = value.array()?.iter();
    definitions.map(|one| function(one, None)).collect()
}

fn function(definition: &Node<'_>, cache: Option<CachePoint>) -> Result<Tool, ShapeError> {
    definition.object()?;
    let schema = |parameters: &Node<'_>| Ok(parameters.object()?.json());
    Ok(Tool::Function {
        name: definition.require("name")?.text()?,
        description: optional(definition, "description", Node::text)?,
        parameters: optional(definition, "parameters", schema)?,
        strict: optional(definition, "strict", Node::bool)?,
        cache,
    })
}

/// `cache_control`, as clients of compatible servers have it: `{"type": "ephemeral", "ttl": "1h"}`.
pub(super) fn cache_point(node: &Node<'_>) -> Result<Option<CachePoint>, ShapeError> {
    optional(node, "cache_control", |control| {
        Ok(CachePoint {
            ttl: optional(control.object()?, "ttl", Node::text)?,
        })
    })
}

/// `tool_choice`
pub(super) fn choice(value: &Node<'_>) -> Result<ToolChoice, ShapeError> {
    const WANTED: &str = "'none', 'auto', 'required' or an object that names a tool";
    if value.kind() == Kind::String {
        return match &*value.str()? {
            "auto" => Ok(ToolChoice::Auto),
            "none" => Ok(ToolChoice::None),
            "required" | "any" => Ok(ToolChoice::Required),
            _ => Err(value.not(WANTED)),
        };
    }
    let kind = match value.kind() {
        Kind::Object => value.require("type")?,
        _ => return Err(value.not(WANTED)),
    };
    match &*kind.str()? {
        "function" => Ok(ToolChoice::Tool(name(value, "function")?)),
        "custom" => Ok(ToolChoice::Tool(name(value, "custom")?)),
        "allowed_tools" => {
            let allowed = value.require("allowed_tools")?.object()?;
            let mode = allowed.require("mode")?;
            let required = match &*mode.str()? {
                "auto" => false,
                "required" => true,
                _ => return Err(mode.not("'auto' or 'required'")),
            };
            let tools = allowed.require("tools")?.array()?.iter();
            let names = tools.map(|tool| {
                let kind = tool.object()?.require("type")?.str()?;
                match &*kind {
                    "function" | "custom" => name(tool, &kind),
                    _ => Ok(Text::from(&*kind)),
                }
            });
            Ok(ToolChoice::Among {
                names: names.collect::<Result<_, _>>()?,
                required,
            })
        }
        _ => Err(kind.not("'function', 'custom' or 'allowed_tools'")),
    }
}

fn name(value: &Node<'_>, key: &str) -> Result<Text, ShapeError> {
    value.require(key)?.object()?.require("name")?.text()
}

/// `function_call`, the old way.
pub(super) fn legacy_choice(value: &Node<'_>) -> Result<ToolChoice, ShapeError> {
    match value.kind() {
        Kind::String => match &*value.str()? {
            "auto" => Ok(ToolChoice::Auto),
            "none" => Ok(ToolChoice::None),
            _ => Err(value.not("'none', 'auto' or an object that names a function")),
        },
        _ => Ok(ToolChoice::Tool(value.object()?.require("name")?.text()?)),
    }
}

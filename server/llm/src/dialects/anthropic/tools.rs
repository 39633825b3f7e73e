//! Tools, and which of them to call: <https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/overview>

use super::prompt::read_cache;
use crate::chat::{Prompt, Tool, ToolChoice};
use crate::error::ApiError;
use crate::json::{Kind, Node};
use crate::text::Text;

pub(super) fn read_tools(
    tools: &Node<'_>,
    prompt: &mut Prompt,
    others: &mut Vec<Text>,
) -> Result<(), ApiError> {
    for tool in tools.array()? {
        prompt.tools.push(read_tool(tool, others)?);
    }
    Ok(())
}

/// One with a schema of the client's own, or one that only the provider knows: `web_search_20250305`.
fn read_tool(tool: &Node<'_>, others: &mut Vec<Text>) -> Result<Tool, ApiError> {
    let kind = tool.object()?.get("type").map(Node::text).transpose()?;
    if let Some(what) = kind.filter(|kind| *kind != "custom") {
        return Ok(Tool::Hosted { what });
    }
    for (key, value) in tool.members() {
        let known = matches!(
            &*key,
            "type"
                | "name"
                | "description"
                | "input_schema"
                | "strict"
                | "cache_control"
                | "eager_input_streaming"
        );
        let empty = match value.kind() {
            Kind::Null => true,
            Kind::Bool => !value.bool()?,
            Kind::Array => value.array()?.is_empty(),
            _ => false,
        };
        // Called by the model itself: what happens anyway.
        let direct =
            key == "allowed_callers" && matches!(value.array()?, [one] if one.str()? == "direct");
        if !known && !empty && !direct {
            let what = Text::from(format!("tools.{key}"));
            if !others.contains(&what) {
                others.push(what);
            }
        }
    }
    Ok(Tool::Function {
        name: tool.require("name")?.text()?,
        description: tool.get("description").map(Node::text).transpose()?,
        parameters: match tool.get("input_schema") {
            Some(schema) => Some(schema.object()?.json()),
            None => None,
        },
        strict: tool.get("strict").map(Node::bool).transpose()?,
        cache: tool.get("cache_control").map(read_cache).transpose()?,
    })
}

pub(super) fn read_choice(choice: &Node<'_>, prompt: &mut Prompt) -> Result<(), ApiError> {
    let kind = choice.object()?.require("type")?;
    prompt.tool_choice = Some(match &*kind.str()? {
        "auto" => ToolChoice::Auto,
        "any" => ToolChoice::Required,
        "none" => ToolChoice::None,
        "tool" => ToolChoice::Tool(choice.require("name")?.text()?),
        _ => return Err(kind.not("'auto', 'any', 'tool' or 'none'").into()),
    });
    if let Some(disable) = choice.get("disable_parallel_tool_use")
        && disable.bool()?
    {
        prompt.parallel_tool_calls = Some(false);
    }
    Ok(())
}

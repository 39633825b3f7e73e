//! `tools` and `toolConfig`: <https://ai.google.dev/api/caching#Tool>

use super::schema;
use crate::chat::{Prompt, Tool, ToolChoice};
use crate::error::ApiError;
use crate::json::{Node, ShapeError};
use crate::text::Text;
use crate::wire::gemini::{camel, items, member};

pub(super) fn read(tools: &Node<'_>, prompt: &mut Prompt) -> Result<(), ApiError> {
    for tool in items(tools) {
        for (key, value) in tool.object()?.members() {
            if value.is_null() {
                continue;
            }
            match &*camel(key) {
                "functionDeclarations" => {
                    for declaration in items(value) {
                        let function = function(declaration, &mut prompt.others)?;
                        prompt.tools.push(function);
                    }
                }
                hosted => prompt.tools.push(Tool::Hosted {
                    what: Text::from(hosted),
                }),
            }
        }
    }
    Ok(())
}

/// <https://ai.google.dev/api/caching#FunctionDeclaration>
fn function(declaration: &Node<'_>, others: &mut Vec<Text>) -> Result<Tool, ShapeError> {
    declaration.object()?.require("name")?;
    let (mut name, mut description, mut parameters) = (Text::default(), None, None);
    for (key, value) in declaration.members() {
        if value.is_null() {
            continue;
        }
        match &*camel(key) {
            "name" => name = value.text()?,
            "description" => description = Some(value.text()?),
            "parameters" => parameters = Some(schema::to_json_schema(value.object()?)),
            "parametersJsonSchema" => parameters = Some(value.object()?.json()),
            // `response`, `behavior`
            other => {
                let other = Text::from(format!("functionDeclarations.{other}"));
                if !others.contains(&other) {
                    others.push(other);
                }
            }
        }
    }
    Ok(Tool::Function {
        name,
        description,
        parameters,
        strict: None,
        cache: None,
    })
}

pub(super) fn read_config(config: &Node<'_>, prompt: &mut Prompt) -> Result<(), ApiError> {
    for (key, value) in config.object()?.members() {
        if value.is_null() {
            continue;
        }
        match &*camel(key) {
            "functionCallingConfig" => prompt.tool_choice = choice(value, &mut prompt.others)?,
            "includeServerSideToolInvocations" if value.bool() == Ok(false) => {}
            other => prompt.others.push(Text::from(other)),
        }
    }
    Ok(())
}

/// <https://ai.google.dev/api/caching#FunctionCallingConfig>
fn choice(config: &Node<'_>, others: &mut Vec<Text>) -> Result<Option<ToolChoice>, ShapeError> {
    let mut names = Vec::new();
    if let Some(allowed) = member(config.object()?, "allowedFunctionNames") {
        for name in items(allowed) {
            names.push(name.text()?);
        }
    }
    let Some(mode) = member(config, "mode") else {
        return Ok(None);
    };
    Ok(Some(
        match (mode.str()?.to_ascii_uppercase().as_str(), names.len()) {
            ("MODE_UNSPECIFIED", _) => return Ok(None),
            ("NONE", _) => ToolChoice::None,
            ("ANY", 0) => ToolChoice::Required,
            ("ANY", 1) => ToolChoice::Tool(names.swap_remove(0)),
            ("ANY", _) => ToolChoice::Among {
                names,
                required: true,
            },
            ("AUTO", 0) => ToolChoice::Auto,
            ("VALIDATED", 0) => {
                others.push(Text::from_static("functionCallingConfig.mode"));
                ToolChoice::Auto
            }
            ("AUTO" | "VALIDATED", _) => ToolChoice::Among {
                names,
                required: false,
            },
            _ => return Err(mode.not("'AUTO', 'ANY', 'NONE' or 'VALIDATED'")),
        },
    ))
}

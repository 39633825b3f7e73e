//! Tools, and which of them the model is to call.

use super::Build;
use crate::chat::{Prompt, Tool, ToolChoice};
use crate::json::{ArrayWriter, Json, Node, ObjectWriter};
use crate::text::Text;

impl Build<'_> {
    pub(super) fn tools(&mut self, body: &mut ObjectWriter<'_>, prompt: &Prompt) {
        for tool in &prompt.tools {
            match tool {
                Tool::Hosted { what } => self.losses.drop(format!("tools.{what}")),
                Tool::Function { cache: Some(_), .. } => self.losses.drop("cache_control"),
                Tool::Function { .. } | Tool::Custom { .. } => {}
            }
        }
        let known = |tool: &&Tool| !matches!(tool, Tool::Hosted { .. });
        let offered: Vec<&Tool> = prompt.tools.iter().filter(known).collect();
        if offered.is_empty() {
            // Without tools, the upstream refuses what is said of them; what is lost is the tools.
            return;
        }
        body.array("tools", |list| {
            for tool in &offered {
                write_tool(list, tool);
            }
        });
        if let Some(choice) = &prompt.tool_choice {
            self.choice(body, choice, &offered);
        }
        if prompt.parallel_tool_calls == Some(false) {
            body.plain("parallel_tool_calls", false);
        }
    }

    fn choice(&mut self, body: &mut ObjectWriter<'_>, choice: &ToolChoice, offered: &[&Tool]) {
        const FIELD: &str = "tool_choice";
        let find = |wanted: &Text| offered.iter().find(|tool| name(tool) == wanted);
        match choice {
            ToolChoice::Auto => body.string(FIELD, "auto"),
            ToolChoice::None => body.string(FIELD, "none"),
            ToolChoice::Required => body.string(FIELD, "required"),
            ToolChoice::Tool(wanted) => match find(wanted) {
                Some(tool) => body.object(FIELD, |object| reference(object, tool)),
                None => self.losses.drop(FIELD),
            },
            ToolChoice::Among { names, required } => body.object(FIELD, |object| {
                object.string("type", "allowed_tools");
                object.string("mode", if *required { "required" } else { "auto" });
                object.array("tools", |list| {
                    for tool in names.iter().filter_map(find) {
                        list.object(|item| reference(item, tool));
                    }
                });
            }),
        }
    }
}

fn write_tool(list: &mut ArrayWriter<'_>, tool: &Tool) {
    list.object(|object| match tool {
        Tool::Function {
            name,
            description,
            parameters,
            strict,
            ..
        } => {
            object.string("type", "function");
            object.string("name", name);
            if let Some(description) = description {
                object.string("description", description);
            }
            match parameters {
                Some(parameters) => object.json("parameters", parameters),
                None => object.object("parameters", |schema| {
                    schema.string("type", "object");
                    schema.object("properties", |_| {});
                }),
            }
            // Here a function is strict unless it says otherwise; in all other protocols it is the other way round.
            object.plain("strict", strict.unwrap_or(false));
        }
        Tool::Custom {
            name,
            description,
            format,
        } => {
            object.string("type", "custom");
            object.string("name", name);
            if let Some(description) = description {
                object.string("description", description);
            }
            if let Some(format) = format {
                write_format(object, format);
            }
        }
        // Not offered.
        Tool::Hosted { .. } => {}
    });
}

/// The grammar, which Chat Completions has one level deeper: `{"type": "grammar", "grammar": {"syntax": …}}`.
fn write_format(object: &mut ObjectWriter<'_>, format: &Json) {
    let Ok(node) = Node::parse(format.as_text().as_bytes()) else {
        return;
    };
    match node.get("grammar") {
        Some(grammar) => object.object("format", |format| {
            format.string("type", "grammar");
            for (key, value) in grammar.members() {
                format.json(&key, &value.json());
            }
        }),
        None => object.json("format", format),
    }
}

fn name(tool: &Tool) -> &Text {
    match tool {
        Tool::Function { name, .. } | Tool::Custom { name, .. } => name,
        Tool::Hosted { what } => what,
    }
}

/// `"type": "function", "name": …`
fn reference(object: &mut ObjectWriter<'_>, tool: &Tool) {
    let kind = match tool {
        Tool::Custom { .. } => "custom",
        _ => "function",
    };
    object.string("type", kind);
    object.string("name", name(tool));
}

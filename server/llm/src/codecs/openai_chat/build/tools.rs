//! Tools, and which of them the model is to call.

use super::Build;
use super::messages::write_cache_point;
use crate::chat::{CachePoint, Prompt, Tool, ToolChoice};
use crate::json::{ArrayWriter, ObjectWriter};
use crate::text::Text;

impl Build<'_> {
    pub(super) fn tools(&mut self, body: &mut ObjectWriter<'_>, prompt: &Prompt) {
        let offered: Vec<&Tool> = prompt.tools.iter().filter(|t| self.offers(t)).collect();
        let choice = prompt.tool_choice.as_ref();
        let only = match choice {
            Some(ToolChoice::Among { names, .. }) if !self.quirks.allowed_tools => {
                self.losses.emulate("tool_choice");
                Some(names)
            }
            _ => None,
        };
        let allowed = |tool: &&Tool| only.is_none_or(|names| names.contains(name(tool)));
        let offered: Vec<_> = offered.into_iter().filter(allowed).collect();
        if offered.is_empty() {
            // Without tools, the upstream refuses what is said of them; what is lost is the tools.
            return;
        }
        body.array("tools", |list| {
            for tool in &offered {
                self.tool(list, tool);
            }
        });
        if let Some(choice) = choice
            && self.takes("tool_choice")
        {
            self.choice(body, choice, &offered);
        }
        if prompt.parallel_tool_calls == Some(false) && self.takes("parallel_tool_calls") {
            body.plain("parallel_tool_calls", false);
        }
    }

    /// Whether the upstream knows this kind of tool.
    fn offers(&mut self, tool: &Tool) -> bool {
        let known = match tool {
            Tool::Function { .. } => true,
            Tool::Custom { .. } => self.quirks.custom_tools,
            Tool::Hosted { .. } => false,
        };
        if !known {
            self.losses.drop(format!("tools.{}", name(tool)));
        }
        known
    }

    fn tool(&mut self, list: &mut ArrayWriter<'_>, tool: &Tool) {
        match tool {
            Tool::Function {
                name,
                description,
                parameters,
                strict,
                cache,
            } => list.object(|tool| {
                tool.string("type", "function");
                tool.object("function", |function| {
                    function.string("name", name);
                    if let Some(description) = description {
                        function.string("description", description);
                    }
                    match parameters {
                        Some(parameters) => function.json("parameters", parameters),
                        // Not every upstream knows that it may be left out.
                        None => function.object("parameters", |schema| {
                            schema.string("type", "object");
                            schema.object("properties", |_| {});
                        }),
                    }
                    if let Some(strict) = strict {
                        function.plain("strict", strict);
                    }
                });
                self.cache_point(tool, cache.as_ref());
            }),
            Tool::Custom {
                name,
                description,
                format,
            } => list.object(|tool| {
                tool.string("type", "custom");
                tool.object("custom", |custom| {
                    custom.string("name", name);
                    if let Some(description) = description {
                        custom.string("description", description);
                    }
                    if let Some(format) = format {
                        custom.json("format", format);
                    }
                });
            }),
            // Not offered.
            Tool::Hosted { .. } => {}
        }
    }

    fn choice(&mut self, body: &mut ObjectWriter<'_>, choice: &ToolChoice, offered: &[&Tool]) {
        const CHOICE: &str = "tool_choice";
        let find = |wanted: &Text| offered.iter().find(|tool| name(tool) == wanted);
        match choice {
            ToolChoice::Auto => body.string(CHOICE, "auto"),
            ToolChoice::None => body.string(CHOICE, "none"),
            ToolChoice::Required => body.string(CHOICE, "required"),
            ToolChoice::Tool(wanted) => match find(wanted) {
                Some(tool) => body.object(CHOICE, |choice| reference(choice, tool)),
                None => self.losses.drop(CHOICE),
            },
            ToolChoice::Among { names, required } => {
                let mode = if *required { "required" } else { "auto" };
                if !self.quirks.allowed_tools {
                    body.string(CHOICE, mode);
                    return;
                }
                body.object(CHOICE, |choice| {
                    choice.string("type", "allowed_tools");
                    choice.object("allowed_tools", |allowed| {
                        allowed.string("mode", mode);
                        allowed.array("tools", |list| {
                            for tool in names.iter().filter_map(find) {
                                list.object(|item| reference(item, tool));
                            }
                        });
                    });
                });
            }
        }
    }

    /// Marks what the provider's cache should keep, where the upstream can be told.
    pub(super) fn cache_point(
        &mut self,
        object: &mut ObjectWriter<'_>,
        point: Option<&CachePoint>,
    ) {
        if let Some(point) = point {
            if self.quirks.takes("cache_control") {
                write_cache_point(object, point);
            } else {
                self.losses.drop("cache_control");
            }
        }
    }
}

fn name(tool: &Tool) -> &Text {
    match tool {
        Tool::Function { name, .. } | Tool::Custom { name, .. } => name,
        Tool::Hosted { what } => what,
    }
}

/// `"type": "function", "function": {"name": …}`
fn reference(object: &mut ObjectWriter<'_>, tool: &Tool) {
    let kind = match tool {
        Tool::Custom { .. } => "custom",
        _ => "function",
    };
    object.string("type", kind);
    object.object(kind, |inner| inner.string("name", name(tool)));
}

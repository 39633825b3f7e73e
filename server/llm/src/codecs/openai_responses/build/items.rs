//! `input`: <https://platform.openai.com/docs/api-reference/responses/create#responses-create-input>

use std::collections::{HashMap, VecDeque};

use super::Build;
use crate::chat::{Message, Part, PartContent, Protocol, Role, Seal, ToolKind};
use crate::codecs::failed_tool::{ERROR, says_so};
use crate::json::ArrayWriter;
use crate::text::Text;

/// The calls so far.
#[derive(Default)]
struct Calls<'p> {
    kinds: HashMap<&'p str, ToolKind>,
    /// Calls of protocols without ids that wait for their results: name, and the id that they were given.
    nameless: VecDeque<(&'p Text, String)>,
    made: usize,
}

impl Build<'_> {
    /// Writes the conversation, each piece an item.
    pub(super) fn items(&mut self, list: &mut ArrayWriter<'_>, messages: &[Message]) {
        let mut calls = Calls::default();
        for message in messages {
            self.lose_name(message);
            match message.role {
                Role::Assistant => self.assistant(list, message, &mut calls),
                Role::System | Role::User | Role::Tool => self.other(list, message, &mut calls),
            }
        }
    }

    /// What the system or the user says, and what tools gave. Some protocols have results in the user's messages.
    fn other<'p>(
        &mut self,
        list: &mut ArrayWriter<'_>,
        message: &'p Message,
        calls: &mut Calls<'p>,
    ) {
        for part in &message.parts {
            self.result(list, part, calls);
        }
        let is_result = |part: &&Part| matches!(part.content, PartContent::ToolResult { .. });
        let results = message.parts.iter().filter(is_result).count();
        let rest: Vec<Part>;
        let parts = if results == 0 {
            &message.parts
        } else {
            let others = message.parts.iter().filter(|part| !is_result(part));
            rest = others.cloned().collect();
            &rest
        };
        if parts.is_empty() {
            return;
        }
        list.object(|item| {
            item.string("type", "message");
            let system = message.role == Role::System;
            item.string("role", if system { "developer" } else { "user" });
            self.content(item, "content", parts);
        });
    }

    fn result<'p>(&mut self, list: &mut ArrayWriter<'_>, part: &'p Part, calls: &mut Calls<'p>) {
        let PartContent::ToolResult {
            id,
            name,
            parts,
            is_error,
        } = &part.content
        else {
            return;
        };
        self.lose_cache(part);
        let told: Vec<Part>;
        let parts = if *is_error {
            self.losses.emulate("is_error");
            told = saying_so(parts);
            &told
        } else {
            parts
        };
        let given = calls.answer(id, name.as_ref());
        let kind = calls.kinds.get(id.as_str());
        list.object(|item| {
            let custom = kind == Some(&ToolKind::Custom);
            item.string(
                "type",
                if custom {
                    "custom_tool_call_output"
                } else {
                    "function_call_output"
                },
            );
            item.string("call_id", given.as_deref().unwrap_or(id));
            if parts.is_empty() {
                item.string("output", "");
            } else {
                self.content(item, "output", parts);
            }
        });
    }

    fn assistant<'p>(
        &mut self,
        list: &mut ArrayWriter<'_>,
        message: &'p Message,
        calls: &mut Calls<'p>,
    ) {
        let is_said = |part: &Part| {
            matches!(
                part.content,
                PartContent::Text { .. } | PartContent::Refusal(_)
            )
        };
        let mut rest = message.parts.as_slice();
        while let [first, others @ ..] = rest {
            if is_said(first) {
                let count = rest.iter().take_while(|part| is_said(part)).count();
                let (said, after) = rest.split_at(count);
                rest = after;
                list.object(|item| {
                    item.string("type", "message");
                    item.string("role", "assistant");
                    item.array("content", |list| {
                        for part in said {
                            self.said(list, part);
                        }
                    });
                });
                continue;
            }
            rest = others;
            self.lose_cache(first);
            match &first.content {
                PartContent::Reasoning { text, seal } => self.thought(list, text, seal.as_ref()),
                PartContent::ToolCall {
                    id,
                    name,
                    arguments,
                    kind,
                } => {
                    let given = calls.ask(id, name, *kind);
                    let (word, member) = match kind {
                        ToolKind::Custom => ("custom_tool_call", "input"),
                        ToolKind::Function | ToolKind::LegacyFunction => {
                            ("function_call", "arguments")
                        }
                    };
                    list.object(|item| {
                        item.string("type", word);
                        item.string("call_id", given.as_deref().unwrap_or(id));
                        item.string("name", name);
                        item.string(member, arguments);
                    });
                }
                PartContent::Media(media) => self.losses.drop(media.kind.as_str()),
                PartContent::Other { what } => self.losses.drop(what.to_string()),
                PartContent::ToolResult { .. } => self.result(list, first, calls),
                PartContent::Text { .. } | PartContent::Refusal(_) => {}
            }
        }
    }

    /// The protocol takes back only what it sealed.
    fn thought(&mut self, list: &mut ArrayWriter<'_>, text: &Text, seal: Option<&Seal>) {
        let own = seal.filter(|seal| seal.protocol == Protocol::OpenAiResponses);
        let Some(seal) = own else {
            if !text.is_empty() || seal.is_some() {
                self.losses.drop("reasoning");
            }
            return;
        };
        list.object(|item| {
            item.string("type", "reasoning");
            if !seal.id.is_empty() {
                item.string("id", &seal.id);
            }
            item.array("summary", |list| {
                if !text.is_empty() {
                    list.object(|piece| {
                        piece.string("type", "summary_text");
                        piece.string("text", text);
                    });
                }
            });
            item.string("encrypted_content", &seal.data);
        });
    }
}

/// A failed tool's result, which begins by saying that it is one.
fn saying_so(parts: &[Part]) -> Vec<Part> {
    let first = parts.first().map(|part| &part.content);
    let says_so = matches!(first, Some(PartContent::Text { text, .. }) if says_so(text));
    let error = (!says_so).then(|| Part::text(ERROR));
    error.into_iter().chain(parts.iter().cloned()).collect()
}

impl<'p> Calls<'p> {
    /// Remembers a call; the id that it is given, if it has none.
    fn ask(&mut self, id: &'p Text, name: &'p Text, kind: ToolKind) -> Option<String> {
        if !id.is_empty() {
            self.kinds.insert(id, kind);
            return None;
        }
        let given = format!("call_{}", self.made);
        self.made += 1;
        self.nameless.push_back((name, given.clone()));
        Some(given)
    }

    /// The id that the call of a result without one was given: the first of this name that waits.
    fn answer(&mut self, id: &Text, name: Option<&Text>) -> Option<String> {
        if !id.is_empty() {
            return None;
        }
        let named = |(called, _): &(&Text, String)| name.is_none_or(|name| name == *called);
        let place = self.nameless.iter().position(named).unwrap_or(0);
        self.nameless.remove(place).map(|(_, given)| given)
    }
}

//! `messages`

use super::Build;
use crate::chat::{
    CachePoint, Media, Message, Part, PartContent, Prompt, Protocol, Role, Seal, ToolKind,
};
use crate::codecs::failed_tool::{ERROR, says_so};
use crate::codecs::openai_chat::Thoughts;
use crate::json::{ArrayWriter, ObjectWriter, object};
use crate::text::Text;
use crate::wire::openai_chat::write_detail;

impl Build<'_> {
    /// Writes the conversation. What the operator has to tell (`told`) follows the client's leading instructions.
    pub(super) fn messages(
        &mut self,
        list: &mut ArrayWriter<'_>,
        prompt: &Prompt,
        told: &[String],
    ) {
        let leading = prompt
            .messages
            .iter()
            .take_while(|message| message.role == Role::System)
            .count();
        let (instructions, conversation) = prompt.messages.split_at(leading);
        for message in instructions {
            self.plain(list, message, &message.parts);
        }
        for text in told {
            list.object(|message| {
                message.string("role", "system");
                message.string("content", text);
            });
        }
        // What tools gave that is no text: it follows their results, as if the user had said it.
        let mut shown: Vec<&Media> = Vec::new();
        for message in conversation {
            let results = message.role == Role::Tool
                || matches!(message.parts.first(), Some(part) if is_result(part));
            if !results {
                self.show(list, &mut shown);
            }
            match message.role {
                Role::Assistant => self.assistant(list, message),
                _ => self.results_and_others(list, message, &mut shown),
            }
        }
        self.show(list, &mut shown);
    }

    /// The results first: nothing may stand between calls and their results.
    fn results_and_others<'p>(
        &mut self,
        list: &mut ArrayWriter<'_>,
        message: &'p Message,
        shown: &mut Vec<&'p Media>,
    ) {
        for part in &message.parts {
            self.result(list, part, shown);
        }
        let others = message.parts.iter().filter(|part| !is_result(part));
        if message.role == Role::Tool {
            return;
        }
        let others: Vec<Part> = others.cloned().collect();
        if !others.is_empty() {
            self.show(list, shown);
            self.plain(list, message, &others);
        }
    }

    /// What the system or the user says.
    fn plain(&mut self, list: &mut ArrayWriter<'_>, message: &Message, parts: &[Part]) {
        if parts.is_empty() {
            return;
        }
        list.object(|object| {
            let system = message.role == Role::System;
            object.string("role", if system { "system" } else { "user" });
            self.name(object, message);
            self.content(object, parts, "\n\n");
        });
    }

    fn name(&mut self, object: &mut ObjectWriter<'_>, message: &Message) {
        const NAME: &str = "messages.name";
        if let Some(name) = &message.name {
            if self.quirks.refuses(NAME) {
                self.losses.drop(NAME);
            } else {
                object.string("name", name);
            }
        }
    }

    /// A text, or parts where there is more to say. Texts are joined by `between` where parts are not known.
    fn content(&mut self, object: &mut ObjectWriter<'_>, parts: &[Part], between: &str) {
        let texts = parts.iter().all(|part| self.is_text(part));
        if texts && (parts.len() == 1 || !self.quirks.content_parts) {
            self.joined(object, parts, between);
            return;
        }
        if !self.quirks.content_parts && self.quirks.media.is_empty() {
            let texts: Vec<Part> = parts.iter().filter_map(|part| self.textual(part)).collect();
            self.joined(object, &texts, between);
            return;
        }
        object.array("content", |list| {
            for part in parts {
                self.part(list, part);
            }
        });
    }

    /// What is left of a part where there is text only.
    fn textual(&mut self, part: &Part) -> Option<Part> {
        self.lose_cache(part);
        match &part.content {
            PartContent::Media(media) => {
                let text = media.as_text();
                match text {
                    Some(_) => self.losses.emulate(media.kind.as_str()),
                    None => self.losses.drop(media.kind.as_str()),
                }
                text.map(Part::text)
            }
            PartContent::Refusal(text) => Some(Part::text(text.clone())),
            PartContent::Other { what } => {
                self.losses.drop(what.to_string());
                None
            }
            _ => Some(part.clone()),
        }
    }

    /// Whether nothing but the text of a part is to be said.
    fn is_text(&self, part: &Part) -> bool {
        let marked = part.cache.is_some() && self.quirks.takes("cache_control");
        matches!(part.content, PartContent::Text { .. }) && !marked
    }

    fn joined(&mut self, object: &mut ObjectWriter<'_>, parts: &[Part], between: &str) {
        let mut pieces: Vec<&str> = Vec::new();
        for part in parts {
            if let PartContent::Text { text, citations } = &part.content {
                if !pieces.is_empty() {
                    pieces.push(between);
                }
                pieces.push(text);
                self.lose_beside(part, !citations.is_empty());
            }
        }
        object.member("content").strings(pieces);
    }

    fn lose_beside(&mut self, part: &Part, cited: bool) {
        if cited {
            self.losses.drop("citations");
        }
        if !self.quirks.takes("cache_control") {
            self.lose_cache(part);
        }
    }

    /// Of what cannot be marked, wherever it is sent.
    fn lose_cache(&mut self, part: &Part) {
        if part.cache.is_some() {
            self.losses.drop("cache_control");
        }
    }

    fn part(&mut self, list: &mut ArrayWriter<'_>, part: &Part) {
        match &part.content {
            PartContent::Text { text, citations } => {
                self.lose_beside(part, !citations.is_empty());
                list.object(|object| {
                    object.string("type", "text");
                    object.string("text", text);
                    self.cache_point(object, part.cache.as_ref());
                });
            }
            PartContent::Media(media) => {
                self.media(list, media);
                self.lose_cache(part);
            }
            PartContent::Refusal(text) => list.object(|object| {
                object.string("type", "text");
                object.string("text", text);
                self.cache_point(object, part.cache.as_ref());
            }),
            PartContent::Other { what } => self.losses.drop(what.to_string()),
            PartContent::Reasoning { .. }
            | PartContent::ToolCall { .. }
            | PartContent::ToolResult { .. } => {}
        }
    }

    fn assistant(&mut self, list: &mut ArrayWriter<'_>, message: &Message) {
        let mut thoughts: Vec<(&Text, Option<&Seal>)> = Vec::new();
        let mut texts: Vec<Part> = Vec::new();
        let mut refusals: Vec<&str> = Vec::new();
        let mut calls: Vec<&PartContent> = Vec::new();
        for part in &message.parts {
            if !matches!(part.content, PartContent::Text { .. }) {
                self.lose_cache(part);
            }
            match &part.content {
                PartContent::Text { .. } => texts.push(part.clone()),
                PartContent::Reasoning { text, seal } => thoughts.push((text, seal.as_ref())),
                PartContent::Refusal(text) => refusals.push(text),
                call @ PartContent::ToolCall { .. } => calls.push(call),
                PartContent::Media(media) => self.losses.drop(media.kind.as_str()),
                PartContent::Other { what } => self.losses.drop(what.to_string()),
                PartContent::ToolResult { .. } => {}
            }
        }
        if texts.is_empty() && refusals.is_empty() && calls.is_empty() {
            // Thoughts alone are no message.
            if thoughts.iter().any(|(text, _)| !text.is_empty()) {
                self.losses.drop("reasoning");
            }
            return;
        }
        list.object(|object| {
            object.string("role", "assistant");
            self.name(object, message);
            self.thoughts(object, &thoughts);
            if texts.is_empty() {
                object.null("content");
            } else if texts.iter().all(|part| self.is_text(part)) {
                self.joined(object, &texts, "");
            } else {
                self.content(object, &texts, "");
            }
            if !refusals.is_empty() {
                object.member("refusal").strings(refusals);
            }
            if !calls.is_empty() {
                object.array("tool_calls", |list| {
                    for call in calls {
                        self.call(list, call);
                    }
                });
            }
        });
    }

    fn thoughts(&mut self, message: &mut ObjectWriter<'_>, thoughts: &[(&Text, Option<&Seal>)]) {
        let texts = thoughts.iter().map(|(text, _)| text.as_str());
        let said = texts.clone().any(|text| !text.is_empty());
        match self.quirks.thoughts {
            Thoughts::None if said => self.losses.drop("reasoning"),
            Thoughts::ReasoningContent if said => {
                message.member("reasoning_content").strings(texts);
            }
            Thoughts::Reasoning if said => message.member("reasoning").strings(texts),
            Thoughts::ReasoningDetails => {
                let ours = |seal: &&Seal| seal.protocol == Protocol::OpenAiChat;
                let usable = |(text, seal): &(&Text, Option<&Seal>)| {
                    !text.is_empty() || seal.filter(ours).is_some()
                };
                if thoughts.iter().any(usable) {
                    message.array("reasoning_details", |list| {
                        let items = thoughts.iter().filter(|thought| usable(thought));
                        for (index, (text, seal)) in items.enumerate() {
                            list.object(|item| {
                                write_detail(item, text, seal.filter(ours), index);
                            });
                        }
                    });
                }
            }
            // Seals alone are nothing that this upstream could read.
            Thoughts::None | Thoughts::ReasoningContent | Thoughts::Reasoning => {}
        }
    }

    fn call(&mut self, list: &mut ArrayWriter<'_>, call: &PartContent) {
        let PartContent::ToolCall {
            id,
            name,
            arguments,
            kind,
        } = call
        else {
            return;
        };
        list.object(|call| {
            call.string("id", id);
            if *kind == ToolKind::Custom && self.quirks.custom_tools {
                call.string("type", "custom");
                call.object("custom", |custom| {
                    custom.string("name", name);
                    custom.string("input", arguments);
                });
                return;
            }
            call.string("type", "function");
            call.object("function", |function| {
                function.string("name", name);
                if *kind == ToolKind::Custom {
                    let wrapped = object(|wrapped| wrapped.string("input", arguments));
                    function.string("arguments", &String::from_utf8_lossy(&wrapped));
                } else if arguments.is_empty() {
                    function.string("arguments", "{}");
                } else {
                    function.string("arguments", arguments);
                }
            });
        });
    }

    /// What a tool gave: a message of its own.
    fn result<'p>(
        &mut self,
        list: &mut ArrayWriter<'_>,
        part: &'p Part,
        shown: &mut Vec<&'p Media>,
    ) {
        let PartContent::ToolResult {
            id,
            parts,
            is_error,
            ..
        } = &part.content
        else {
            return;
        };
        let mut texts: Vec<Part> = Vec::new();
        let before = shown.len();
        for piece in parts {
            match &piece.content {
                PartContent::Text { .. } => texts.push(piece.clone()),
                PartContent::Media(media) if self.can_say(media) => shown.push(media),
                PartContent::Media(media) => self.losses.drop(media.kind.as_str()),
                PartContent::Other { what } => self.losses.drop(what.to_string()),
                _ => {}
            }
        }
        if *is_error {
            // There is no field for it.
            self.losses.emulate("is_error");
            let says_so = texts.first().is_some_and(|part| match &part.content {
                PartContent::Text { text, .. } => says_so(text),
                _ => false,
            });
            if !says_so {
                texts.insert(0, Part::text(ERROR));
            }
        }
        if let (Some(last), Some(point)) = (texts.last_mut(), &part.cache) {
            last.cache.get_or_insert_with(|| point.clone());
        }
        list.object(|object| {
            object.string("role", "tool");
            object.string("tool_call_id", id);
            if texts.is_empty() {
                let seen = if shown.len() > before {
                    "(see the message that follows)"
                } else {
                    ""
                };
                object.string("content", seen);
            } else {
                self.content(object, &texts, "\n");
            }
        });
    }

    /// Shows what tools gave.
    fn show(&mut self, list: &mut ArrayWriter<'_>, shown: &mut Vec<&Media>) {
        if shown.is_empty() {
            return;
        }
        list.object(|message| {
            message.string("role", "user");
            message.array("content", |list| {
                list.object(|part| {
                    part.string("type", "text");
                    part.string("text", "This is what the tools gave:");
                });
                for media in shown.drain(..) {
                    self.losses.emulate(media.kind.as_str());
                    self.media(list, media);
                }
            });
        });
    }
}

fn is_result(part: &Part) -> bool {
    matches!(part.content, PartContent::ToolResult { .. })
}

/// `"cache_control": {"type": "ephemeral", "ttl": "1h"}`
pub(super) fn write_cache_point(object: &mut ObjectWriter<'_>, point: &CachePoint) {
    object.object("cache_control", |control| {
        control.string("type", "ephemeral");
        if let Some(ttl) = &point.ttl {
            control.string("ttl", ttl);
        }
    });
}

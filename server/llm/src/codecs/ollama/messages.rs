//! The messages: one text, images beside it, and what was thought and called.

use crate::chat::{
    Losses, Media, MediaKind, MediaSource, Message, Part, PartContent, Prompt, Role, ToolKind,
};
use crate::codecs::failed_tool::{ERROR, says_so};
use crate::json::{ArrayWriter, Json, Node, ObjectWriter};
use crate::text::Text;

/// Messages under construction.
pub(super) struct Messages<'p, 'w, 'l> {
    prompt: &'p Prompt,
    losses: &'w mut Losses,
    list: &'w mut ArrayWriter<'l>,
}

/// What a message holds.
#[derive(Default)]
struct Content<'a> {
    texts: Vec<&'a str>,
    thoughts: Vec<&'a str>,
    images: Vec<&'a Text>,
    calls: Vec<Call<'a>>,
}

struct Call<'a> {
    id: &'a Text,
    name: &'a Text,
    arguments: &'a Text,
    kind: ToolKind,
}

impl<'p, 'w, 'l> Messages<'p, 'w, 'l> {
    pub(super) fn new(
        prompt: &'p Prompt,
        losses: &'w mut Losses,
        list: &'w mut ArrayWriter<'l>,
    ) -> Self {
        Self {
            prompt,
            losses,
            list,
        }
    }

    /// Writes all of them, with the operator's after the client's leading system messages.
    pub(super) fn write(&mut self, system: Option<&str>) {
        let messages = &self.prompt.messages;
        let is_system = |message: &&Message| message.role == Role::System;
        let (first, rest) = messages.split_at(messages.iter().take_while(is_system).count());
        for message in first {
            self.message("system", message);
        }
        if let Some(text) = system {
            self.list.object(|message| {
                message.string("role", "system");
                message.string("content", text);
            });
        }
        for message in rest {
            match message.role {
                Role::System => self.message("system", message),
                Role::User => self.message("user", message),
                Role::Assistant => self.message("assistant", message),
                Role::Tool => self.results(message),
            }
        }
    }

    fn message(&mut self, role: &str, message: &'p Message) {
        if message.name.is_some() {
            self.losses.drop("messages.name");
        }
        let content = self.content(&message.parts);
        if role == "assistant" && content.is_empty() {
            return;
        }
        let losses = &mut *self.losses;
        self.list.object(|out| {
            out.string("role", role);
            let between = if role == "assistant" { "" } else { "\n\n" };
            content.write(between, losses, out);
        });
    }

    fn results(&mut self, message: &'p Message) {
        for part in &message.parts {
            let PartContent::ToolResult {
                id,
                name,
                parts,
                is_error,
            } = &part.content
            else {
                continue;
            };
            if part.cache.is_some() {
                self.losses.drop("cache_control");
            }
            let mut content = self.content(parts);
            if *is_error {
                // There is no field for it.
                self.losses.emulate("is_error");
                if !content.texts.first().is_some_and(|text| says_so(text)) {
                    content.texts.insert(0, ERROR);
                }
            }
            let name = name.as_ref().or_else(|| self.prompt.called(id));
            let losses = &mut *self.losses;
            self.list.object(|out| {
                out.string("role", "tool");
                content.write("\n", losses, out);
                if let Some(name) = name {
                    out.string("tool_name", name);
                }
                if !id.is_empty() {
                    out.string("tool_call_id", id);
                }
            });
        }
    }

    fn content(&mut self, parts: &'p [Part]) -> Content<'p> {
        let mut content = Content::default();
        for part in parts {
            if part.cache.is_some() {
                self.losses.drop("cache_control");
            }
            match &part.content {
                PartContent::Text { text, citations } => {
                    if !citations.is_empty() {
                        self.losses.drop("citations");
                    }
                    content.texts.push(text);
                }
                PartContent::Refusal(text) => content.texts.push(text),
                // Nothing is signed here: thoughts go back as they are, but for those that nobody can read.
                PartContent::Reasoning { text, .. } if text.is_empty() => {
                    self.losses.drop("reasoning");
                }
                PartContent::Reasoning { text, .. } => content.thoughts.push(text),
                PartContent::Media(media) => self.media(media, &mut content),
                PartContent::ToolCall {
                    id,
                    name,
                    arguments,
                    kind,
                } => content.calls.push(Call {
                    id,
                    name,
                    arguments,
                    kind: *kind,
                }),
                // These are messages of their own.
                PartContent::ToolResult { .. } => {}
                PartContent::Other { what } => self.losses.drop(what.to_string()),
            }
        }
        content
    }

    /// Images and sound in base64, both among the `images`, and documents that are plain text. Nothing is fetched from
    /// anywhere.
    fn media(&mut self, media: &'p Media, content: &mut Content<'p>) {
        let name = media.kind.as_str();
        match (media.kind, &media.source) {
            (MediaKind::Image | MediaKind::Audio, MediaSource::Data(data)) => {
                self.losses.drop_labels(media);
                content.images.push(data);
            }
            (MediaKind::Document, MediaSource::Text(text)) => {
                self.losses.emulate(name);
                content.texts.extend(media.name.as_deref());
                content.texts.push(text);
            }
            _ => self.losses.drop(name),
        }
    }
}

impl Content<'_> {
    fn is_empty(&self) -> bool {
        self.texts.iter().all(|text| text.is_empty())
            && self.thoughts.is_empty()
            && self.images.is_empty()
            && self.calls.is_empty()
    }

    fn write(&self, between: &str, losses: &mut Losses, out: &mut ObjectWriter<'_>) {
        joined(&self.texts, between, "content", out);
        if !self.thoughts.is_empty() {
            joined(&self.thoughts, "", "thinking", out);
        }
        if !self.images.is_empty() {
            out.array("images", |list| {
                for image in &self.images {
                    list.string(image);
                }
            });
        }
        if !self.calls.is_empty() {
            out.array("tool_calls", |list| {
                for (index, call) in self.calls.iter().enumerate() {
                    call.write(index, losses, list);
                }
            });
        }
    }
}

fn joined(texts: &[&str], between: &str, key: &str, out: &mut ObjectWriter<'_>) {
    let pieces = texts.iter().enumerate().flat_map(|(at, text)| {
        let before = if at == 0 { "" } else { between };
        [before, text]
    });
    out.member(key).strings(pieces);
}

impl Call<'_> {
    /// Arguments are an object here, not a text.
    fn write(&self, index: usize, losses: &mut Losses, list: &mut ArrayWriter<'_>) {
        let arguments = match self.kind {
            ToolKind::Custom => None,
            ToolKind::Function | ToolKind::LegacyFunction => as_object(self.arguments),
        };
        list.object(|call| {
            if !self.id.is_empty() {
                call.string("id", self.id);
            }
            call.object("function", |function| {
                function.plain("index", index);
                function.string("name", self.name);
                match &arguments {
                    Some(json) => function.json("arguments", json),
                    None if self.arguments.trim().is_empty() => {
                        function.object("arguments", |_| {});
                    }
                    None => {
                        losses.emulate("messages.tool_calls");
                        function.object("arguments", |wrapped| {
                            wrapped.string("input", self.arguments);
                        });
                    }
                }
            });
        });
    }
}

fn as_object(arguments: &Text) -> Option<Json> {
    let root = Node::parse(arguments.as_bytes()).ok()?;
    root.object().ok().map(Node::json)
}

//! The messages: <https://docs.cohere.com/reference/chat#request.body.messages>

use crate::chat::{
    Losses, Media, MediaKind, MediaSource, Message, Part, PartContent, Prompt, Role, ToolKind,
};
use crate::codecs::failed_tool::{ERROR, says_so};
use crate::json::{ArrayWriter, ObjectWriter, Writer, quote};
use crate::text::Text;

/// Messages under construction.
pub(super) struct Messages<'p, 'w, 'l> {
    prompt: &'p Prompt,
    /// Whether the model is one that thinks, and takes back what it thought.
    thinks: bool,
    losses: &'w mut Losses,
    list: &'w mut ArrayWriter<'l>,
}

/// A piece of content.
enum Piece<'a> {
    Text(&'a str),
    Thinking(&'a str),
    Image(&'a Media),
}

/// What a message may hold beside text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Text,
    Images,
    Thoughts,
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
        model: &str,
        losses: &'w mut Losses,
        list: &'w mut ArrayWriter<'l>,
    ) -> Self {
        Self {
            prompt,
            thinks: model.contains("reasoning"),
            losses,
            list,
        }
    }

    /// Writes all of them. There is one system message, the first, with the gateway's own words behind the client's: a
    /// second one or a later one would be refused.
    pub(super) fn write<'t>(&mut self, told: impl Iterator<Item = &'t str>) {
        let messages = &self.prompt.messages;
        let is_system = |message: &&Message| message.role == Role::System;
        let (first, rest) = messages.split_at(messages.iter().take_while(is_system).count());
        let mut system = Vec::new();
        for message in first {
            self.name(message);
            system.extend(self.content(&message.parts, Takes::Text));
        }
        let told: Vec<&str> = told.collect();
        let pieces = told.iter().map(|text| Piece::Text(text));
        let system: Vec<Piece<'_>> = system.into_iter().chain(pieces).collect();
        if !system.is_empty() {
            self.list.object(|message| {
                message.string("role", "system");
                write(&system, message.member("content"));
            });
        }
        for message in rest {
            match message.role {
                Role::System => {
                    self.losses.emulate("messages.role");
                    self.message(Takes::Text, message);
                }
                Role::User => self.message(Takes::Images, message),
                Role::Assistant => self.assistant(message),
                Role::Tool => self.results(message),
            }
        }
    }

    fn name(&mut self, message: &Message) {
        if message.name.is_some() {
            self.losses.drop("messages.name");
        }
    }

    fn message(&mut self, takes: Takes, message: &'p Message) {
        self.name(message);
        let content = self.content(&message.parts, takes);
        self.list.object(|out| {
            out.string("role", "user");
            write(&content, out.member("content"));
        });
    }

    fn assistant(&mut self, message: &'p Message) {
        self.name(message);
        let calls: Vec<Call<'p>> = message.parts.iter().filter_map(Call::of).collect();
        let mut content = self.content(&message.parts, Takes::Thoughts);
        let mut plan: Vec<&str> = Vec::new();
        if !self.thinks {
            // A model that does not think has a plan before it calls tools, and nothing else.
            let lost = calls.is_empty();
            content.retain(|piece| {
                if let Piece::Thinking(text) = piece {
                    plan.push(text);
                }
                !matches!(piece, Piece::Thinking(_))
            });
            if lost && !plan.is_empty() {
                plan.clear();
                self.losses.drop("reasoning");
            }
        }
        content.retain(|piece| !matches!(piece, Piece::Text("")));
        if content.is_empty() && calls.is_empty() {
            return;
        }
        self.list.object(|out| {
            out.string("role", "assistant");
            if !plan.is_empty() {
                out.member("tool_plan").strings(plan);
            }
            if !content.is_empty() {
                write(&content, out.member("content"));
            }
            if !calls.is_empty() {
                out.array("tool_calls", |list| {
                    for call in &calls {
                        call.write(list);
                    }
                });
            }
        });
    }

    fn results(&mut self, message: &'p Message) {
        for part in &message.parts {
            let PartContent::ToolResult {
                id,
                parts,
                is_error,
                ..
            } = &part.content
            else {
                continue;
            };
            if part.cache.is_some() {
                self.losses.drop("cache_control");
            }
            let mut content = self.content(parts, Takes::Text);
            if *is_error {
                // There is no field for it.
                self.losses.emulate("is_error");
                if !matches!(content.first(), Some(Piece::Text(text)) if says_so(text)) {
                    content.insert(0, Piece::Text(ERROR));
                }
            }
            self.list.object(|out| {
                out.string("role", "tool");
                out.string("tool_call_id", id);
                write(&content, out.member("content"));
            });
        }
    }

    fn content(&mut self, parts: &'p [Part], takes: Takes) -> Vec<Piece<'p>> {
        let mut content = Vec::new();
        for part in parts {
            if part.cache.is_some() {
                self.losses.drop("cache_control");
            }
            match &part.content {
                PartContent::Text { text, citations } => {
                    if !citations.is_empty() {
                        self.losses.drop("citations");
                    }
                    content.push(Piece::Text(text));
                }
                PartContent::Refusal(text) => content.push(Piece::Text(text)),
                // Nothing is signed here: thoughts go back as they are, but for those that nobody can read.
                PartContent::Reasoning { text, .. }
                    if takes == Takes::Thoughts && !text.is_empty() =>
                {
                    content.push(Piece::Thinking(text));
                }
                PartContent::Reasoning { .. } => self.losses.drop("reasoning"),
                PartContent::Media(media) => self.media(media, takes, &mut content),
                // These are members or messages of their own.
                PartContent::ToolCall { .. } | PartContent::ToolResult { .. } => {}
                PartContent::Other { what } => self.losses.drop(what.to_string()),
            }
        }
        content
    }

    /// Images, and documents that are plain text.
    fn media(&mut self, media: &'p Media, takes: Takes, content: &mut Vec<Piece<'p>>) {
        let name = media.kind.as_str();
        match (media.kind, &media.source) {
            (MediaKind::Image, MediaSource::Url(_) | MediaSource::Data(_))
                if takes == Takes::Images =>
            {
                if media.name.is_some() {
                    self.losses.drop(media.kind.name_parameter());
                }
                content.push(Piece::Image(media));
            }
            (MediaKind::Document, MediaSource::Text(text)) => {
                self.losses.emulate(name);
                content.extend(media.name.as_deref().map(Piece::Text));
                content.push(Piece::Text(text));
            }
            _ => self.losses.drop(name),
        }
    }
}

/// A string where it is one text, else an array of blocks.
fn write(content: &[Piece<'_>], out: Writer<'_>) {
    match content {
        [] => out.string(""),
        [Piece::Text(text)] => out.string(text),
        pieces => out.array(|list| {
            for piece in pieces {
                list.object(|block| piece.write(block));
            }
        }),
    }
}

impl Piece<'_> {
    fn write(&self, block: &mut ObjectWriter<'_>) {
        match self {
            Self::Text(text) => {
                block.string("type", "text");
                block.string("text", text);
            }
            Self::Thinking(text) => {
                block.string("type", "thinking");
                block.string("thinking", text);
            }
            Self::Image(media) => {
                block.string("type", "image_url");
                block.object("image_url", |image| {
                    match &media.source {
                        MediaSource::Data(data) => {
                            let kind = media.media_type.as_deref().unwrap_or("image/png");
                            image
                                .member("url")
                                .strings(["data:", kind, ";base64,", data]);
                        }
                        MediaSource::Url(url) | MediaSource::File(url) | MediaSource::Text(url) => {
                            image.string("url", url);
                        }
                    }
                    if let Some(detail) = &media.detail {
                        image.string("detail", detail);
                    }
                });
            }
        }
    }
}

impl<'a> Call<'a> {
    fn of(part: &'a Part) -> Option<Self> {
        match &part.content {
            PartContent::ToolCall {
                id,
                name,
                arguments,
                kind,
            } => Some(Self {
                id,
                name,
                arguments,
                kind: *kind,
            }),
            _ => None,
        }
    }

    fn write(&self, list: &mut ArrayWriter<'_>) {
        list.object(|call| {
            call.string("id", self.id);
            call.string("type", "function");
            call.object("function", |function| {
                function.string("name", self.name);
                let arguments = function.member("arguments");
                match self.kind {
                    ToolKind::Custom => {
                        let input = quote(self.arguments);
                        let input = std::str::from_utf8(&input).unwrap_or("\"\"");
                        arguments.strings(["{\"input\":", input, "}"]);
                    }
                    _ if self.arguments.trim().is_empty() => arguments.string("{}"),
                    _ => arguments.string(self.arguments),
                }
            });
        });
    }
}

//! A conversation as `contents` and `systemInstruction`: <https://ai.google.dev/api/caching#Content>

use super::family::Family;
use super::media_type::{type_of_bytes, type_of_name};
use crate::chat::{
    Losses, Media, MediaSource, Message, Part, PartContent, Prompt, Protocol, Role, Seal, ToolKind,
};
use crate::json::{ArrayWriter, Json, ObjectWriter};
use crate::text::Text;
use crate::wire::gemini::{PartWriter, write_media};

/// The conversation as it will be written.
#[derive(Debug)]
pub(super) struct Contents<'p> {
    /// What the system says, and its operator after it.
    system: Vec<&'p str>,
    turns: Vec<Turn<'p>>,
}

#[derive(Debug)]
struct Turn<'p> {
    role: Role,
    pieces: Vec<Piece<'p>>,
}

#[derive(Debug)]
enum Piece<'p> {
    Text(&'p str),
    Thought(&'p str, Option<&'p Seal>),
    /// A signature of the piece that follows.
    Sign(&'p Seal),
    Media(&'p MediaSource, Option<&'p str>),
    Call {
        id: &'p str,
        name: &'p str,
        arguments: &'p Text,
        kind: ToolKind,
    },
    Result {
        id: &'p str,
        name: &'p str,
        text: Vec<&'p Text>,
        /// What the result shows, where the model can see it there.
        media: Vec<(&'p MediaSource, Option<&'p str>)>,
        is_error: bool,
    },
}

impl<'p> Contents<'p> {
    pub fn of(
        prompt: &'p Prompt,
        operator: Option<&'p str>,
        family: Family,
        losses: &mut Losses,
    ) -> Self {
        let mut system = Vec::new();
        let mut reader = Reader {
            prompt,
            family,
            losses,
            turns: Vec::new(),
        };
        for message in &prompt.messages {
            if message.name.is_some() {
                reader.losses.drop("messages.name");
            }
            if message.role == Role::System {
                reader.system(message, &mut system);
            } else {
                reader.message(message);
            }
        }
        let mut turns = reader.turns;
        if turns.is_empty() {
            // A model is not asked without contents: the client's instructions are what it is asked.
            let pieces = system.drain(..).map(Piece::Text).collect();
            turns.push(Turn {
                role: Role::User,
                pieces,
            });
        }
        system.extend(operator);
        Self { system, turns }
    }
}

struct Reader<'p, 'l> {
    prompt: &'p Prompt,
    family: Family,
    losses: &'l mut Losses,
    turns: Vec<Turn<'p>>,
}

impl<'p> Reader<'p, '_> {
    fn system(&mut self, message: &'p Message, system: &mut Vec<&'p str>) {
        for part in &message.parts {
            self.cached(part);
            match &part.content {
                PartContent::Text { text, .. } if !text.is_empty() => system.push(text),
                PartContent::Text { .. } => {}
                PartContent::Media(media) => self.losses.drop(media.kind.as_str()),
                PartContent::Other { what } => self.losses.drop(what.to_string()),
                _ => self.losses.drop("messages.content"),
            }
        }
    }

    fn message(&mut self, message: &'p Message) {
        let mut pieces = Vec::with_capacity(message.parts.len());
        for part in &message.parts {
            self.cached(part);
            self.part(part, &mut pieces);
        }
        if pieces.is_empty() {
            return;
        }
        match self.turns.last_mut() {
            Some(last) if last.role == message.role => last.pieces.append(&mut pieces),
            _ => self.turns.push(Turn {
                role: message.role,
                pieces,
            }),
        }
    }

    fn part(&mut self, part: &'p Part, pieces: &mut Vec<Piece<'p>>) {
        match &part.content {
            PartContent::Text { text, citations } => {
                if !citations.is_empty() {
                    self.losses.drop("citations");
                }
                if !text.is_empty() {
                    pieces.push(Piece::Text(text));
                }
            }
            PartContent::Refusal(text) => pieces.push(Piece::Text(text)),
            PartContent::Media(media) => {
                if let Some((source, media_type)) = self.media(media) {
                    pieces.push(Piece::Media(source, media_type));
                }
            }
            PartContent::Reasoning { text, seal } => {
                let own = seal
                    .as_ref()
                    .filter(|seal| seal.protocol == Protocol::Gemini);
                match own {
                    Some(seal) if text.is_empty() => pieces.push(Piece::Sign(seal)),
                    Some(seal) => pieces.push(Piece::Thought(text, Some(seal))),
                    None if text.is_empty() => {}
                    None => self.losses.drop("reasoning"),
                }
            }
            PartContent::ToolCall {
                id,
                name,
                arguments,
                kind,
            } => pieces.push(Piece::Call {
                id,
                name,
                arguments,
                kind: *kind,
            }),
            PartContent::ToolResult {
                id,
                name,
                parts,
                is_error,
            } => {
                let name = name.as_ref().or_else(|| self.prompt.called(id));
                self.result(id, name.map_or(id, |name| name), parts, *is_error, pieces);
            }
            PartContent::Other { what } => self.losses.drop(what.to_string()),
        }
    }

    fn result(
        &mut self,
        id: &'p str,
        name: &'p str,
        parts: &'p [Part],
        is_error: bool,
        pieces: &mut Vec<Piece<'p>>,
    ) {
        let (mut text, mut media) = (Vec::new(), Vec::new());
        for part in parts {
            self.cached(part);
            match &part.content {
                PartContent::Text { text: one, .. } => text.push(one),
                PartContent::Media(one) => media.extend(self.media(one)),
                PartContent::Other { what } => self.losses.drop(what.to_string()),
                _ => self.losses.drop("messages.content"),
            }
        }
        // Older models see pictures only beside the results.
        let beside = if self.family.sees_results() {
            Vec::new()
        } else {
            std::mem::take(&mut media)
        };
        pieces.push(Piece::Result {
            id,
            name,
            text,
            media,
            is_error,
        });
        pieces.extend(
            beside
                .into_iter()
                .map(|(source, media_type)| Piece::Media(source, media_type)),
        );
    }

    /// What can be shown of it: bytes, a text, or what the model fetches by itself
    /// (<https://ai.google.dev/gemini-api/docs/file-input-methods>).
    fn media(&mut self, media: &'p Media) -> Option<(&'p MediaSource, Option<&'p str>)> {
        let told = media.media_type.as_deref();
        let media_type = match &media.source {
            MediaSource::Data(data) => told.or_else(|| Some(type_of_bytes(data, media.kind))),
            MediaSource::Url(url) if self.family.fetches() => told.or_else(|| type_of_name(url)),
            MediaSource::Text(_) => None,
            // A file of another provider, or a page that the model does not fetch.
            MediaSource::Url(_) | MediaSource::File(_) => {
                self.losses.drop(media.kind.as_str());
                return None;
            }
        };
        // `displayName` is read only where the provider itself runs tools, and not known to all of its APIs.
        self.losses.drop_labels(media);
        Some((&media.source, media_type))
    }

    /// This protocol's caches keep prefixes by themselves.
    fn cached(&mut self, part: &Part) {
        if part.cache.is_some() {
            self.losses.drop("cache_control");
        }
    }
}

pub(super) fn write(contents: &Contents<'_>, body: &mut ObjectWriter<'_>) {
    if !contents.system.is_empty() {
        body.object("systemInstruction", |system| {
            system.array("parts", |parts| {
                for text in &contents.system {
                    parts.object(|part| part.string("text", text));
                }
            });
        });
    }
    body.array("contents", |list| {
        for turn in &contents.turns {
            list.object(|content| {
                let role = match turn.role {
                    Role::Assistant => "model",
                    Role::User | Role::Tool | Role::System => "user",
                };
                content.string("role", role);
                content.array("parts", |parts| write_turn(turn, parts));
            });
        }
    });
}

fn write_turn(turn: &Turn<'_>, parts: &mut ArrayWriter<'_>) {
    let mut writer = PartWriter::new(parts, None);
    for piece in &turn.pieces {
        match piece {
            Piece::Text(text) => writer.text(text),
            Piece::Thought(text, seal) => {
                writer.thought(text, seal.map(|seal| seal.data.as_str()));
            }
            Piece::Sign(seal) => writer.sign(seal.data.clone()),
            Piece::Media(source, media_type) => writer.media(source, *media_type),
            Piece::Call {
                id,
                name,
                arguments,
                kind,
            } => {
                let id = Some(*id).filter(|id| !id.is_empty());
                if *kind == ToolKind::Custom {
                    let input = crate::json::object(|args| args.string("input", arguments));
                    let input = Text::from_utf8(input).expect("JSON is UTF-8");
                    writer.call(id, name, &input);
                } else {
                    writer.call(id, name, arguments);
                }
            }
            Piece::Result { .. } => writer.part(|part| write_result(piece, part)),
        }
    }
    writer.end();
}

/// <https://ai.google.dev/api/caching#FunctionResponse>
fn write_result(piece: &Piece<'_>, part: &mut ObjectWriter<'_>) {
    let Piece::Result {
        id,
        name,
        text,
        media,
        is_error,
    } = piece
    else {
        return;
    };
    part.object("functionResponse", |result| {
        if !id.is_empty() {
            result.string("id", id);
        }
        result.string("name", name);
        result.object("response", |response| {
            let key = if *is_error { "error" } else { "output" };
            match text.as_slice() {
                [one] => match structured(one) {
                    Some(json) => response.json(key, &json),
                    None => response.string(key, one),
                },
                pieces => response
                    .member(key)
                    .strings(pieces.iter().map(|piece| piece.as_str())),
            }
        });
        if !media.is_empty() {
            result.array("parts", |parts| {
                for (source, media_type) in media {
                    parts.object(|part| write_media(part, source, *media_type));
                }
            });
        }
    });
}

/// A result that is an object or a list is given as what it is.
fn structured(text: &Text) -> Option<Json> {
    let container = matches!(
        text.trim_ascii_start().as_bytes().first(),
        Some(b'{' | b'[')
    );
    container.then(|| Json::parse(text.clone()).ok())?
}

//! What a message holds: <https://docs.mistral.ai/api/endpoint/chat>, `ContentChunk`.

use std::borrow::Cow;

use crate::chat::{Losses, Media, MediaKind, MediaSource, Part, PartContent, Protocol, Seal};
use crate::json::{ArrayWriter, Writer};
use crate::text::Text;

/// A piece of content that can be sent.
#[derive(Clone, Debug)]
pub(super) enum Chunk<'a> {
    Text(Cow<'a, str>),
    Thinking {
        text: &'a Text,
        seal: Option<&'a Seal>,
    },
    Media(&'a Media),
}

/// Which chunks a message of some role may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    Text,
    /// And thoughts, where the model is one that thinks.
    Thoughts {
        unsealed: bool,
    },
    Media,
}

impl Takes {
    /// Mistral's own thoughts go back to it, another protocol's never.
    fn thought(self, seal: Option<&Seal>) -> bool {
        match (self, seal) {
            (Self::Thoughts { .. }, Some(seal)) => seal.protocol == Protocol::Mistral,
            (Self::Thoughts { unsealed }, None) => unsealed,
            (Self::Text | Self::Media, _) => false,
        }
    }
}

/// The pieces that can be sent; of the others it is noted that they are left out.
pub(super) fn chunks<'a>(
    parts: impl IntoIterator<Item = &'a Part>,
    takes: Takes,
    losses: &mut Losses,
) -> Vec<Chunk<'a>> {
    let mut chunks = Vec::new();
    for part in parts {
        if part.cache.is_some() {
            losses.drop("cache_control");
        }
        match &part.content {
            PartContent::Text { text, citations } => {
                if !citations.is_empty() {
                    losses.drop("citations");
                }
                chunks.push(Chunk::Text(Cow::Borrowed(text.as_str())));
            }
            PartContent::Refusal(text) => chunks.push(Chunk::Text(Cow::Borrowed(text.as_str()))),
            PartContent::Reasoning { text, seal } => {
                if text.is_empty() {
                    continue;
                }
                if takes.thought(seal.as_ref()) {
                    chunks.push(Chunk::Thinking {
                        text,
                        seal: seal.as_ref(),
                    });
                } else {
                    losses.drop("reasoning");
                }
            }
            PartContent::Media(media) => {
                if let Some(text) = media.as_text() {
                    losses.emulate(media.kind.as_str());
                    chunks.push(Chunk::Text(Cow::Owned(text)));
                } else if takes == Takes::Media && can_say(media) {
                    if media.name.is_some() && media.kind != MediaKind::Document {
                        losses.drop(media.kind.name_parameter());
                    }
                    chunks.push(Chunk::Media(media));
                } else {
                    losses.drop(media.kind.as_str());
                }
            }
            PartContent::Other { what } => losses.drop(what.to_string()),
            // These are messages of their own.
            PartContent::ToolCall { .. } | PartContent::ToolResult { .. } => {}
        }
    }
    chunks
}

/// A file's id belongs to the provider that it was uploaded to, which is another one.
fn can_say(media: &Media) -> bool {
    match (media.kind, &media.source) {
        (MediaKind::Video, _) | (_, MediaSource::File(_) | MediaSource::Text(_)) => false,
        (_, MediaSource::Url(_) | MediaSource::Data(_)) => true,
    }
}

/// A string where it is one text, else an array of chunks.
pub(super) fn write(chunks: &[Chunk<'_>], content: Writer<'_>) {
    match chunks {
        [] => content.string(""),
        [Chunk::Text(text)] => content.string(text),
        chunks => content.array(|list| {
            for chunk in chunks {
                chunk.write(list);
            }
        }),
    }
}

impl Chunk<'_> {
    fn write(&self, list: &mut ArrayWriter<'_>) {
        match self {
            Self::Text(text) => write_text(text, list),
            Self::Thinking { text, seal } => list.object(|chunk| {
                chunk.string("type", "thinking");
                chunk.array("thinking", |inner| write_text(text, inner));
                if let Some(seal) = seal {
                    chunk.string("signature", &seal.data);
                }
            }),
            Self::Media(media) => write_media(media, list),
        }
    }
}

fn write_text(text: &str, list: &mut ArrayWriter<'_>) {
    list.object(|chunk| {
        chunk.string("type", "text");
        chunk.string("text", text);
    });
}

fn write_media(media: &Media, list: &mut ArrayWriter<'_>) {
    let url = |default: &str, place: Writer<'_>| match &media.source {
        MediaSource::Data(data) => {
            let media_type = media.media_type.as_deref().unwrap_or(default);
            place.strings(["data:", media_type, ";base64,", data]);
        }
        MediaSource::Url(text) | MediaSource::File(text) | MediaSource::Text(text) => {
            place.string(text);
        }
    };
    match (media.kind, &media.source) {
        (MediaKind::Image, _) => list.object(|chunk| {
            chunk.string("type", "image_url");
            chunk.object("image_url", |image| {
                url("image/png", image.member("url"));
                if let Some(detail) = &media.detail {
                    image.string("detail", detail);
                }
            });
        }),
        (MediaKind::Document, _) => list.object(|chunk| {
            chunk.string("type", "document_url");
            url("application/pdf", chunk.member("document_url"));
            if let Some(name) = &media.name {
                chunk.string("document_name", name);
            }
        }),
        (MediaKind::Audio | MediaKind::Video, source) => list.object(|chunk| {
            chunk.string("type", "input_audio");
            // Base64 alone, or where it can be fetched.
            match source {
                MediaSource::Data(text)
                | MediaSource::Url(text)
                | MediaSource::File(text)
                | MediaSource::Text(text) => chunk.string("input_audio", text),
            }
        }),
    }
}

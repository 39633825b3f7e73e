//! Images and documents: <https://docs.anthropic.com/en/docs/build-with-claude/vision> and
//! <https://docs.anthropic.com/en/docs/build-with-claude/pdf-support>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::chat::{Media, MediaKind, MediaSource};
use crate::json::ObjectWriter;
use crate::text::Text;

/// A source as the protocol has it.
#[derive(Debug)]
pub(super) enum Source {
    Url(Text),
    Data { media_type: Text, data: Text },
    Plain(Text),
}

/// The source of an image or a document.
///
/// # Errors
/// The protocol has no such thing: what is left out.
pub(super) fn source(media: &Media) -> Result<Source, &'static str> {
    match media.kind {
        MediaKind::Image => image(media).ok_or("image"),
        MediaKind::Document => document(media).ok_or("document"),
        MediaKind::Audio => Err("audio"),
        MediaKind::Video => Err("video"),
    }
}

fn image(media: &Media) -> Option<Source> {
    match &media.source {
        MediaSource::Url(url) => Some(Source::Url(url.clone())),
        MediaSource::Data(data) => {
            let said = media.media_type.as_deref().unwrap_or("image/png");
            let media_type = match said.to_ascii_lowercase().as_str() {
                "image/jpeg" | "image/jpg" => "image/jpeg",
                "image/png" => "image/png",
                "image/gif" => "image/gif",
                "image/webp" => "image/webp",
                _ => return None,
            };
            Some(Source::Data {
                media_type: Text::from_static(media_type),
                data: data.clone(),
            })
        }
        // Another provider's file.
        MediaSource::File(_) | MediaSource::Text(_) => None,
    }
}

fn document(media: &Media) -> Option<Source> {
    const PDF: &str = "application/pdf";
    match &media.source {
        MediaSource::Url(url) => Some(Source::Url(url.clone())),
        MediaSource::Text(text) => Some(Source::Plain(text.clone())),
        MediaSource::Data(data) => match media.media_type.as_deref().unwrap_or(PDF) {
            PDF => Some(Source::Data {
                media_type: Text::from_static(PDF),
                data: data.clone(),
            }),
            text if text.starts_with("text/") || text == "application/json" => {
                let bytes = STANDARD.decode(data.as_bytes()).ok()?;
                Some(Source::Plain(Text::from(String::from_utf8(bytes).ok()?)))
            }
            _ => None,
        },
        MediaSource::File(_) => None,
    }
}

pub(super) fn write(source: &Source, out: &mut ObjectWriter<'_>) {
    out.object("source", |out| match source {
        Source::Url(url) => {
            out.string("type", "url");
            out.string("url", url);
        }
        Source::Data { media_type, data } => {
            out.string("type", "base64");
            out.string("media_type", media_type);
            out.string("data", data);
        }
        Source::Plain(text) => {
            out.string("type", "text");
            out.string("media_type", "text/plain");
            out.string("data", text);
        }
    });
}

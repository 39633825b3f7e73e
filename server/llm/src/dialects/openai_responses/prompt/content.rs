//! The parts of a message, and of what a tool gave.

use super::optional;
use crate::chat::{CachePoint, Media, MediaKind, MediaSource, Part, PartContent};
use crate::json::{Kind, Node, ShapeError};
use crate::text::Text;
use crate::wire::openai_chat::{media_type_of, read_url};
use crate::wire::openai_responses::read_citation;

/// A string, or an array of parts.
pub(super) fn read(content: &Node<'_>) -> Result<Vec<Part>, ShapeError> {
    match content.kind() {
        Kind::String => Ok(vec![Part::text(content.text()?)]),
        Kind::Array => content.array()?.iter().map(part).collect(),
        _ => Err(content.not("a string or an array of parts")),
    }
}

fn part(part: &Node<'_>) -> Result<Part, ShapeError> {
    let kind = part.object()?.require("type")?.text()?;
    let content = match kind.as_str() {
        "input_text" | "output_text" | "text" => {
            let annotations = optional(part, "annotations", |list| {
                Ok(list.array()?.iter().filter_map(read_citation).collect())
            })?;
            PartContent::Text {
                text: part.require("text")?.text()?,
                citations: annotations.unwrap_or_default(),
            }
        }
        "refusal" => PartContent::Refusal(part.require("refusal")?.text()?),
        "input_image" => PartContent::Media(image(part)?),
        "input_file" => PartContent::Media(file(part)?),
        "input_audio" => PartContent::Media(audio(part)?),
        _ => PartContent::Other { what: kind },
    };
    let cache = optional(part, "prompt_cache_breakpoint", |point| {
        Ok(CachePoint {
            ttl: optional(point.object()?, "ttl", Node::text)?,
        })
    })?;
    Ok(Part { content, cache })
}

/// `{"type": "input_image", "image_url": …, "detail": "auto"}`, or `file_id`.
fn image(part: &Node<'_>) -> Result<Media, ShapeError> {
    let (source, media_type) = match part.get("image_url") {
        Some(url) => read_url(url.text()?),
        None => match part.get("file_id") {
            Some(id) => (MediaSource::File(id.text()?), None),
            None => return Err(part.not("an image with 'image_url' or 'file_id'")),
        },
    };
    let detail = optional(part, "detail", Node::text)?;
    Ok(Media {
        kind: MediaKind::Image,
        source,
        media_type,
        name: None,
        detail: detail.filter(|detail| *detail != "auto"),
    })
}

/// `{"type": "input_file", "file_data": …, "filename": …}`, or `file_url`, or `file_id`.
fn file(part: &Node<'_>) -> Result<Media, ShapeError> {
    let name = optional(part, "filename", Node::text)?;
    let (source, media_type) = if let Some(data) = part.get("file_data") {
        match read_url(data.text()?) {
            // Base64 alone.
            (MediaSource::Url(data), None) => (MediaSource::Data(data), None),
            other => other,
        }
    } else if let Some(url) = part.get("file_url") {
        read_url(url.text()?)
    } else if let Some(id) = part.get("file_id") {
        (MediaSource::File(id.text()?), None)
    } else {
        return Err(part.not("a file with 'file_data', 'file_url' or 'file_id'"));
    };
    let media_type = media_type.or_else(|| media_type_of(name.as_deref()?));
    let kind = match media_type.as_deref().and_then(|m| m.split('/').next()) {
        Some("image") => MediaKind::Image,
        Some("audio") => MediaKind::Audio,
        Some("video") => MediaKind::Video,
        _ => MediaKind::Document,
    };
    Ok(Media {
        kind,
        source,
        media_type,
        name,
        detail: None,
    })
}

/// `{"type": "input_audio", "input_audio": {"data": …, "format": "wav"}}`
fn audio(part: &Node<'_>) -> Result<Media, ShapeError> {
    let audio = part.require("input_audio")?.object()?;
    let format = audio.require("format")?.str()?;
    let media_type = match &*format {
        "mp3" => Text::from_static("audio/mpeg"),
        other => Text::from(format!("audio/{other}")),
    };
    Ok(Media {
        kind: MediaKind::Audio,
        source: MediaSource::Data(audio.require("data")?.text()?),
        media_type: Some(media_type),
        name: None,
        detail: None,
    })
}

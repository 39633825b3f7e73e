//! Images, files and recordings in messages.

use super::optional;
use crate::chat::{Media, MediaKind, MediaSource};
use crate::json::{Kind, Node, ShapeError};
use crate::text::Text;
use crate::wire::openai_chat::{media_type_of, read_url};

/// `{"type": "image_url", "image_url": {"url": …, "detail": …}}`, or `video_url`; the URL may stand alone.
pub(super) fn by_url(part: &Node<'_>, key: &str, kind: MediaKind) -> Result<Media, ShapeError> {
    let value = part.require(key)?;
    let (url, detail) = match value.kind() {
        Kind::String => (value.text()?, None),
        _ => (
            value.object()?.require("url")?.text()?,
            optional(value, "detail", Node::text)?,
        ),
    };
    let (source, media_type) = read_url(url);
    Ok(Media {
        kind,
        source,
        media_type,
        name: None,
        detail,
    })
}

/// `{"type": "input_audio", "input_audio": {"data": …, "format": "wav"}}`
pub(super) fn audio(part: &Node<'_>) -> Result<Media, ShapeError> {
    let audio = part.require("input_audio")?.object()?;
    let (source, media_type) = match read_url(audio.require("data")?.text()?) {
        (MediaSource::Url(data), None) => (MediaSource::Data(data), None),
        other => other,
    };
    let format = optional(audio, "format", Node::str)?;
    let named = format.map(|format| match &*format {
        "mp3" => Text::from_static("audio/mpeg"),
        other => Text::from(format!("audio/{other}")),
    });
    Ok(Media {
        kind: MediaKind::Audio,
        source,
        media_type: media_type.or(named),
        name: None,
        detail: None,
    })
}

/// `{"type": "file", "file": {"file_data": …, "filename": …}}`, or `{"file_id": …}`
pub(super) fn file(part: &Node<'_>) -> Result<Media, ShapeError> {
    let file = part.require("file")?.object()?;
    let name = optional(file, "filename", Node::text)?;
    let (source, media_type) = if let Some(id) = file.get("file_id") {
        (MediaSource::File(id.text()?), None)
    } else {
        match read_url(file.require("file_data")?.text()?) {
            (MediaSource::Url(data), None) if !is_web(&data) => (MediaSource::Data(data), None),
            other => other,
        }
    };
    let media_type = media_type
        .or_else(|| optional(file, "format", Node::text).ok().flatten())
        .or_else(|| media_type_of(name.as_deref()?));
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

fn is_web(url: &str) -> bool {
    let begins = |scheme: &str| {
        url.get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    begins("http://") || begins("https://") || begins("gs://")
}

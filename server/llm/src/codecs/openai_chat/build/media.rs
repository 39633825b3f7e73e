//! Images, files and recordings in messages.

use super::Build;
use crate::chat::{Media, MediaKind, MediaSource, Protocol};
use crate::json::{ArrayWriter, ObjectWriter};

impl Build<'_> {
    /// Writes a content part; what cannot be said is noted as lost.
    pub(super) fn media(&mut self, list: &mut ArrayWriter<'_>, media: &Media) {
        let name = media.kind.as_str();
        if let Some(text) = media.as_text() {
            // A document that is text is as good as text.
            list.object(|part| {
                part.string("type", "text");
                part.string("text", &text);
            });
            self.losses.emulate(name);
            return;
        }
        if !self.can_say(media) {
            self.losses.drop(name);
            return;
        }
        let filename =
            media.kind == MediaKind::Document && !matches!(media.source, MediaSource::File(_));
        if media.name.is_some() && !filename {
            self.losses.drop(media.kind.name_parameter());
        }
        list.object(|part| match media.kind {
            MediaKind::Image => {
                part.string("type", "image_url");
                part.object("image_url", |image| {
                    write_url(image, "url", media, "image/png");
                    if let Some(detail) = &media.detail {
                        image.string("detail", detail);
                    }
                });
            }
            MediaKind::Video => {
                part.string("type", "video_url");
                part.object("video_url", |video| {
                    write_url(video, "url", media, "video/mp4");
                });
            }
            MediaKind::Audio => {
                part.string("type", "input_audio");
                part.object("input_audio", |audio| {
                    if let MediaSource::Data(data) = &media.source {
                        audio.string("data", data);
                    }
                    audio.string("format", audio_format(media.media_type.as_deref()));
                });
            }
            MediaKind::Document => {
                part.string("type", "file");
                part.object("file", |file| match &media.source {
                    MediaSource::File(id) => file.string("file_id", id),
                    _ => {
                        file.string("filename", media.name.as_deref().unwrap_or("document.pdf"));
                        write_url(file, "file_data", media, "application/pdf");
                    }
                });
            }
        });
    }

    /// Whether there is a content part for it.
    pub(super) fn can_say(&self, media: &Media) -> bool {
        if media.as_text().is_some() {
            return true;
        }
        if !self.quirks.media.contains(&media.kind) {
            return false;
        }
        match (&media.source, media.kind) {
            (MediaSource::Data(_), _) => true,
            (MediaSource::Url(_), MediaKind::Image | MediaKind::Video) => true,
            (MediaSource::Url(_), MediaKind::Document) => self.quirks.takes("document_url"),
            (MediaSource::Url(_), MediaKind::Audio) => false,
            // An id means something to the provider that gave it.
            (MediaSource::File(_), MediaKind::Document) => self.client == Protocol::OpenAiResponses,
            (MediaSource::File(_) | MediaSource::Text(_), _) => false,
        }
    }
}

/// A URL, or a `data:` URL.
fn write_url(object: &mut ObjectWriter<'_>, key: &str, media: &Media, default_type: &str) {
    match &media.source {
        MediaSource::Url(url) => object.string(key, url),
        MediaSource::Data(data) => {
            let media_type = media.media_type.as_deref().unwrap_or(default_type);
            let member = object.member(key);
            member.strings(["data:", media_type, ";base64,", data]);
        }
        MediaSource::File(_) | MediaSource::Text(_) => {}
    }
}

fn audio_format(media_type: Option<&str>) -> &str {
    match media_type {
        Some("audio/mpeg" | "audio/mp3") => "mp3",
        Some("audio/wav" | "audio/x-wav" | "audio/wave" | "audio/vnd.wave") | None => "wav",
        Some(other) => other.strip_prefix("audio/").unwrap_or(other),
    }
}

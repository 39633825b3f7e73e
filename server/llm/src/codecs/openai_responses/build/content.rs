//! The parts of a message, and of what a tool gave.

use super::Build;
use crate::chat::{Media, MediaKind, MediaSource, Message, Part, PartContent, Protocol};
use crate::json::{ArrayWriter, ObjectWriter};
use crate::wire::openai_responses::write_citation;

impl Build<'_> {
    /// Writes the member `key`: a text, or parts where there is more to say.
    pub(super) fn content(&mut self, object: &mut ObjectWriter<'_>, key: &str, parts: &[Part]) {
        if let [part] = parts
            && let PartContent::Text { text, .. } = &part.content
        {
            self.lose_cache(part);
            object.string(key, text);
            return;
        }
        object.array(key, |list| {
            for part in parts {
                self.lose_cache(part);
                match &part.content {
                    PartContent::Text { text, .. } => list.object(|object| {
                        object.string("type", "input_text");
                        object.string("text", text);
                    }),
                    PartContent::Media(media) => self.media(list, media),
                    PartContent::Refusal(text) => list.object(|object| {
                        object.string("type", "input_text");
                        object.string("text", text);
                    }),
                    PartContent::Other { what } => self.losses.drop(what.to_string()),
                    PartContent::Reasoning { .. }
                    | PartContent::ToolCall { .. }
                    | PartContent::ToolResult { .. } => {}
                }
            }
        });
    }

    /// Writes what the assistant said: texts and refusals.
    pub(super) fn said(&mut self, list: &mut ArrayWriter<'_>, part: &Part) {
        self.lose_cache(part);
        match &part.content {
            PartContent::Text { text, citations } => list.object(|object| {
                object.string("type", "output_text");
                object.string("text", text);
                object.array("annotations", |list| {
                    for citation in citations {
                        if citation.url.is_some() && citation.range.is_some() {
                            list.object(|item| write_citation(item, citation, 0));
                        } else {
                            self.losses.drop("citations");
                        }
                    }
                });
            }),
            PartContent::Refusal(text) => list.object(|object| {
                object.string("type", "refusal");
                object.string("refusal", text);
            }),
            _ => {}
        }
    }

    /// Writes a content part; what cannot be said is noted as lost.
    fn media(&mut self, list: &mut ArrayWriter<'_>, media: &Media) {
        if let Some(text) = media.as_text() {
            // A document that is text is as good as text.
            list.object(|part| {
                part.string("type", "input_text");
                part.string("text", &text);
            });
            self.losses.emulate(media.kind.as_str());
            return;
        }
        // An id means something to the provider that gave it.
        let foreign_file =
            matches!(media.source, MediaSource::File(_)) && self.client != Protocol::OpenAiChat;
        let filename =
            media.kind == MediaKind::Document && matches!(media.source, MediaSource::Data(_));
        if media.name.is_some() && !filename {
            self.losses.drop(media.kind.name_parameter());
        }
        match media.kind {
            MediaKind::Image if !foreign_file => list.object(|part| {
                part.string("type", "input_image");
                match &media.source {
                    MediaSource::File(id) => part.string("file_id", id),
                    _ => write_url(part, "image_url", media, "image/png"),
                }
                part.string("detail", media.detail.as_deref().unwrap_or("auto"));
            }),
            MediaKind::Document if !foreign_file => list.object(|part| {
                part.string("type", "input_file");
                match &media.source {
                    MediaSource::File(id) => part.string("file_id", id),
                    MediaSource::Url(url) => part.string("file_url", url),
                    MediaSource::Data(_) | MediaSource::Text(_) => {
                        let name = media.name.as_deref().unwrap_or("document.pdf");
                        part.string("filename", name);
                        write_url(part, "file_data", media, "application/pdf");
                    }
                }
            }),
            kind => self.losses.drop(kind.as_str()),
        }
    }

    pub(super) fn lose_cache(&mut self, part: &Part) {
        // The provider's cache keeps what comes again, unasked.
        if part.cache.is_some() {
            self.losses.drop("cache_control");
        }
    }

    pub(super) fn lose_name(&mut self, message: &Message) {
        if message.name.is_some() {
            self.losses.drop("messages.name");
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

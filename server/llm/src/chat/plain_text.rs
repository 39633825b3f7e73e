//! Documents that are nothing but text.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Media, MediaKind, MediaSource};

impl Media {
    /// What a document says, under its name, where it is text: protocols that take no such documents are told it
    /// as text.
    pub fn as_text(&self) -> Option<String> {
        let text = match &self.source {
            MediaSource::Text(text) => text.to_string(),
            MediaSource::Data(data)
                if self.kind == MediaKind::Document
                    && self.media_type.as_deref()?.starts_with("text/") =>
            {
                String::from_utf8(STANDARD.decode(data.as_bytes()).ok()?).ok()?
            }
            _ => return None,
        };
        Some(match &self.name {
            Some(name) => format!("{name}\n\n{text}"),
            None => text,
        })
    }
}

//! URLs of images and files.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::chat::MediaSource;
use crate::text::Text;

/// Takes a `data:` URL (RFC 2397) apart; its media type is told where it says one.
pub(crate) fn read_url(url: Text) -> (MediaSource, Option<Text>) {
    let scheme = url.get(..5);
    if !scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:")) {
        return (MediaSource::Url(url), None);
    }
    let Some(comma) = memchr::memchr(b',', url.as_bytes()) else {
        return (MediaSource::Url(url), None);
    };
    let head = &url[5..comma];
    let type_end = head.find(';').unwrap_or(head.len());
    let media_type = (type_end > 0).then(|| Text::slice_of(url.as_bytes(), 5..5 + type_end));
    let data = Text::slice_of(url.as_bytes(), comma + 1..url.len());
    let base64 = head[type_end..]
        .split(';')
        .any(|word| word.trim().eq_ignore_ascii_case("base64"));
    if base64 {
        return (MediaSource::Data(data), media_type);
    }
    let bytes = unescaped(&data);
    let textual = media_type
        .as_deref()
        .is_none_or(|media_type| media_type.starts_with("text/"));
    match String::from_utf8(bytes) {
        Ok(text) if textual => (
            MediaSource::Text(Text::from(text)),
            media_type.or(Some(Text::from_static("text/plain"))),
        ),
        Ok(text) => (MediaSource::Data(encoded(text.as_bytes())), media_type),
        Err(error) => (MediaSource::Data(encoded(error.as_bytes())), media_type),
    }
}

/// The media type that a file of this name has, as far as its ending tells.
pub(crate) fn media_type_of(name: &str) -> Option<Text> {
    let (_, ending) = name.rsplit_once('.')?;
    let media_type = match ending.to_ascii_lowercase().as_str() {
        "pdf" => "application/pdf",
        "txt" => "text/plain",
        "md" => "text/markdown",
        "csv" => "text/csv",
        "html" | "htm" => "text/html",
        "json" => "application/json",
        _ => return None,
    };
    Some(Text::from_static(media_type))
}

fn encoded(bytes: &[u8]) -> Text {
    Text::from(STANDARD.encode(bytes))
}

/// Resolves `%41`.
fn unescaped(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match escape.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_urls_are_taken_apart() {
        for (url, expected, media_type) in [
            (
                "data:image/png;base64,AAAA",
                MediaSource::Data(Text::from("AAAA")),
                Some("image/png"),
            ),
            (
                "DATA:text/plain;charset=utf-8;BASE64,AAAA",
                MediaSource::Data(Text::from("AAAA")),
                Some("text/plain"),
            ),
            (
                "data:,a%20b%",
                MediaSource::Text(Text::from("a b%")),
                Some("text/plain"),
            ),
            (
                "data:image/svg+xml,%3Csvg/%3E",
                MediaSource::Data(Text::from("PHN2Zy8+")),
                Some("image/svg+xml"),
            ),
            (
                "https://example.com/,x",
                MediaSource::Url(Text::from("https://example.com/,x")),
                None,
            ),
            ("data:x", MediaSource::Url(Text::from("data:x")), None),
        ] {
            let (found, found_type) = read_url(Text::from(url));
            assert_eq!(found, expected, "{url}");
            assert_eq!(found_type.as_deref(), media_type, "{url}");
        }
    }
}

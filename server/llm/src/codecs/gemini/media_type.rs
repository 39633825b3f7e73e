//! Media types that nobody told: <https://ai.google.dev/gemini-api/docs/file-input-methods>

use crate::chat::MediaKind;

/// Told by how files of a format begin, in base64. There has to be one.
pub(super) fn type_of_bytes(data: &str, kind: MediaKind) -> &'static str {
    const BEGINNINGS: [(&str, &str); 8] = [
        ("iVBORw0KGgo", "image/png"),
        ("/9j/", "image/jpeg"),
        ("R0lGOD", "image/gif"),
        ("UklGR", "image/webp"),
        ("JVBERi", "application/pdf"),
        ("SUQz", "audio/mp3"),
        ("T2dnUw", "audio/ogg"),
        ("ZkxhQw", "audio/flac"),
    ];
    let found = BEGINNINGS
        .iter()
        .find(|(beginning, _)| data.starts_with(beginning));
    match (found, kind) {
        (Some((_, "image/webp")), MediaKind::Audio) | (None, MediaKind::Audio) => "audio/wav",
        (Some((_, media_type)), _) => media_type,
        (None, MediaKind::Image) => "image/png",
        (None, MediaKind::Document) => "application/pdf",
        (None, MediaKind::Video) => "video/mp4",
    }
}

/// Told by the ending of a URL's path.
pub(super) fn type_of_name(url: &str) -> Option<&'static str> {
    let path = url.split(['?', '#']).next()?;
    let ending = path.rsplit('/').next()?.rsplit_once('.')?.1;
    Some(match ending.to_ascii_lowercase().as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "gif" => "image/gif",
        "heic" => "image/heic",
        "heif" => "image/heif",
        "pdf" => "application/pdf",
        "txt" => "text/plain",
        "mp3" => "audio/mp3",
        "wav" => "audio/wav",
        "ogg" => "audio/ogg",
        "flac" => "audio/flac",
        "mp4" => "video/mp4",
        "mov" => "video/quicktime",
        "webm" => "video/webm",
        _ => return None,
    })
}

//! `annotations`: where a text comes from.
//! <https://platform.openai.com/docs/api-reference/responses/object#responses/object-output>

use crate::chat::Citation;
use crate::json::{Node, ObjectWriter};

/// The source in an annotation; none where it is none (`file_path`).
pub(crate) fn read_citation(annotation: &Node<'_>) -> Option<Citation> {
    let text = |key: &str| {
        let text = annotation.get(key)?.text().ok()?;
        (!text.is_empty()).then_some(text)
    };
    let place = |key: &str| u32::try_from(annotation.get(key)?.u64().ok()?).ok();
    let range = place("start_index")
        .zip(place("end_index"))
        .filter(|(from, to)| from < to);
    let kind = annotation.get("type")?.str().ok()?;
    let (url, title) = match &*kind {
        "url_citation" => (Some(text("url")?), text("title")),
        "file_citation" | "container_file_citation" => {
            (None, text("filename").or_else(|| text("file_id")))
        }
        _ => return None,
    };
    Some(Citation {
        url,
        title,
        quoted: None,
        range,
        document: None,
    })
}

/// Writes an annotation; `length` is the text's, in characters.
pub(crate) fn write_citation(object: &mut ObjectWriter<'_>, citation: &Citation, length: u32) {
    let title = citation.title.as_deref().unwrap_or_default();
    if let Some(url) = &citation.url {
        // Without a range, it stands at the text's end.
        let (from, to) = citation.range.unwrap_or((length, length));
        object.string("type", "url_citation");
        object.plain("start_index", from);
        object.plain("end_index", to);
        object.string("url", url);
        object.string("title", title);
    } else {
        // A document of the request: it has a name, and no id that anything could be fetched by.
        object.string("type", "file_citation");
        object.string("file_id", "");
        object.string("filename", title);
        object.plain("index", citation.document.unwrap_or(0));
    }
}

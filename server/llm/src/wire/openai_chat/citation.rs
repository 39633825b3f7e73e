//! `annotations`: <https://platform.openai.com/docs/api-reference/chat/object#chat-object-choices-message-annotations>

use crate::chat::Citation;
use crate::json::{Node, ObjectWriter};

/// The sources in an array of annotations; what is none is passed over.
pub(crate) fn read_citations(annotations: &Node<'_>) -> Vec<Citation> {
    let items = annotations.array().unwrap_or_default().iter();
    items.filter_map(read_citation).collect()
}

fn read_citation(annotation: &Node<'_>) -> Option<Citation> {
    // Some upstreams leave the inner object out.
    let source = annotation.get("url_citation").unwrap_or(annotation);
    let text = |key: &str| source.get(key).and_then(|value| value.text().ok());
    let place = |key: &str| u32::try_from(source.get(key)?.u64().ok()?).ok();
    let url = text("url").filter(|url| !url.is_empty())?;
    let range = place("start_index").zip(place("end_index"));
    Some(Citation {
        url: Some(url),
        title: text("title").filter(|title| !title.is_empty()),
        quoted: text("content").filter(|content| !content.is_empty()),
        range: range.filter(|(from, to)| from < to),
        document: None,
    })
}

/// Writes an annotation; `range` is the piece of the message's text that it is for, in characters. Title and URL are
/// demanded by the SDKs: they are empty where the source has none.
pub(crate) fn write_citation(
    annotation: &mut ObjectWriter<'_>,
    citation: &Citation,
    range: (u32, u32),
) {
    annotation.string("type", "url_citation");
    annotation.object("url_citation", |source| {
        source.plain("start_index", range.0);
        source.plain("end_index", range.1);
        source.string("title", citation.title.as_deref().unwrap_or_default());
        source.string("url", citation.url.as_deref().unwrap_or_default());
        if let Some(quoted) = &citation.quoted {
            source.string("content", quoted);
        }
    });
}

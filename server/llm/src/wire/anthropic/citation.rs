//! Citations: <https://docs.anthropic.com/en/docs/build-with-claude/citations>

use crate::chat::Citation;
use crate::json::{Node, ObjectWriter, Writer};
use crate::text::Text;

/// Reads a citation of any kind. Where in its source it stands (pages, characters, blocks) is not kept.
pub(crate) fn read_citation(citation: &Node<'_>) -> Citation {
    let text = |key: &str| -> Option<Text> { citation.get(key)?.text().ok() };
    Citation {
        url: text("url").or_else(|| text("source")),
        title: text("title").or_else(|| text("document_title")),
        quoted: text("cited_text"),
        range: None,
        document: citation
            .get("document_index")
            .and_then(|index| u32::try_from(index.u64().ok()?).ok()),
    }
}

/// Whether a citation can be written: it names an address or a document.
pub(crate) fn sayable(citation: &Citation) -> bool {
    citation.url.is_some() || citation.document.is_some()
}

/// Writes a citation that is [`sayable`].
pub(crate) fn write_citation(citation: &Citation, out: Writer<'_>) {
    let title = |out: &mut ObjectWriter<'_>, key: &str| match &citation.title {
        Some(title) => out.string(key, title),
        None => out.null(key),
    };
    let quoted = citation.quoted.as_deref().unwrap_or_default();
    out.object(|out| match &citation.url {
        Some(url) => {
            out.string("type", "web_search_result_location");
            out.string("url", url);
            title(out, "title");
            out.string("cited_text", quoted);
            // The provider's own: nobody else has one.
            out.string("encrypted_index", "");
        }
        None => {
            out.string("type", "char_location");
            out.plain("document_index", citation.document.unwrap_or(0));
            title(out, "document_title");
            out.string("cited_text", quoted);
            out.plain("start_char_index", 0);
            out.plain("end_char_index", quoted.chars().count());
        }
    });
}

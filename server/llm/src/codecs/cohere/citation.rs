//! Where the answer comes from: <https://docs.cohere.com/docs/documents-and-citations>

use crate::chat::Citation;
use crate::json::{Node, ShapeError};
use crate::text::Text;

/// A citation of a text: one each of its sources. Where a plan or a thought cites, nobody is told.
pub(super) struct Cited {
    /// The number of the content block.
    pub content: Option<u64>,
    pub citations: Vec<Citation>,
}

pub(super) fn read(citation: &Node<'_>) -> Result<Option<Cited>, ShapeError> {
    let kind = citation.get("type").map(Node::str).transpose()?;
    if kind.is_some_and(|kind| kind != "TEXT_CONTENT") {
        return Ok(None);
    }
    let place = |key: &str| -> Result<Option<u32>, ShapeError> {
        let at = citation.get(key).map(Node::u64).transpose()?;
        Ok(at.and_then(|at| u32::try_from(at).ok()))
    };
    let range = place("start")?.zip(place("end")?);
    let mut citations = Vec::new();
    if let Some(sources) = citation.get("sources") {
        for source in sources.array()? {
            citations.push(of_source(source, range));
        }
    }
    if citations.is_empty() {
        citations.push(Citation {
            range,
            ..Citation::default()
        });
    }
    Ok(Some(Cited {
        content: citation.get("content_index").map(Node::u64).transpose()?,
        citations,
    }))
}

/// A document's members are the client's own: the common names are looked for.
fn of_source(source: &Node<'_>, range: Option<(u32, u32)>) -> Citation {
    let body = source.get("document").or_else(|| source.get("tool_output"));
    let text = |names: &[&str]| -> Option<Text> {
        names.iter().find_map(|name| body?.get(name)?.text().ok())
    };
    let id = source.get("id").and_then(|id| id.text().ok());
    Citation {
        url: text(&["url", "link"]),
        title: text(&["title", "name"]).or(id),
        quoted: text(&["snippet", "text", "data", "content"]),
        range,
        document: None,
    }
}

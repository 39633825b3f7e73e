//! Where an answer comes from: <https://ai.google.dev/api/generate-content#GroundingMetadata>
//! and <https://ai.google.dev/api/generate-content#citationmetadata>

use crate::chat::Citation;
use crate::json::{Node, ShapeError};
use crate::text::Text;
use crate::wire::gemini::items;

/// How many sources of one candidate are told.
const MOST: usize = 1024;

/// What sources may refer to, and those that were told already: metadata may come again in each chunk.
#[derive(Debug, Default)]
pub(super) struct Cited {
    /// The text blocks so far.
    texts: Vec<(u32, String)>,
    /// Of each part of this chunk that is text: its block, and from which byte of it on.
    pub parts: Vec<Option<(u32, usize)>>,
    told: Vec<(u32, Citation)>,
}

impl Cited {
    /// Takes more of a block's text; how many bytes came before.
    pub fn said(&mut self, block: u32, text: &Text) -> usize {
        match self.texts.last_mut() {
            Some((last, said)) if *last == block => {
                let from = said.len();
                said.push_str(text);
                from
            }
            _ => {
                self.texts.push((block, text.to_string()));
                0
            }
        }
    }
}

/// Sources that were not told before, and their blocks.
pub(super) fn read_citations(
    candidate: &Node<'_>,
    cited: &mut Cited,
) -> Result<Vec<(u32, Citation)>, ShapeError> {
    let grounding = candidate.get("groundingMetadata");
    let recited = candidate.get("citationMetadata").and_then(|metadata| {
        metadata
            .get("citations")
            .or(metadata.get("citationSources"))
    });
    if grounding.is_none() && recited.is_none() || cited.texts.is_empty() {
        return Ok(Vec::new());
    }
    let mut texts: Vec<_> = cited
        .texts
        .iter()
        .map(|(at, text)| Place::new(*at, text))
        .collect();
    let mut found = Vec::new();
    for source in recited.map(items).unwrap_or_default() {
        let (block, range) = locate(source, &cited.parts, &mut texts);
        let citation = Citation {
            url: text(source, "uri")?,
            title: text(source, "title")?,
            range,
            ..Citation::default()
        };
        found.push((block, citation));
    }
    if let Some(grounding) = grounding {
        let list = |name| grounding.get(name).map(items).unwrap_or_default();
        let chunks = list("groundingChunks");
        let mut used = vec![false; chunks.len()];
        for support in list("groundingSupports") {
            let Some(segment) = support.get("segment") else {
                continue;
            };
            let (block, range) = locate(segment, &cited.parts, &mut texts);
            let indices = support.get("groundingChunkIndices");
            for index in indices.map(items).unwrap_or_default() {
                let index = usize::try_from(index.u64()?).unwrap_or(usize::MAX);
                if let Some(chunk) = chunks.get(index) {
                    used[index] = true;
                    found.push((block, source(chunk, range)?));
                }
            }
        }
        let last = texts.last().map_or(0, |place| place.block);
        for (chunk, _) in chunks.iter().zip(used).filter(|(_, used)| !used) {
            found.push((last, source(chunk, None)?));
        }
    }
    found.truncate(MOST.saturating_sub(cited.told.len()));
    found.retain(|one| !cited.told.contains(one));
    cited.told.extend_from_slice(&found);
    Ok(found)
}

/// A `GroundingChunk`: a page of the web, a document that was retrieved, a place on a map.
fn source(chunk: &Node<'_>, range: Option<(u32, u32)>) -> Result<Citation, ShapeError> {
    let source = ["web", "retrievedContext", "maps"]
        .iter()
        .find_map(|kind| chunk.object().ok()?.get(kind))
        .unwrap_or(chunk);
    Ok(Citation {
        url: text(source, "uri")?,
        title: text(source, "title")?,
        quoted: text(source, "text")?,
        range,
        document: None,
    })
}

fn text(object: &Node<'_>, name: &str) -> Result<Option<Text>, ShapeError> {
    object.get(name).map(Node::text).transpose()
}

/// The block of a segment, and the segment in characters: the protocol counts bytes of a part, which in a stream
/// are those of all the text so far.
fn locate(
    segment: &Node<'_>,
    parts: &[Option<(u32, usize)>],
    texts: &mut [Place<'_>],
) -> (u32, Option<(u32, u32)>) {
    let number = |name| {
        let number = segment.get(name).and_then(|number| number.u64().ok());
        number.and_then(|number| usize::try_from(number).ok())
    };
    let start = number("startIndex").unwrap_or(0);
    let end = number("endIndex");
    let quoted = segment.get("text").and_then(|text| text.str().ok());
    let part = parts
        .get(number("partIndex").unwrap_or(0))
        .copied()
        .flatten();
    let last = texts.last().map_or(0, |place| place.block);
    let Some(end) = end else {
        return (part.map_or(last, |(block, _)| block), None);
    };
    let in_part = part.into_iter();
    let in_all = texts.iter().rev().map(|place| (place.block, 0));
    let places: Vec<_> = in_part.chain(in_all).take(8).collect();
    for (block, from) in places {
        let Some(place) = texts.iter_mut().find(|place| place.block == block) else {
            continue;
        };
        let (start, end) = (from.saturating_add(start), from.saturating_add(end));
        let Some(there) = place.text.get(start..end) else {
            continue;
        };
        if quoted.as_ref().is_none_or(|quoted| *quoted == there) {
            return (block, Some((place.character(start), place.character(end))));
        }
    }
    (last, None)
}

/// A block's text, in which bytes are turned into characters.
struct Place<'t> {
    block: u32,
    text: &'t str,
    /// How many characters begin before every 256th byte; made when it is first needed.
    counts: Vec<u32>,
}

impl<'t> Place<'t> {
    const STEP: usize = 256;

    fn new(block: u32, text: &'t str) -> Self {
        Self {
            block,
            text,
            counts: Vec::new(),
        }
    }

    fn character(&mut self, at: usize) -> u32 {
        let begin = |bytes: &[u8]| {
            let begins = bytes.iter().filter(|&&byte| byte & 0xc0 != 0x80).count();
            u32::try_from(begins).unwrap_or(u32::MAX)
        };
        let bytes = self.text.as_bytes();
        if self.counts.is_empty() {
            let mut sum = 0_u32;
            self.counts.push(0);
            for step in bytes.chunks(Self::STEP) {
                sum = sum.saturating_add(begin(step));
                self.counts.push(sum);
            }
        }
        let step = at / Self::STEP;
        self.counts[step] + begin(&bytes[step * Self::STEP..at])
    }
}

//! What a reply says was consumed, read while it passes.

use bytes::Bytes;

use super::Operation;
use crate::chat::Usage;
use crate::framing::Framer;
use crate::json::Node;

/// What a request consumed, in the units that providers charge for. What is not known is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Consumption {
    pub usage: Option<Usage>,
    /// Images made.
    pub images: Option<u64>,
    /// Audio heard, in thousandths of a second.
    pub audio_ms: Option<u64>,
    /// Characters spoken.
    pub characters: Option<u64>,
    /// What is charged for a query over documents.
    pub search_units: Option<u64>,
}

/// Reads a reply with a good status as it passes. Memory stays small, however large the images in it are.
#[derive(Debug)]
pub struct Meter {
    operation: &'static Operation,
    form: Form,
    consumption: Consumption,
}

#[derive(Debug)]
enum Form {
    Json(Digest),
    Stream(Framer),
    /// Sound, subtitles: nothing to be read.
    Opaque,
}

impl Meter {
    /// `characters` as [`JsonHead`](super::JsonHead) counted them; `content_type` is the reply's.
    pub fn new(
        operation: &'static Operation,
        characters: Option<u64>,
        content_type: Option<&str>,
    ) -> Self {
        let content_type = content_type.unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        let form = match Framer::for_content_type(content_type) {
            Some(framer) => Form::Stream(framer),
            None if essence.eq_ignore_ascii_case("application/json") => {
                Form::Json(Digest::default())
            }
            None => Form::Opaque,
        };
        let consumption = Consumption {
            characters,
            ..Consumption::default()
        };
        Self {
            operation,
            form,
            consumption,
        }
    }

    /// Reads the next chunk.
    pub fn push(&mut self, chunk: &Bytes) {
        match &mut self.form {
            Form::Json(digest) => digest.push(chunk),
            Form::Stream(framer) => {
                framer.push(chunk.clone());
                loop {
                    match framer.next() {
                        Ok(Some(frame)) => {
                            read(self.operation, &frame.data, &mut self.consumption);
                        }
                        Ok(None) => break,
                        Err(_) => {
                            self.form = Form::Opaque;
                            break;
                        }
                    }
                }
            }
            Form::Opaque => {}
        }
    }

    /// The reply ended.
    pub fn finish(mut self) -> Consumption {
        let rest = match &mut self.form {
            Form::Json(digest) => digest.take(),
            Form::Stream(framer) => framer.finish().map(|frame| frame.data),
            Form::Opaque => None,
        };
        if let Some(document) = rest {
            read(self.operation, &document, &mut self.consumption);
        }
        self.consumption
    }
}

fn read(operation: &Operation, document: &Bytes, consumption: &mut Consumption) {
    // Most events of a stream are pieces of an image or of sound.
    const WORDS: [&[u8]; 3] = [b"\"usage\"", b"\"duration\"", b"\"data\""];
    if !WORDS
        .iter()
        .any(|word| memchr::memmem::find(document, word).is_some())
    {
        return;
    }
    if let Ok(root) = Node::parse(document) {
        (operation.consumed)(&root, consumption);
    }
}

/// Reads `usage` as OpenAI writes it beside chat: `{"input_tokens":…,"output_tokens":…}`.
pub(crate) fn tokens(root: &Node<'_>) -> Option<Usage> {
    let usage = root.get("usage")?;
    let count = |node: &Node<'_>, key: &str| node.get(key).and_then(|count| count.u64().ok());
    let input = count(usage, "input_tokens").or_else(|| count(usage, "prompt_tokens"))?;
    let details = usage.get("input_tokens_details");
    Some(Usage {
        input_tokens: input,
        cached_tokens: details
            .and_then(|details| count(details, "cached_tokens"))
            .unwrap_or(0),
        output_tokens: count(usage, "output_tokens")
            .or_else(|| count(usage, "completion_tokens"))
            .unwrap_or(0),
        ..Usage::default()
    })
}

/// Seconds as they are written, in thousandths.
pub(crate) fn milliseconds(seconds: &Node<'_>) -> Option<u64> {
    let seconds = match seconds.f64() {
        Ok(number) => number,
        // Some upstreams quote it.
        Err(_) => seconds.str().ok()?.parse().ok()?,
    };
    let duration = std::time::Duration::try_from_secs_f64(seconds).ok()?;
    u64::try_from(duration.as_millis()).ok()
}

/// A JSON document as it passes, without its long strings.
#[derive(Debug, Default)]
struct Digest {
    kept: Vec<u8>,
    /// Where the string began that is being read, behind its quote.
    string: Option<usize>,
    escaped: bool,
    /// The string is too long to be kept.
    skipping: bool,
    /// There is too much to keep.
    lost: bool,
}

impl Digest {
    /// Longer strings are left empty.
    const LONG: usize = 1 << 10;
    const MOST: usize = 4 << 20;

    fn push(&mut self, mut chunk: &[u8]) {
        while !chunk.is_empty() && !self.lost {
            chunk = match self.string {
                None => self.outside(chunk),
                Some(start) => self.inside(start, chunk),
            };
            self.lost = self.kept.len() > Self::MOST;
        }
    }

    fn outside<'a>(&mut self, chunk: &'a [u8]) -> &'a [u8] {
        match memchr::memchr(b'"', chunk) {
            Some(at) => {
                self.kept.extend_from_slice(&chunk[..=at]);
                self.string = Some(self.kept.len());
                &chunk[at + 1..]
            }
            None => {
                self.kept.extend_from_slice(chunk);
                &[]
            }
        }
    }

    fn inside<'a>(&mut self, start: usize, chunk: &'a [u8]) -> &'a [u8] {
        if std::mem::take(&mut self.escaped) {
            self.keep(start, &chunk[..1]);
            return &chunk[1..];
        }
        let Some(at) = memchr::memchr2(b'"', b'\\', chunk) else {
            self.keep(start, chunk);
            return &[];
        };
        if chunk[at] == b'"' {
            self.keep(start, &chunk[..at]);
            self.kept.push(b'"');
            self.string = None;
            self.skipping = false;
        } else {
            self.keep(start, &chunk[..=at]);
            self.escaped = true;
        }
        &chunk[at + 1..]
    }

    fn keep(&mut self, start: usize, piece: &[u8]) {
        if !self.skipping {
            self.kept.extend_from_slice(piece);
            if self.kept.len() - start > Self::LONG {
                self.skipping = true;
                self.kept.truncate(start);
            }
        }
    }

    fn take(&mut self) -> Option<Bytes> {
        (!self.lost).then(|| Bytes::from(std::mem::take(&mut self.kept)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_strings_are_left_out() {
        let long = format!(
            r#"{{"a":"{}\"","b":"\\","c":[1,"x\""]}}"#,
            "ä\\n".repeat(1_000)
        );
        for size in [1, 2, 3, 7, 1_000, long.len()] {
            let mut digest = Digest::default();
            long.as_bytes()
                .chunks(size)
                .for_each(|chunk| digest.push(chunk));
            let kept = digest.take().unwrap();
            assert_eq!(kept, r#"{"a":"","b":"\\","c":[1,"x\""]}"#);
        }
    }
}

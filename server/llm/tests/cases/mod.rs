//! The fixtures, and a stream read as a gateway reads it.

#![allow(dead_code, reason = "each test file uses a part")]

use std::fs;
use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use llm::chat::{ChatRequest, StreamEvent};
use llm::codecs::openai_chat::OpenAiChat as Codec;
use llm::dialects::openai_chat::OpenAiChat as Dialect;
use llm::{ApiError, ChatCodec, ChatDialect, Frame, SseFramer};
use serde_json::Value;

pub struct Case {
    pub name: String,
    folder: PathBuf,
}

/// Every folder of the fixtures.
pub fn all() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut cases = Vec::new();
    for owner in folders(&root) {
        for folder in folders(&owner) {
            let name = folder.strip_prefix(&root).unwrap().display().to_string();
            cases.push(Case { name, folder });
        }
    }
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

/// Those that have all of the files.
pub fn with(files: &[&str]) -> Vec<Case> {
    let mut cases = all();
    cases.retain(|case| files.iter().all(|file| case.read(file).is_some()));
    assert!(!cases.is_empty(), "no case has {files:?}");
    cases
}

fn folders(at: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(at).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.is_dir()).collect()
}

impl Case {
    pub fn read(&self, file: &str) -> Option<Bytes> {
        fs::read(self.folder.join(file)).ok().map(Bytes::from)
    }

    pub fn json(&self, file: &str) -> Option<Value> {
        let bytes = self.read(file)?;
        Some(
            serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{}: {error}", self.name)),
        )
    }

    pub fn request(&self) -> ChatRequest {
        let body = self
            .read("request.json")
            .unwrap_or_else(|| panic!("{}: no request", self.name));
        Dialect
            .decode_request(body)
            .unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    pub fn stream(&self) -> Bytes {
        self.read("stream.sse").unwrap()
    }

    /// The upstream's name of the model, as JSON spells it there.
    pub fn upstream_model(&self) -> String {
        let text = String::from_utf8(
            self.read("response.json")
                .or_else(|| self.read("stream.sse"))
                .unwrap()
                .to_vec(),
        );
        let text = text.unwrap();
        let after = &text[text.find("\"model\"").unwrap() + 7..];
        let value = &after[after.find('"').unwrap()..];
        value[..value[1..].find('"').unwrap() + 2].to_owned()
    }
}

/// What a stream turned out to be.
pub struct Read {
    pub events: Vec<StreamEvent>,
    /// What the client got, if all went well.
    pub written: Bytes,
    pub result: Result<(), ApiError>,
}

/// A stream that arrives in these chunks, decoded and encoded again.
pub fn read(request: &ChatRequest, chunks: impl IntoIterator<Item = Bytes>) -> Read {
    let mut read = Read {
        events: Vec::new(),
        written: Bytes::new(),
        result: Ok(()),
    };
    let mut written = BytesMut::new();
    read.result = run(request, chunks, &mut read.events, &mut written);
    read.written = written.freeze();
    read
}

fn run(
    request: &ChatRequest,
    chunks: impl IntoIterator<Item = Bytes>,
    events: &mut Vec<StreamEvent>,
    written: &mut BytesMut,
) -> Result<(), ApiError> {
    let mut framer = SseFramer::new();
    let mut decoder = Codec.stream_decoder(request);
    let mut encoder = Dialect.stream_encoder(request);
    let mut one = |mut frame: Frame, written: &mut BytesMut| {
        let from = events.len();
        let result = decoder.decode(&mut frame, events);
        if result.is_ok() {
            encoder.encode(Some(&frame), &events[from..], written);
        }
        result
    };
    for chunk in chunks {
        framer.push(chunk);
        while let Some(frame) = framer.next()? {
            one(frame, written)?;
        }
    }
    if let Some(frame) = framer.finish() {
        one(frame, written)?;
    }
    decoder.finish(events)?;
    encoder.finish(written);
    Ok(())
}

/// `bytes` cut at these places.
pub fn cut(bytes: &Bytes, places: &[usize]) -> Vec<Bytes> {
    let mut places = places.to_vec();
    places.push(bytes.len());
    places.sort_unstable();
    let mut from = 0;
    let mut chunks = Vec::new();
    for place in places {
        chunks.push(bytes.slice(from..place));
        from = place;
    }
    chunks
}

//! The fixtures, and a stream read as a gateway reads it.

#![allow(dead_code, reason = "each test file uses a part")]

use std::fs;
use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use llm::chat::{ChatRequest, Protocol, StreamEvent};
use llm::{
    ApiError, ChatCodec, ChatDialect, Frame, Framer, Incoming, NdjsonFramer, ReplyForm, SseFramer,
    Target,
};
use llm::{codecs, dialects};
use serde_json::Value;

pub struct Case {
    /// `openai/parallel_tool_calls`
    pub name: String,
    pub pair: &'static Pair,
    folder: PathBuf,
}

/// What a folder's files are written in.
pub struct Pair {
    /// Of `request.json`.
    pub dialect: &'static dyn ChatDialect,
    /// Of everything else.
    pub codec: &'static dyn ChatCodec,
    pub stream_file: &'static str,
}

impl Pair {
    /// Whether replies are carried.
    pub fn carries(&self) -> bool {
        self.dialect.protocol() == self.codec.protocol()
    }

    /// What the dialect makes of a reply's time: OpenAI's protocols have to have one.
    pub fn created(&self, created: Option<i64>) -> Option<i64> {
        match self.dialect.protocol() {
            Protocol::OpenAiChat | Protocol::OpenAiCompletions | Protocol::OpenAiResponses => {
                created.or(Some(0))
            }
            _ => created,
        }
    }
}

pub static OPENAI_CHAT: Pair = Pair {
    dialect: &dialects::openai_chat::OpenAiChat,
    codec: &codecs::openai_chat::OpenAiChat::OPENAI,
    stream_file: "stream.sse",
};

pub const OPENAI_RESPONSES: Pair = Pair {
    dialect: &dialects::openai_responses::OpenAiResponses,
    codec: &codecs::openai_responses::OpenAiResponses::USUAL,
    stream_file: "stream.sse",
};

/// Folders of `fixtures` that are not OpenAI Chat's.
static OTHERS: &[(&str, Pair)] = &[
    (
        "anthropic",
        Pair {
            dialect: &dialects::anthropic::Anthropic,
            codec: &codecs::anthropic::Anthropic,
            stream_file: "stream.sse",
        },
    ),
    (
        "cohere",
        Pair {
            dialect: &dialects::openai_chat::OpenAiChat,
            codec: &codecs::cohere::Cohere,
            stream_file: "stream.sse",
        },
    ),
    (
        "completions",
        Pair {
            dialect: &dialects::openai_completions::OpenAiCompletions,
            codec: &codecs::openai_completions::OpenAiCompletions::USUAL,
            stream_file: "stream.sse",
        },
    ),
    (
        "gemini",
        Pair {
            dialect: &dialects::gemini::Gemini,
            codec: &codecs::gemini::Gemini,
            stream_file: "stream.sse",
        },
    ),
    (
        "mistral",
        Pair {
            dialect: &dialects::openai_chat::OpenAiChat,
            codec: &codecs::mistral::Mistral,
            stream_file: "stream.sse",
        },
    ),
    ("openai_responses", OPENAI_RESPONSES),
    (
        "ollama",
        Pair {
            dialect: &dialects::openai_chat::OpenAiChat,
            codec: &codecs::ollama::Ollama,
            stream_file: "stream.ndjson",
        },
    ),
];

fn pair(owner: &str) -> &'static Pair {
    let other = OTHERS.iter().find(|(name, _)| *name == owner);
    other.map_or(&OPENAI_CHAT, |(_, pair)| pair)
}

/// Every folder of the fixtures.
pub fn all() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut cases = Vec::new();
    for owner in folders(&root) {
        for folder in folders(&owner) {
            let name = folder.strip_prefix(&root).unwrap().display().to_string();
            let pair = pair(name.split('/').next().unwrap());
            cases.push(Case { name, pair, folder });
        }
    }
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

/// Those of a protocol that have all of the files.
pub fn of(protocol: Protocol, files: &[&str]) -> Vec<Case> {
    let mut cases = with(files);
    cases.retain(|case| case.pair.codec.protocol() == protocol);
    assert!(!cases.is_empty(), "no case of {protocol:?} has {files:?}");
    cases
}

/// Those that have all of the files; `stream` is the stream, whatever its framing.
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
        let file = match file {
            "stream" => self.pair.stream_file,
            file => file,
        };
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
        self.pair
            .dialect
            .decode_request(Incoming::of(body))
            .unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    pub fn stream(&self) -> Bytes {
        self.read("stream").unwrap()
    }

    /// What the request that would be sent says of the reply.
    pub fn form(&self) -> ReplyForm {
        form(self.pair, &self.request())
    }

    /// A stream in the codec's protocol that arrives in these chunks, decoded and encoded again.
    pub fn run(&self, request: &ChatRequest, chunks: impl IntoIterator<Item = Bytes>) -> Read {
        read(self.pair, request, chunks)
    }

    /// The upstream's name of the model, as JSON spells it there.
    pub fn upstream_model(&self) -> String {
        let text = String::from_utf8(
            self.read("response.json")
                .or_else(|| self.read("stream"))
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

fn form(pair: &Pair, request: &ChatRequest) -> ReplyForm {
    let wire = pair.codec.encode_request(request, &Target::new("m"));
    wire.expect("a request that can be sent").form
}

/// As [`Case::run`].
pub fn read(pair: &Pair, request: &ChatRequest, chunks: impl IntoIterator<Item = Bytes>) -> Read {
    let mut read = Read {
        events: Vec::new(),
        written: Bytes::new(),
        result: Ok(()),
    };
    let mut written = BytesMut::new();
    read.result = run(pair, request, chunks, &mut read.events, &mut written);
    read.written = written.freeze();
    read
}

fn run(
    pair: &Pair,
    request: &ChatRequest,
    chunks: impl IntoIterator<Item = Bytes>,
    events: &mut Vec<StreamEvent>,
    written: &mut BytesMut,
) -> Result<(), ApiError> {
    let form = form(pair, request);
    let mut framer = match pair.stream_file {
        "stream.ndjson" => Framer::Ndjson(NdjsonFramer::new()),
        _ => Framer::Sse(SseFramer::new()),
    };
    let mut decoder = pair.codec.stream_decoder(request, &form);
    let mut encoder = pair.dialect.stream_encoder(request);
    let mut one = |mut frame: Frame, written: &mut BytesMut| {
        let from = events.len();
        let result = decoder.decode(&mut frame, events);
        if result.is_ok() {
            let carried = form.carried.then_some(&frame);
            encoder.encode(carried, &events[from..], written);
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
    let from = events.len();
    decoder.finish(events)?;
    encoder.encode(None, &events[from..], written);
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

//! What conversion costs: `cargo bench -p llm --bench convert`
//!
//! The limits: a chat of 1 KB converted and its reply converted back 30 µs, a history of 1 MB 5 ms, a chunk
//! of a stream 2 µs. Beside each pair stands what carrying costs, where both sides speak the same protocol.

#![allow(missing_docs, reason = "a benchmark")]

use std::hint::black_box;

use bytes::{Bytes, BytesMut};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use llm::chat::{ChatRequest, Protocol};
use llm::{
    ChatCodec, ChatDialect, Framer, Incoming, NdjsonFramer, SseFramer, Target, codecs, dialects,
};
use serde_json::{Value, json};

static CLIENTS: [&dyn ChatDialect; 4] = [
    &dialects::openai_chat::OpenAiChat,
    &dialects::openai_responses::OpenAiResponses,
    &dialects::anthropic::Anthropic,
    &dialects::gemini::Gemini,
];

/// The pairs measured: each client's own protocol, and others.
fn pairs() -> Vec<(&'static dyn ChatDialect, &'static dyn ChatCodec)> {
    let mut pairs = Vec::new();
    for client in CLIENTS {
        for codec in codecs::all().iter().copied() {
            if codec.protocol() != Protocol::OpenAiCompletions {
                pairs.push((client, codec));
            }
        }
    }
    pairs
}

fn name(dialect: &dyn ChatDialect, codec: &dyn ChatCodec) -> String {
    format!(
        "{}-{}",
        dialect.protocol().as_str(),
        codec.protocol().as_str()
    )
}

/// So many turns of 500 bytes, and a question.
fn body(dialect: &dyn ChatDialect, turns: usize) -> Bytes {
    let text = "The quick brown fox jumps over the lazy dog. ".repeat(10);
    let mut list = Vec::new();
    let gemini = dialect.protocol() == Protocol::Gemini;
    for turn in 0..=2 * turns {
        let (role, text) = match (turn % 2, gemini) {
            (0, _) => ("user", text.as_str()),
            (_, true) => ("model", text.as_str()),
            _ => ("assistant", text.as_str()),
        };
        list.push(if gemini {
            json!({"role": role, "parts": [{"text": text}]})
        } else {
            json!({"role": role, "content": text})
        });
    }
    let body = match dialect.protocol() {
        Protocol::OpenAiChat => json!({"model": "assistant", "messages": list, "temperature": 0.7}),
        Protocol::OpenAiResponses => {
            json!({"model": "assistant", "input": list, "temperature": 0.7})
        }
        Protocol::Anthropic => {
            json!({"model": "assistant", "messages": list, "max_tokens": 1024, "temperature": 0.7})
        }
        _ => json!({"contents": list, "generationConfig": {"temperature": 0.7}}),
    };
    Bytes::from(body.to_string())
}

fn read(dialect: &dyn ChatDialect, body: &Bytes) -> ChatRequest {
    let mut incoming = Incoming::of(body.clone());
    incoming.model = (dialect.protocol() == Protocol::Gemini).then_some("assistant");
    dialect.decode_request(incoming).expect("a request")
}

/// What the matrix test has an upstream say.
fn said(codec: &dyn ChatCodec) -> Value {
    let text: Value =
        serde_json::from_str(include_str!("../tests/matrix/replies/text.json")).expect("JSON");
    text["upstreams"][codec.protocol().as_str()].clone()
}

fn requests(c: &mut Criterion) {
    let target = Target::new("upstream-model");
    for (size, turns) in [("1KB", 1), ("1MB", 1000)] {
        let mut group = c.benchmark_group(format!("request/{size}"));
        for (dialect, codec) in pairs() {
            let body = body(dialect, turns);
            group.throughput(Throughput::Bytes(body.len() as u64));
            group.bench_function(name(dialect, codec), |bench| {
                bench.iter(|| {
                    let request = read(dialect, black_box(&body));
                    let sent = codec.encode_request(&request, &target);
                    black_box(sent.expect("a body"));
                });
            });
        }
        group.finish();
    }
}

/// A chat of 1 KB there, and its reply back.
fn round(c: &mut Criterion) {
    let target = Target::new("upstream-model");
    let mut group = c.benchmark_group("there_and_back/1KB");
    for (dialect, codec) in pairs() {
        let body = body(dialect, 1);
        let reply = Bytes::from(said(codec)["whole"].to_string());
        group.bench_function(name(dialect, codec), |bench| {
            bench.iter(|| {
                let request = read(dialect, black_box(&body));
                let sent = codec.encode_request(&request, &target).expect("a body");
                let response = codec.decode_response(&request, &sent.form, reply.clone());
                black_box(dialect.encode_response(&request, &response.expect("a reply")));
            });
        });
    }
    group.finish();
}

/// A thousand chunks of text; the figure is for all of them.
fn chunks(c: &mut Criterion) {
    const CHUNKS: usize = 1000;
    let target = Target::new("upstream-model");
    let mut group = c.benchmark_group("stream/1000_chunks");
    group.throughput(Throughput::Elements(CHUNKS as u64));
    for (dialect, codec) in pairs() {
        let mut request = read(dialect, &body(dialect, 1));
        request.stream = true;
        let form = codec
            .encode_request(&request, &target)
            .expect("a body")
            .form;
        let lines = codec.protocol() == Protocol::Ollama;
        let stream = stream(&said(codec), lines, CHUNKS);
        group.bench_function(name(dialect, codec), |bench| {
            bench.iter_batched_ref(
                || BytesMut::with_capacity(4 * stream.len()),
                |out| {
                    let mut framer = if lines {
                        Framer::Ndjson(NdjsonFramer::new())
                    } else {
                        Framer::Sse(SseFramer::new())
                    };
                    let mut decoder = codec.stream_decoder(&request, &form);
                    let mut encoder = dialect.stream_encoder(&request);
                    let mut events = Vec::new();
                    framer.push(stream.clone());
                    while let Some(mut frame) = framer.next().expect("a frame") {
                        events.clear();
                        decoder.decode(&mut frame, &mut events).expect("a chunk");
                        encoder.encode(form.carried.then_some(&frame), &events, out);
                    }
                },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

/// The beginning of what is said, and its first piece of text so many times.
fn stream(said: &Value, lines: bool, chunks: usize) -> Bytes {
    let events = said["stream"].as_array().expect("a stream");
    let says = |event: &&Value| event.to_string().contains("Hello\"");
    let first = events.iter().position(|event| says(&event)).expect("text");
    let mut out = String::new();
    let all = events[..first]
        .iter()
        .chain(std::iter::repeat_n(&events[first], chunks));
    for event in all {
        match event["type"].as_str() {
            _ if lines => out += &format!("{event}\n"),
            Some(name) => out += &format!("event: {name}\ndata: {event}\n\n"),
            None => out += &format!("data: {event}\n\n"),
        }
    }
    Bytes::from(out)
}

criterion_group!(benches, requests, round, chunks);
criterion_main!(benches);

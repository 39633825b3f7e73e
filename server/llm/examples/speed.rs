//! Prints what the hot path costs: `cargo run --release -p llm --example speed`

use std::hint::black_box;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use llm::chat::{Block, Protocol, StreamEvent};
use llm::codecs::openai_chat::OpenAiChat as Codec;
use llm::dialects::openai_chat::OpenAiChat as Dialect;
use llm::{ChatCodec, ChatDialect, Incoming, ReplyForm, SseFramer, Target};

const CODEC: Codec = Codec::OPENAI;

fn main() {
    let small = request(1);
    let large = request(2_000);
    let escaped = Bytes::from(
        String::from_utf8(large.to_vec())
            .unwrap()
            .replace("fox", "\\n\\tfox\\u00e4"),
    );
    for (name, body, times) in [
        ("small", small, 500),
        ("large", large, 1),
        ("escaped", escaped, 1),
    ] {
        let target = Target {
            model: "gpt-4o-2024-08-06",
            system_prompt: None,
            api_version: None,
        };
        let nanos = nanos_each(times, || {
            let request = Dialect.decode_request(Incoming::of(body.clone())).unwrap();
            black_box(CODEC.encode_request(&request, &target).unwrap());
        });
        println!("request, {name}, {} bytes: {nanos:.0} ns", body.len());
    }
    converted(1, 300);
    converted(2_000, 1);
    stream(1_000);
    made(1_000);
    let body = Bytes::from_static(include_bytes!(
        "../tests/fixtures/openai/text/response.json"
    ));
    let request = Dialect.decode_request(Incoming::of(request(1))).unwrap();
    let nanos = nanos_each(500, || {
        let response = CODEC
            .decode_response(&request, &ReplyForm::default(), body.clone())
            .unwrap();
        black_box(Dialect.encode_response(&request, &response));
    });
    println!("reply, {} bytes: {nanos:.0} ns", body.len());
}

/// A chat history of so many turns, half a kilobyte each.
fn request(turns: usize) -> Bytes {
    let text = "The quick brown fox jumps over the lazy dog. ".repeat(10);
    let turn =
        format!(r#"{{"role":"user","content":"{text}"}},{{"role":"assistant","content":"Yes."}}"#);
    let messages = vec![turn; turns].join(",");
    Bytes::from(format!(
        r#"{{"model":"assistant","messages":[{messages}],"temperature":0.7,"stream":true,"stream_options":{{"include_usage":true}}}}"#
    ))
}

/// A request read in full and written anew, as for an upstream of another protocol.
fn converted(turns: usize, times: u32) {
    let body = request(turns);
    let target = Target::new("gpt-4o-2024-08-06");
    let nanos = nanos_each(times, || {
        let mut request = Dialect.decode_request(Incoming::of(body.clone())).unwrap();
        request.protocol = Protocol::Anthropic;
        black_box(CODEC.encode_request(&request, &target).unwrap());
    });
    println!("request, converted, {} bytes: {nanos:.0} ns", body.len());
}

/// Encoding of chunks from events, a chunk.
fn made(chunks: usize) {
    let request = Dialect.decode_request(Incoming::of(request(1))).unwrap();
    let text = StreamEvent::BlockDelta {
        choice: 0,
        index: 0,
        text: " assist".into(),
    };
    let start = StreamEvent::BlockStarted {
        choice: 0,
        index: 0,
        block: Block::Text,
    };
    let mut out = BytesMut::with_capacity(400 * chunks);
    let nanos = nanos_each(1, || {
        let mut encoder = Dialect.stream_encoder(&request);
        out.clear();
        encoder.encode(None, std::slice::from_ref(&start), &mut out);
        for _ in 0..chunks {
            encoder.encode(None, std::slice::from_ref(&text), &mut out);
        }
        black_box(&out);
    });
    println!("stream chunk made: {:.0} ns", nanos / chunks as f64);
}

/// Framing, decoding and encoding, a chunk.
fn stream(chunks: usize) {
    let chunk = concat!(
        r#"data: {"id":"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT","object":"chat.completion.chunk","created":1741569952,"#,
        r#""model":"gpt-4o-2024-08-06","service_tier":"default","system_fingerprint":"fp_44709d6fcb","#,
        r#""choices":[{"index":0,"delta":{"content":" assist"},"logprobs":null,"finish_reason":null}]}"#,
        "\n\n"
    );
    let stream = Bytes::from(chunk.repeat(chunks));
    let request = Dialect.decode_request(Incoming::of(request(1))).unwrap();
    let mut out = BytesMut::with_capacity(2 * stream.len());
    let mut events = Vec::new();
    let nanos = nanos_each(1, || {
        let mut framer = SseFramer::new();
        let mut decoder = CODEC.stream_decoder(&request, &ReplyForm::default());
        let mut encoder = Dialect.stream_encoder(&request);
        out.clear();
        framer.push(stream.clone());
        while let Some(mut frame) = framer.next().unwrap() {
            events.clear();
            decoder.decode(&mut frame, &mut events).unwrap();
            encoder.encode(Some(&frame), &events, &mut out);
        }
        black_box(&out);
    });
    println!(
        "stream chunk, {} bytes: {:.0} ns",
        chunk.len(),
        nanos / chunks as f64
    );
}

/// The best of many short rounds: what else runs on the machine does not count.
fn nanos_each(times: u32, mut work: impl FnMut()) -> f64 {
    (0..300)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..times {
                work();
            }
            start.elapsed().as_nanos() as f64 / f64::from(times)
        })
        .fold(f64::INFINITY, f64::min)
}

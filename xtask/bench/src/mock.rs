//! A fast upstream that speaks OpenAI's chat protocol: replies are rendered beforehand.
//!
//! The model's name in the request says what comes back:
//! `unary`; `paced-<milliseconds>-<chunks>`, one chunk at a time; `burst-<chunks>`, all chunks in
//! one write, each an HTTP chunk of its own.

use std::{
    cell::RefCell,
    collections::HashMap,
    fmt::Write as _,
    net::{Ipv4Addr, SocketAddr},
    rc::Rc,
    sync::mpsc,
    thread,
    time::Duration,
};

use anyhow::{Context, Result};
use memchr::memmem;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::LocalSet,
    time::{Instant, interval_at},
};

use crate::http::{Head, find_head};

/// What the upstream calls the model in its replies: dated, as OpenAI does.
const MODEL: &str = "gpt-4o-mini-2024-07-18";

/// Starts the upstream on a thread of its own; it ends with the process.
pub fn start() -> Result<SocketAddr> {
    let (send, receive) = mpsc::channel();
    thread::Builder::new()
        .name("mock".to_owned())
        .spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime can be built");
            LocalSet::new().block_on(&runtime, async move {
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
                match listener {
                    Ok(listener) => {
                        let _ = send.send(listener.local_addr());
                        serve(listener).await;
                    }
                    Err(error) => {
                        let _ = send.send(Err(error));
                    }
                }
            });
        })?;
    receive
        .recv()
        .context("the mock upstream ended")?
        .context("the mock upstream cannot listen")
}

async fn serve(listener: TcpListener) {
    let replies = Rc::new(Replies::default());
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let _ = stream.set_nodelay(true);
        let replies = Rc::clone(&replies);
        tokio::task::spawn_local(async move {
            // A proxy that hangs up is no error here.
            let _ = connection(stream, &replies).await;
        });
    }
}

/// Serves one connection until the other side closes it.
async fn connection(mut stream: TcpStream, replies: &Replies) -> std::io::Result<()> {
    let mut buffer = Vec::with_capacity(16 * 1024);
    loop {
        let end = loop {
            if let Some(end) = find_head(&buffer) {
                break end;
            }
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        };
        let head = Head::parse(&buffer[..end]);
        let mut left = if head.chunked {
            read_chunked(&mut stream, &mut buffer, end).await?
        } else {
            while buffer.len() < end + head.content_length {
                if stream.read_buf(&mut buffer).await? == 0 {
                    return Ok(());
                }
            }
            end + head.content_length
        };
        let body = &buffer[end..left];
        let wish = Wish::read(body);
        left = left.min(buffer.len());
        buffer.drain(..left);
        if buffer.capacity() > 256 * 1024 && buffer.is_empty() {
            buffer = Vec::with_capacity(16 * 1024);
        }
        match wish {
            Wish::Unary => stream.write_all(&replies.unary).await?,
            Wish::Burst { chunks, usage } => {
                let reply = replies.burst(chunks, usage);
                stream.write_all(&reply).await?;
            }
            Wish::Paced {
                every,
                chunks,
                usage,
            } => {
                stream.write_all(&replies.stream_start).await?;
                let mut ticks = interval_at(Instant::now() + every, every);
                for _ in 1..chunks {
                    ticks.tick().await;
                    stream.write_all(&replies.chunk).await?;
                }
                ticks.tick().await;
                stream
                    .write_all(&replies.stream_end[usize::from(usage)])
                    .await?;
            }
        }
    }
}

/// Reads a chunked body until its end; answers where in the buffer the message ends.
async fn read_chunked(
    stream: &mut TcpStream,
    buffer: &mut Vec<u8>,
    start: usize,
) -> std::io::Result<usize> {
    loop {
        if let Some(at) = memmem::find(&buffer[start..], b"\r\n0\r\n\r\n") {
            return Ok(start + at + 7);
        }
        if stream.read_buf(buffer).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// What a request asks for.
enum Wish {
    Unary,
    Paced {
        every: Duration,
        chunks: usize,
        usage: bool,
    },
    Burst {
        chunks: usize,
        usage: bool,
    },
}

impl Wish {
    fn read(body: &[u8]) -> Self {
        // The name is near the start; a megabyte of history is not searched for it.
        let model = model(&body[..body.len().min(2048)]).unwrap_or_default();
        let mut words = model.rsplit('/').next().unwrap_or_default().split('-');
        let kind = words.next();
        let mut number = || words.next().and_then(|word| word.parse().ok());
        let usage = || memmem::find(body, b"include_usage").is_some();
        match kind {
            Some("paced") => Self::Paced {
                every: Duration::from_millis(number().unwrap_or(40)),
                chunks: number().unwrap_or(10) as usize,
                usage: usage(),
            },
            Some("burst") => Self::Burst {
                chunks: number().unwrap_or(100) as usize,
                usage: usage(),
            },
            _ => Self::Unary,
        }
    }
}

/// The value of `"model"`.
fn model(json: &[u8]) -> Option<&str> {
    let at = memmem::find(json, b"\"model\"")? + 7;
    let mut parts = json[at..].split(|byte| *byte == b'"');
    parts.next()?;
    std::str::from_utf8(parts.next()?).ok()
}

/// Whole streams by number of chunks, without and with usage.
type Bursts = HashMap<(usize, bool), Rc<Vec<u8>>>;

/// Replies as they go over the wire.
struct Replies {
    unary: Vec<u8>,
    /// The head and the first chunk.
    stream_start: Vec<u8>,
    chunk: Vec<u8>,
    /// The last chunk, without and with usage, and the end of the stream.
    stream_end: [Vec<u8>; 2],
    bursts: RefCell<Bursts>,
}

impl Default for Replies {
    fn default() -> Self {
        let body = format!(
            r#"{{"id":"chatcmpl-Bx0c9VJq2f7mN5hQ1sTzK8wLrY3eA","object":"chat.completion","created":1764000000,"model":"{MODEL}","choices":[{{"index":0,"message":{{"role":"assistant","content":"A gateway is a door in a wall: it lets through who has the key, and it remembers who came.","refusal":null,"annotations":[]}},"logprobs":null,"finish_reason":"stop"}}],"usage":{{"prompt_tokens":42,"completion_tokens":23,"total_tokens":65,"prompt_tokens_details":{{"cached_tokens":0,"audio_tokens":0}},"completion_tokens_details":{{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}},"service_tier":"default","system_fingerprint":"fp_560af6e559"}}"#
        );
        let unary = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
             openai-processing-ms: 12\r\nx-request-id: req_b0c9d1\r\n\r\n{body}",
            body.len()
        );
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n\
                    transfer-encoding: chunked\r\nopenai-processing-ms: 12\r\n\
                    x-request-id: req_b0c9d1\r\n\r\n";
        let first = event(
            r#"{"role":"assistant","content":"","refusal":null}"#,
            "null",
        );
        let last = event("{}", "\"stop\"");
        let usage = http_chunk(&format!(
            "data: {}\n\n",
            completion_chunk(
                "[]",
                r#","usage":{"prompt_tokens":42,"completion_tokens":23,"total_tokens":65,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}"#
            )
        ));
        let done = format!("{}0\r\n\r\n", http_chunk("data: [DONE]\n\n"));
        Self {
            unary: unary.into_bytes(),
            stream_start: format!("{head}{first}").into_bytes(),
            chunk: event(r#"{"content":" token"}"#, "null").into_bytes(),
            stream_end: [
                format!("{last}{done}").into_bytes(),
                format!("{last}{usage}{done}").into_bytes(),
            ],
            bursts: RefCell::default(),
        }
    }
}

impl Replies {
    fn burst(&self, chunks: usize, usage: bool) -> Rc<Vec<u8>> {
        let mut bursts = self.bursts.borrow_mut();
        let reply = bursts.entry((chunks, usage)).or_insert_with(|| {
            let mut bytes = self.stream_start.clone();
            for _ in 1..chunks {
                bytes.extend_from_slice(&self.chunk);
            }
            bytes.extend_from_slice(&self.stream_end[usize::from(usage)]);
            Rc::new(bytes)
        });
        Rc::clone(reply)
    }
}

fn event(delta: &str, finish: &str) -> String {
    let choices =
        format!(r#"[{{"index":0,"delta":{delta},"logprobs":null,"finish_reason":{finish}}}]"#);
    http_chunk(&format!("data: {}\n\n", completion_chunk(&choices, "")))
}

fn completion_chunk(choices: &str, more: &str) -> String {
    format!(
        r#"{{"id":"chatcmpl-Bx0c9VJq2f7mN5hQ1sTzK8wLrY3eA","object":"chat.completion.chunk","created":1764000000,"model":"{MODEL}","service_tier":"default","system_fingerprint":"fp_560af6e559","choices":{choices}{more}}}"#
    )
}

fn http_chunk(payload: &str) -> String {
    let mut chunk = String::new();
    let _ = write!(chunk, "{:x}\r\n{payload}\r\n", payload.len());
    chunk
}

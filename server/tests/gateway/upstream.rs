//! A scripted upstream: a socket that says what a test tells it to, byte for byte.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

/// What the upstream does with a request, in order; then it waits for the next one.
#[derive(Clone, Debug)]
pub enum Act {
    Send(Vec<u8>),
    /// Waits for the test's [`Upstream::go_on`].
    WaitForTest,
    /// Says nothing more, and waits for the gateway to close the connection.
    WaitForClose,
    Close,
}

/// One request as it arrived.
#[derive(Clone, Debug)]
pub struct Received {
    pub head: String,
    pub body: Vec<u8>,
}

pub struct Upstream {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    go_on: watch::Sender<usize>,
    closed: Mutex<mpsc::UnboundedReceiver<()>>,
    connections: Arc<Mutex<usize>>,
    bytes: Arc<AtomicUsize>,
}

impl Upstream {
    /// Answers every request with the same script.
    pub async fn start(script: Vec<Act>) -> Self {
        Self::with(move |_| script.clone()).await
    }

    /// Answers the n-th request (from 0) with the n-th script.
    pub async fn with(script: impl Fn(usize) -> Vec<Act> + Send + Sync + 'static) -> Self {
        Self::answering(move |number, _| script(number)).await
    }

    /// Answers each request as its head asks for.
    pub async fn by_head(script: impl Fn(&str) -> Vec<Act> + Send + Sync + 'static) -> Self {
        Self::answering(move |_, request| script(&request.head)).await
    }

    /// Answers each request as its body asks for.
    pub async fn by_body(script: impl Fn(&[u8]) -> Vec<Act> + Send + Sync + 'static) -> Self {
        Self::answering(move |_, request| script(&request.body)).await
    }

    async fn answering(
        script: impl Fn(usize, &Received) -> Vec<Act> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let (go_on, gate) = watch::channel(0);
        let (close, closed) = mpsc::unbounded_channel();
        let script = Arc::new(script);
        let connections = Arc::new(Mutex::new(0));
        let (log, count) = (received.clone(), connections.clone());
        let bytes = Arc::new(AtomicUsize::new(0));
        let read = bytes.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                *count.lock().unwrap() += 1;
                let (log, script) = (log.clone(), script.clone());
                let (gate, close) = (gate.clone(), close.clone());
                let read = read.clone();
                tokio::spawn(async move {
                    let script = |request: Received| {
                        let mut log = log.lock().unwrap();
                        log.push(request);
                        script(log.len() - 1, &log[log.len() - 1])
                    };
                    serve(stream, script, gate, &close, &read).await;
                });
            }
        });
        Self {
            address,
            received,
            go_on,
            closed: Mutex::new(closed),
            connections,
            bytes,
        }
    }

    /// Bytes that have come, also of requests that are not complete.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::SeqCst)
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// Returns when so many requests have come.
    pub async fn until_received(&self, count: usize) {
        let received = async {
            while self.received().len() < count {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(crate::test_app::SOON, received)
            .await
            .expect("a request comes");
    }

    /// How many connections were opened.
    pub fn connections(&self) -> usize {
        *self.connections.lock().unwrap()
    }

    /// Lets every script pass its next [`Act::WaitForTest`].
    pub fn go_on(&self) {
        self.go_on.send_modify(|passes| *passes += 1);
    }

    /// Returns when a connection was closed that waited for it.
    pub async fn closed(&self) {
        let closed = std::future::poll_fn(|cx| self.closed.lock().unwrap().poll_recv(cx));
        tokio::time::timeout(crate::test_app::SOON, closed)
            .await
            .expect("the gateway closes the connection");
    }
}

async fn serve(
    mut stream: TcpStream,
    script: impl Fn(Received) -> Vec<Act>,
    mut gate: watch::Receiver<usize>,
    close: &mpsc::UnboundedSender<()>,
    bytes: &AtomicUsize,
) {
    stream.set_nodelay(true).unwrap();
    let mut buffer = Vec::new();
    let mut passed = 0;
    while let Some(request) = read(&mut stream, &mut buffer, bytes).await {
        for act in script(request) {
            match act {
                Act::Send(bytes) => {
                    if stream.write_all(&bytes).await.is_err() {
                        return;
                    }
                }
                Act::WaitForTest => {
                    passed += 1;
                    let _ = gate.wait_for(|passes| *passes >= passed).await;
                }
                Act::WaitForClose => {
                    let mut rest = [0; 1024];
                    while matches!(stream.read(&mut rest).await, Ok(1..)) {}
                    let _ = close.send(());
                    return;
                }
                Act::Close => return,
            }
        }
    }
}

async fn read(
    stream: &mut TcpStream,
    buffer: &mut Vec<u8>,
    bytes: &AtomicUsize,
) -> Option<Received> {
    loop {
        if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8(buffer[..end + 4].to_vec()).unwrap();
            if head.to_lowercase().contains("transfer-encoding: chunked") {
                if let Some((body, length)) = dechunked(&buffer[end + 4..]) {
                    buffer.drain(..end + 4 + length);
                    return Some(Received { head, body });
                }
                fill(stream, buffer, bytes).await?;
                continue;
            }
            let length = head
                .lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .map_or(0, |(_, value)| value.trim().parse().unwrap());
            let total = end + 4 + length;
            if buffer.len() >= total {
                let body = buffer[end + 4..total].to_vec();
                buffer.drain(..total);
                return Some(Received { head, body });
            }
        }
        fill(stream, buffer, bytes).await?;
    }
}

async fn fill(stream: &mut TcpStream, buffer: &mut Vec<u8>, bytes: &AtomicUsize) -> Option<()> {
    let mut chunk = [0; 8192];
    match stream.read(&mut chunk).await {
        Ok(count @ 1..) => {
            bytes.fetch_add(count, Ordering::SeqCst);
            buffer.extend_from_slice(&chunk[..count]);
            Some(())
        }
        _ => None,
    }
}

/// A chunked body and its length as it was sent, if all of it is there.
fn dechunked(mut raw: &[u8]) -> Option<(Vec<u8>, usize)> {
    let whole = raw.len();
    let mut body = Vec::new();
    loop {
        let line = raw.windows(2).position(|two| two == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&raw[..line]).unwrap(), 16).unwrap();
        let chunk = raw.get(line + 2..line + 2 + size + 2)?;
        body.extend_from_slice(&chunk[..size]);
        raw = &raw[line + 2 + size + 2..];
        if size == 0 {
            return Some((body, whole - raw.len()));
        }
    }
}

/// A whole response.
pub fn response(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

pub fn json(status: &str, body: &str) -> Act {
    Act::Send(response(status, "", body))
}

/// The head of a stream; chunks follow.
pub fn stream_head() -> Act {
    Act::Send(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
            .to_vec(),
    )
}

/// Text as an HTTP chunk of its own.
pub fn chunk(text: &str) -> Act {
    Act::Send(format!("{:x}\r\n{text}\r\n", text.len()).into_bytes())
}

pub fn stream_end() -> Act {
    Act::Send(b"0\r\n\r\n".to_vec())
}

/// A chat completion in one piece.
pub const ANSWER: &str = r#"{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"backend-model","choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":11,"completion_tokens":7,"total_tokens":18,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":2}}}"#;

/// A delta of a streamed chat completion, as an event.
pub fn delta(text: &str) -> String {
    format!(
        r#"data: {{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"backend-model","choices":[{{"index":0,"delta":{{"content":"{text}"}},"finish_reason":null}}]}}"#
    ) + "\n\n"
}

pub const STOP: &str = "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"backend-model\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
pub const USAGE: &str = "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"backend-model\",\"choices\":[],\"usage\":{\"prompt_tokens\":11,\"completion_tokens\":7,\"total_tokens\":18}}\n\n";
pub const DONE: &str = "data: [DONE]\n\n";

/// A stream that answers `Hi`, complete.
pub fn stream() -> Vec<Act> {
    vec![
        stream_head(),
        chunk(&delta("Hi")),
        chunk(STOP),
        chunk(USAGE),
        chunk(DONE),
        stream_end(),
    ]
}

/// A wait that no test should ever reach the end of.
pub const NEVER: Duration = Duration::from_secs(3600);

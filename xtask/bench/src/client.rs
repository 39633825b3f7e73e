//! One connection of the load generator.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use memchr::memmem;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::http::{Chunked, Head, find_head};

/// No single reply may take longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// A kept-alive connection.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// What is known of a reply after its last byte.
#[derive(Debug, Clone, Copy)]
pub struct Reply {
    /// When the first event with content (or the first byte of a unary reply) was there.
    pub first: Instant,
    /// Server-sent events, `[DONE]` included.
    pub events: usize,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(64 * 1024),
        })
    }

    /// Sends a request and reads the reply to its end; `event` is called with the number of
    /// events of each piece. Anything but a complete 200 is an error.
    pub async fn call(&mut self, request: &[u8], event: impl FnMut(usize)) -> Result<Reply> {
        match timeout(PATIENCE, self.exchange(request, event)).await {
            Ok(reply) => reply,
            Err(_) => bail!("no complete reply within {PATIENCE:?}"),
        }
    }

    async fn exchange(&mut self, request: &[u8], mut event: impl FnMut(usize)) -> Result<Reply> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let end = loop {
            if let Some(end) = find_head(&self.buffer) {
                break end;
            }
            self.read().await?;
        };
        let head = Head::parse(&self.buffer[..end]);
        let mut first = Instant::now();
        if head.status != 200 {
            // Give the error's body a moment to arrive: it says why.
            let _ = timeout(Duration::from_millis(50), self.read()).await;
            let text = String::from_utf8_lossy(&self.buffer);
            bail!("the reply is not a 200: {}", text.trim());
        }
        if !head.chunked {
            while self.buffer.len() < end + head.content_length {
                self.read().await?;
            }
            return Ok(Reply { first, events: 0 });
        }

        let (mut chunked, mut seen, mut events) = (Chunked::default(), Seen::default(), 0);
        let mut from = end;
        loop {
            let complete = chunked.push(&self.buffer[from..], |payload| seen.push(payload));
            let count = seen.events - events;
            if count > 0 {
                if events == 0 {
                    first = Instant::now();
                }
                events += count;
                event(count);
            }
            if complete {
                break;
            }
            self.buffer.clear();
            from = 0;
            self.read().await?;
        }
        if events > 0 && !seen.done {
            bail!("the stream ended without [DONE]");
        }
        Ok(Reply { first, events })
    }

    async fn read(&mut self) -> Result<()> {
        let read = self.stream.read_buf(&mut self.buffer).await;
        if read.context("cannot read the reply")? == 0 {
            bail!("the connection was closed within a reply");
        }
        Ok(())
    }
}

/// Counts events, also those that a piece's end cuts in two.
#[derive(Debug, Default)]
struct Seen {
    events: usize,
    done: bool,
    tail: Vec<u8>,
}

impl Seen {
    /// Shorter by one than both words that are looked for.
    const TAIL: usize = 5;

    fn push(&mut self, payload: &[u8]) {
        let start = self.tail.len();
        let joined = payload.len().min(Self::TAIL);
        self.tail.extend_from_slice(&payload[..joined]);
        for bytes in [self.tail.as_slice(), payload] {
            self.events += memmem::find_iter(bytes, b"data: ").count();
            self.done |= memmem::find(bytes, b"[DONE]").is_some();
        }
        if payload.len() >= Self::TAIL {
            self.tail.clear();
            self.tail
                .extend_from_slice(&payload[payload.len() - Self::TAIL..]);
        } else {
            let whole = start + joined;
            self.tail.drain(..whole.saturating_sub(Self::TAIL));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_counted_across_any_split() {
        let body = b"data: {}\n\ndata: {}\n\ndata: [DONE]\n\n";
        for size in 5..=body.len() {
            let mut seen = Seen::default();
            body.chunks(size).for_each(|piece| seen.push(piece));
            assert_eq!((seen.events, seen.done), (3, true), "pieces of {size}");
        }
    }
}

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
        if events > 0 && !seen.is_done() {
            bail!("the stream ended before its last event");
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
    /// Of what was counted, the last bytes.
    tail: Vec<u8>,
}

impl Seen {
    const EVENT: &[u8] = b"data: ";
    /// What is in the last event of a stream: of Chat, Messages, Responses and Gemini.
    const ENDS: [&[u8]; 4] = [
        b"[DONE]",
        b"message_stop",
        b"response.completed",
        b"finishReason",
    ];
    /// As long as any last event.
    const TAIL: usize = 8 * 1024;

    fn push(&mut self, payload: &[u8]) {
        let cut = Self::EVENT.len() - 1;
        let mut joined = self.tail[self.tail.len().saturating_sub(cut)..].to_vec();
        joined.extend_from_slice(&payload[..payload.len().min(cut)]);
        for bytes in [joined.as_slice(), payload] {
            self.events += memmem::find_iter(bytes, Self::EVENT).count();
        }
        self.tail
            .extend_from_slice(&payload[payload.len().saturating_sub(Self::TAIL)..]);
        if self.tail.len() > 2 * Self::TAIL {
            self.tail.drain(..self.tail.len() - Self::TAIL);
        }
    }

    fn is_done(&self) -> bool {
        let has = |end: &&[u8]| memmem::find(&self.tail, end).is_some();
        Self::ENDS.iter().any(has)
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
            assert_eq!((seen.events, seen.is_done()), (3, true), "pieces of {size}");
        }
    }
}

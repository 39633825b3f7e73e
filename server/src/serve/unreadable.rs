//! What is no HTTP request gets an answer too, and hyper's own has no body: here it gets one.

use std::io::{self, IoSlice};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use llm::dialect::ChatDialect;
use llm::dialects::openai_chat::OpenAiChat;
use llm::error::{ApiError, ErrorKind, ErrorSource};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::gateway::Gateway;
use crate::ingress::rate_lines;

/// A connection on which hyper's automatic answers say, in JSON, what was wrong with the request.
pub(super) struct ExplainingStream<S> {
    stream: S,
    /// Whose answers are told more in the head.
    client: Option<(Arc<Gateway>, IpAddr)>,
    /// What is being written in place of an automatic answer.
    explanation: Option<Bytes>,
}

impl<S> ExplainingStream<S> {
    /// `client`: who is at the other end of a gateway's connection.
    pub fn new(stream: S, client: Option<(Arc<Gateway>, IpAddr)>) -> Self {
        Self {
            stream,
            client,
            explanation: None,
        }
    }
}

impl<S: AsyncWrite + Unpin> ExplainingStream<S> {
    /// Writes the explanation in place of `answer`; ready when all of it is out.
    fn poll_explain(&mut self, cx: &mut Context<'_>, answer: usize) -> Poll<io::Result<usize>> {
        while let Some(left) = &mut self.explanation {
            if left.is_empty() {
                self.explanation = None;
                break;
            }
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, left))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            left.advance(written);
        }
        Poll::Ready(Ok(answer))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for ExplainingStream<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.explanation.is_none() {
            match automatic(bytes) {
                Some(status) => {
                    let client = this.client.as_ref();
                    let lines = client.map(|(gateway, address)| rate_lines(gateway, *address));
                    this.explanation = Some(explanation(status, &lines.unwrap_or_default()));
                }
                None => return Pin::new(&mut this.stream).poll_write(cx, bytes),
            }
        }
        this.poll_explain(cx, bytes.len())
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let first = slices.iter().find(|slice| !slice.is_empty());
        match first {
            Some(bytes) if this.explanation.is_some() || automatic(bytes).is_some() => {
                Pin::new(this).poll_write(cx, bytes)
            }
            _ => Pin::new(&mut this.stream).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for ExplainingStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buffer)
    }
}

/// The status, if this is an answer that hyper made up: an error without a body. The gateway's own errors all have
/// one.
fn automatic(bytes: &[u8]) -> Option<u16> {
    const STATUSES: [u16; 3] = [400, 414, 431];
    let rest = bytes.strip_prefix(b"HTTP/1.1 4")?;
    let status = std::str::from_utf8(rest.get(..2)?)
        .ok()?
        .parse::<u16>()
        .ok()?;
    let status = 400 + status;
    let empty = rest.ends_with(b"\r\n\r\n")
        && memchr::memmem::find(rest, b"\r\ncontent-length: 0\r\n").is_some();
    (empty && STATUSES.contains(&status)).then_some(status)
}

/// `lines`: of the head, each with its end.
fn explanation(status: u16, lines: &str) -> Bytes {
    let (reason, kind, message) = match status {
        414 => (
            "URI Too Long",
            ErrorKind::InvalidRequest,
            "The request's URL is too long.",
        ),
        431 => (
            "Request Header Fields Too Large",
            ErrorKind::RequestTooLarge,
            "The request's headers are too large, or too many.",
        ),
        _ => (
            "Bad Request",
            ErrorKind::InvalidRequest,
            "This is not an HTTP/1.1 request: its request line or one of its headers cannot be read.",
        ),
    };
    let error = ApiError::new(kind, ErrorSource::Caller, message);
    let body = OpenAiChat.encode_error(&error);
    let mut answer = format!(
        "HTTP/1.1 {status} {reason}\r\nconnection: close\r\ncontent-type: application/json\r\n\
         {lines}content-length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    answer.extend_from_slice(&body);
    answer.into()
}

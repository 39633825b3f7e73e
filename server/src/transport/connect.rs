//! From an origin to an open, encrypted where asked, connection.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http::HeaderValue;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::error::TransportError;
use super::resolver::Resolver;
use crate::config::Destinations;

/// How long an address may take before the next one is tried beside it.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Where hosts are, and which of that may be connected to.
#[derive(Debug)]
pub(super) struct Dialer {
    pub destinations: Destinations,
    pub resolver: Box<dyn Resolver>,
}

/// Scheme, host and port of an upstream: what connections are pooled by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin(Arc<OriginParts>);

#[derive(Debug, PartialEq, Eq, Hash)]
struct OriginParts {
    tls: Option<ServerName<'static>>,
    host: String,
    port: u16,
    host_header: HeaderValue,
}

impl Origin {
    /// The origin of an absolute `http` or `https` URL.
    pub fn of(uri: &http::Uri) -> Result<Self, String> {
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(format!("`{uri}` is not an http or https URL")),
        };
        let authority = uri
            .authority()
            .ok_or_else(|| format!("`{uri}` names no host"))?;
        // The brackets of an IPv6 address belong to the URL, not to the address.
        let host = authority
            .host()
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let port = authority.port_u16();
        let host_header = match port {
            Some(port) => format!("{}:{port}", authority.host()),
            None => authority.host().to_owned(),
        };
        let tls = if secure {
            let name = ServerName::try_from(host.clone())
                .map_err(|_| format!("`{host}` is not a host name that TLS can verify"))?;
            Some(name)
        } else {
            None
        };
        Ok(Self(Arc::new(OriginParts {
            tls,
            port: port.unwrap_or(if secure { 443 } else { 80 }),
            host_header: HeaderValue::try_from(host_header)
                .map_err(|_| format!("`{host}` cannot stand in a Host header"))?,
            host,
        })))
    }

    /// As it stands in a URL: `https://api.example.com`.
    pub fn url(&self) -> String {
        let scheme = if self.0.tls.is_some() {
            "https"
        } else {
            "http"
        };
        let host = String::from_utf8_lossy(self.0.host_header.as_bytes());
        format!("{scheme}://{host}")
    }

    /// What `Host` says.
    pub fn host_header(&self) -> &HeaderValue {
        &self.0.host_header
    }

    /// Opens a connection. TCP_NODELAY is set: a small write must not wait for the peer's
    /// acknowledgement of the one before.
    pub(super) async fn connect(
        &self,
        tls: impl FnOnce() -> Arc<rustls::ClientConfig>,
        dialer: &Dialer,
    ) -> Result<Stream, TransportError> {
        let tcp = self.connect_tcp(dialer).await?;
        tcp.set_nodelay(true).map_err(TransportError::Connect)?;
        match &self.0.tls {
            None => Ok(Stream::new(StreamKind::Plain(tcp))),
            Some(name) => TlsConnector::from(tls())
                .connect(name.clone(), tcp)
                .await
                .map(|stream| Stream::new(StreamKind::Tls(Box::new(stream))))
                .map_err(TransportError::Tls),
        }
    }

    /// Tries the host's addresses, the next one when one has failed or is slow to answer (as RFC 8305
    /// has it); the first connection wins, and the last failure is reported. Each address is looked at here, whatever
    /// the name stood for before.
    async fn connect_tcp(&self, dialer: &Dialer) -> Result<TcpStream, TransportError> {
        let resolved = dialer.resolver.resolve(&self.0.host, self.0.port).await;
        let mut addresses = resolved.map_err(TransportError::Resolve)?;
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
        addresses.retain(|address| match dialer.destinations.check(address.ip()) {
            Ok(()) => true,
            Err(what) => {
                let message = format!("it is at {what}, where the gateway does not connect to");
                last = io::Error::new(io::ErrorKind::PermissionDenied, message);
                false
            }
        });
        let mut attempts = FuturesUnordered::new();
        let mut addresses = alternating(addresses).into_iter();
        loop {
            let next = addresses.next();
            let more = next.is_some();
            if let Some(address) = next {
                attempts.push(TcpStream::connect(address));
            }
            while !attempts.is_empty() {
                let wait = if more { ATTEMPT_DELAY } else { Duration::MAX };
                match tokio::time::timeout(wait, attempts.next()).await {
                    Ok(Some(Ok(stream))) => return Ok(stream),
                    Ok(Some(Err(error))) => {
                        last = error;
                        if more {
                            break;
                        }
                    }
                    Ok(None) | Err(_) => break,
                }
            }
            if !more {
                break;
            }
        }
        Err(TransportError::Connect(last))
    }
}

/// IPv6 and IPv4 in turn, otherwise in the resolver's order.
fn alternating(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv6() == first_is_v6);
    let mut turns = Vec::with_capacity(first.len() + second.len());
    let mut second = second.into_iter();
    for address in first {
        turns.push(address);
        turns.extend(second.next());
    }
    turns.extend(second);
    turns
}

/// A connection's bytes, encrypted or not.
pub(super) struct Stream {
    kind: StreamKind,
    received: Received,
}

enum StreamKind {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// How many bytes have come over a connection, as its owner sees it.
#[derive(Clone, Debug, Default)]
pub(super) struct Received(Arc<AtomicU64>);

impl Received {
    pub fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Stream {
    fn new(kind: StreamKind) -> Self {
        Self {
            kind,
            received: Received::default(),
        }
    }

    pub fn received(&self) -> Received {
        self.received.clone()
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let stream = self.get_mut();
        let before = buffer.filled().len();
        let polled = match &mut stream.kind {
            StreamKind::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            StreamKind::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        };
        let read = (buffer.filled().len() - before) as u64;
        stream.received.0.fetch_add(read, Ordering::Relaxed);
        polled
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().kind {
            StreamKind::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            StreamKind::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().kind {
            StreamKind::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            StreamKind::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.kind {
            StreamKind::Plain(stream) => stream.is_write_vectored(),
            StreamKind::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().kind {
            StreamKind::Plain(stream) => Pin::new(stream).poll_flush(cx),
            StreamKind::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().kind {
            StreamKind::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            StreamKind::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

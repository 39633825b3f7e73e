//! `[server.timeouts]` and a provider's `timeouts`: how long to wait for an upstream.

use std::time::Duration;

use super::reading::Section;

/// How long each part of an upstream's reply may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Until the connection stands, TLS included.
    pub connect: Duration,
    /// From the request's last byte to the head of the reply.
    pub first_byte: Duration,
    /// From a try's start to the first event of a stream, or to the end of a reply in one piece; `None`: as `first_byte`
    /// and `between_chunks` allow.
    pub first_token: Option<Duration>,
    /// Between two pieces of the reply's body.
    pub between_chunks: Duration,
    /// For the whole request, failovers included.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(120),
            first_token: None,
            between_chunks: Duration::from_secs(60),
            total: Duration::from_secs(600),
        }
    }
}

/// A provider's own waits; what is `None` is as `[server.timeouts]` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartialTimeouts {
    /// See [`Timeouts::connect`].
    pub connect: Option<Duration>,
    /// See [`Timeouts::first_byte`].
    pub first_byte: Option<Duration>,
    /// See [`Timeouts::first_token`].
    pub first_token: Option<Duration>,
    /// See [`Timeouts::between_chunks`].
    pub between_chunks: Option<Duration>,
    /// See [`Timeouts::total`].
    pub total: Option<Duration>,
}

impl PartialTimeouts {
    /// These waits, and those of `server` where nothing is said here.
    pub fn over(&self, server: &Timeouts) -> Timeouts {
        Timeouts {
            connect: self.connect.unwrap_or(server.connect),
            first_byte: self.first_byte.unwrap_or(server.first_byte),
            first_token: self.first_token.or(server.first_token),
            between_chunks: self.between_chunks.unwrap_or(server.between_chunks),
            total: self.total.unwrap_or(server.total),
        }
    }
}

impl Timeouts {
    pub(super) fn read(section: &mut Section<'_, '_>) -> Self {
        let default = Self::default();
        Self {
            connect: section.value("connect", default.connect),
            first_byte: section.value("first_byte", default.first_byte),
            first_token: section.optional("first_token"),
            between_chunks: section.value("between_chunks", default.between_chunks),
            total: section.value("total", default.total),
        }
    }
}

impl PartialTimeouts {
    pub(super) fn read(section: &mut Section<'_, '_>) -> Self {
        Self {
            connect: section.optional("connect"),
            first_byte: section.optional("first_byte"),
            first_token: section.optional("first_token"),
            between_chunks: section.optional("between_chunks"),
            total: section.optional("total"),
        }
    }
}

//! A reply that is passed on as it comes.

use http::header::{
    CONNECTION, CONTENT_TYPE, DATE, HeaderName, PROXY_AUTHENTICATE, SERVER, SET_COOKIE, TE,
    TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, StatusCode};
use llm::carried::{Meter, Operation};
use llm::pricing::UnitPrice;

use super::asked::Asked;
use super::secrets::Secrets;
use crate::transport::{ReplyBody, UpstreamReply};

/// A reply, its usage read in passing.
#[derive(Debug)]
pub struct Passed {
    pub status: StatusCode,
    /// Those that are the client's business.
    pub headers: HeaderMap,
    pub body: ReplyBody,
    pub meter: Meter,
    /// What it costs where it is not charged by tokens.
    pub unit: Option<UnitPrice>,
    pub secrets: Secrets,
    operation: &'static Operation,
}

impl Passed {
    pub(super) fn new(
        reply: UpstreamReply,
        asked: &Asked<'_>,
        operation: &'static Operation,
        characters: Option<u64>,
    ) -> Self {
        let content_type = reply.headers.get(CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok());
        Self {
            meter: Meter::new(operation, characters, content_type),
            status: reply.status,
            headers: passed_headers(&reply.headers),
            body: reply.body,
            secrets: asked.secrets(),
            unit: asked.unit_price(),
            operation,
        }
    }

    /// Whether the model's name stands in the reply.
    pub(super) fn tells_model(&self) -> bool {
        std::ptr::eq(self.operation, &llm::moderations::MODERATIONS)
    }
}

/// A message's headers without those of its connection (RFC 9110, section 7.6.1).
pub fn without_hop_by_hop(headers: &HeaderMap) -> HeaderMap {
    const HOP_BY_HOP: [HeaderName; 6] = [
        CONNECTION,
        PROXY_AUTHENTICATE,
        TE,
        TRAILER,
        TRANSFER_ENCODING,
        UPGRADE,
    ];
    let mut kept = headers.clone();
    for value in headers.get_all(CONNECTION) {
        for name in value.to_str().unwrap_or_default().split(',') {
            kept.remove(name.trim());
        }
    }
    for name in HOP_BY_HOP {
        kept.remove(name);
    }
    for name in ["keep-alive", "proxy-connection", "proxy-authorization"] {
        kept.remove(name);
    }
    kept
}

/// What a client gets of an upstream's headers: not what belongs to the connection to it, or to its site.
pub(super) fn passed_headers(headers: &HeaderMap) -> HeaderMap {
    let mut kept = without_hop_by_hop(headers);
    for name in [SET_COOKIE, SERVER, DATE] {
        kept.remove(name);
    }
    for name in ["alt-svc", "strict-transport-security", "x-request-id"] {
        kept.remove(name);
    }
    kept
}

//! What a request's head says to the gateway.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Uri};
use llm::error::ApiError;

use super::query;
use crate::config::IpNet;

/// Chooses a provider by its configured name.
const PROVIDER_HEADER: &str = "x-llm-provider";
/// Wants what cannot be carried to be refused.
const STRICT_HEADER: &str = "x-gateway-strict";
/// Where SDKs put the key that do not put it into `Authorization`.
pub(super) const KEY_HEADERS: [&str; 3] = ["x-api-key", "api-key", "x-goog-api-key"];
/// Each proxy adds the address that it was called from.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// Who the client is. What a proxy says of it counts where the proxy is trusted: of the addresses in
/// `x-forwarded-for` it is the last one that no trusted proxy has.
pub(super) fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    let peer = peer.to_canonical();
    if !is_trusted(&peer) {
        return peer;
    }
    let mut client = peer;
    let values = headers.get_all(FORWARDED_FOR).iter();
    let hops: Vec<&[u8]> = values
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .collect();
    for hop in hops.into_iter().rev() {
        // Whatever stands before something unreadable was not written by a proxy of ours.
        let Some(address) = address(hop) else {
            break;
        };
        client = address.to_canonical();
        if !is_trusted(&client) {
            break;
        }
    }
    client
}

/// The address of a hop. Some proxies add the port.
fn address(hop: &[u8]) -> Option<IpAddr> {
    let hop = std::str::from_utf8(hop).ok()?.trim();
    let with_port = || hop.parse::<SocketAddr>().map(|address| address.ip());
    let address = hop.parse().or_else(|_| with_port());
    address.ok().or_else(|| {
        let bare = hop.strip_prefix('[')?.strip_suffix(']')?;
        bare.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
    })
}

/// The client key: from `Authorization: Bearer` or, as other SDKs send it, `x-api-key`, `api-key`,
/// `x-goog-api-key` or the query's `key`.
pub(super) fn credential<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> Option<Cow<'a, str>> {
    let bearer = headers.get(AUTHORIZATION).and_then(|value| {
        let (scheme, key) = value.to_str().ok()?.split_once(' ')?;
        let key = scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())?;
        (!key.is_empty()).then(|| key.into())
    });
    let own = |name| {
        let key = headers.get(name)?.to_str().ok()?;
        (!key.is_empty()).then(|| key.into())
    };
    // What is no key does not hide one.
    bearer
        .or_else(|| KEY_HEADERS.into_iter().find_map(own))
        .or_else(|| query::value(uri.query()?, query::KEY))
}

/// Whether the client would rather be refused than have parameters left out.
///
/// # Errors
/// The header says neither `true` nor `false`.
pub(super) fn strict(headers: &HeaderMap) -> Result<bool, ApiError> {
    match headers.get(STRICT_HEADER).map(HeaderValue::as_bytes) {
        None | Some(b"" | b"false" | b"0") => Ok(false),
        Some(b"true" | b"1") => Ok(true),
        Some(_) => Err(ApiError::invalid(
            "The header x-gateway-strict is either `true` or `false`.",
        )),
    }
}

/// The provider that the client chose, if it did.
///
/// # Errors
/// The header cannot be read.
pub(super) fn provider(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    let Some(value) = headers.get(PROVIDER_HEADER) else {
        return Ok(None);
    };
    match value.to_str() {
        Ok(name) => Ok(Some(name.trim()).filter(|name| !name.is_empty())),
        Err(_) => Err(ApiError::invalid(
            "The header x-llm-provider holds characters that no provider's name has.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            headers.append(FORWARDED_FOR, value);
        }
        let trusted = [
            "10.0.0.0/8".parse().unwrap(),
            "127.0.0.1/32".parse().unwrap(),
        ];
        client_address(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn proxies_are_believed_only_where_they_are_trusted() {
        for (peer, forwarded, expected) in [
            ("192.0.2.1", vec![], "192.0.2.1"),
            ("192.0.2.1", vec!["203.0.113.9"], "192.0.2.1"),
            ("10.1.1.1", vec![], "10.1.1.1"),
            ("10.1.1.1", vec!["203.0.113.9"], "203.0.113.9"),
            ("::ffff:10.1.1.1", vec!["203.0.113.9"], "203.0.113.9"),
            (
                "10.1.1.1",
                vec!["1.2.3.4, 203.0.113.9, 10.2.2.2"],
                "203.0.113.9",
            ),
            ("10.1.1.1", vec!["1.2.3.4", "203.0.113.9"], "203.0.113.9"),
            ("10.1.1.1", vec!["1.2.3.4, junk, 10.2.2.2"], "10.2.2.2"),
            ("10.1.1.1", vec!["10.3.3.3, 10.2.2.2"], "10.3.3.3"),
            ("10.1.1.1", vec!["\u{e9}, 203.0.113.9"], "203.0.113.9"),
            ("10.1.1.1", vec!["203.0.113.9, \u{e9}"], "10.1.1.1"),
            ("10.1.1.1", vec!["203.0.113.9:4711"], "203.0.113.9"),
            ("10.1.1.1", vec!["[2001:db8::1]:4711"], "2001:db8::1"),
            ("10.1.1.1", vec!["[2001:db8::1]"], "2001:db8::1"),
        ] {
            assert_eq!(client(peer, &forwarded), expected, "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn what_is_no_key_hides_none() {
        let uri = Uri::from_static("/v1/models?key=c");
        let mut headers = HeaderMap::new();
        let is = |headers: &HeaderMap, expected| {
            assert_eq!(credential(headers, &uri).as_deref(), Some(expected));
        };
        is(&headers, "c");
        headers.insert("x-api-key", HeaderValue::from_static(""));
        headers.insert("authorization", HeaderValue::from_static("Basic eA=="));
        is(&headers, "c");
        headers.insert("api-key", HeaderValue::from_static("b"));
        is(&headers, "b");
        headers.insert("authorization", HeaderValue::from_static("Bearer "));
        is(&headers, "b");
        headers.insert("authorization", HeaderValue::from_static("bearer a"));
        is(&headers, "a");
    }
}

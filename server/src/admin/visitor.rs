//! Who wants to come in, as far as the connection and the browser tell.

use std::net::{IpAddr, Ipv6Addr};

use axum::http::{Extensions, HeaderMap, header};

use super::cookie;
use crate::access::Visitor;
use crate::serve::ClientConnection;

pub(super) fn of(client: &Extensions, headers: &HeaderMap) -> Visitor {
    let browser = headers.get(header::USER_AGENT);
    Visitor {
        address: address(client),
        browser: browser
            .and_then(|browser| browser.to_str().ok())
            .map(str::to_owned),
        session: cookie::read(headers).map(str::to_owned),
    }
}

/// The connection's: what headers say of it is anybody's.
pub(super) fn address(client: &Extensions) -> IpAddr {
    let client = client.get::<ClientConnection>();
    client.map_or(Ipv6Addr::UNSPECIFIED.into(), |client| client.address)
}

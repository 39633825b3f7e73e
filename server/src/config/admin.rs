//! `[admin]`: the dashboard and the admin API.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use super::Secret;
use super::reading::Section;

/// The listener operators talk to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// The address to listen on; loopback unless told otherwise.
    pub host: IpAddr,
    /// The port to listen on; 0 lets the system choose.
    pub port: u16,
    /// A fixed admin token; without one a token is made at the first start and printed.
    pub token: Option<Secret>,
    /// How long a login to the dashboard lasts.
    pub session_ttl: Duration,
    /// How long a login to the dashboard lasts without being used.
    pub session_idle: Duration,
}

impl Default for Admin {
    fn default() -> Self {
        Self {
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 8081,
            token: None,
            session_ttl: Duration::from_secs(12 * 60 * 60),
            session_idle: Duration::from_secs(2 * 60 * 60),
        }
    }
}

impl Admin {
    pub(super) fn read(section: &mut Section<'_, '_>) -> Self {
        let default = Self::default();
        Self {
            host: section.value("host", default.host),
            port: section.value("port", default.port),
            token: section.optional("token"),
            session_ttl: section.value("session_ttl", default.session_ttl),
            session_idle: section.value("session_idle", default.session_idle),
        }
    }
}
